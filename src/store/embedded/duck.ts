/** DuckDB in memory, loaded when it is needed: 70 MB of library. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

export type { DuckDBConnection, DuckDBInstance }

export interface DuckOptions {
  memoryMb: number
  threads: number
  /** Where what does not fit is put meanwhile. */
  temporaryFolder?: string
}

export async function openDuck({ memoryMb, threads, temporaryFolder }: DuckOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  return DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryMb}MB`,
    temp_directory: temporaryFolder ?? join(tmpdir(), `why5xx-duckdb-${process.pid}`),
    // Nothing is fetched from anywhere; what is needed is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false'
  })
}

/** What the columns that are asked for here can hold: no type that needs converting. */
export type Value = boolean | bigint | number | string | null

/** All rows as arrays. */
export async function rowsOf(connection: DuckDBConnection, sql: string, values: string[] = []): Promise<Value[][]> {
  const reader = await connection.runAndReadAll(sql, values)
  return reader.getRows() as Value[][]
}
