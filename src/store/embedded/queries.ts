/**
 * Asks DuckDB about a folder that changes meanwhile: a segment may vanish between listing and reading because its rows
 * were sealed. Then the folder is listed anew and asked again.
 */

import { setTimeout } from 'node:timers/promises'
import { Why5xxError } from '../../errors.ts'
import type { NodeDisk } from './disk.ts'
import { type DuckDBConnection, type DuckDBInstance, rowsOf, type Value } from './duck.ts'
import type { Parameters } from './filterSql.ts'
import { Snapshot } from './snapshot.ts'
import type { Kind } from './tables.ts'

const ATTEMPTS_MAX = 6
/** Longer each time: a sealing replaces its files one after the other. */
const PAUSE_MS = 20

export interface Question {
  sql: string
  parameters: Parameters
}

/** Makes a question of what is there; may ask others first. */
export type Ask = (snapshot: Snapshot, connection: DuckDBConnection) => Promise<Question> | Question

interface Loaded {
  snapshot: Snapshot
  loading: Promise<void>
  uses: number
}

export class Queries {
  readonly #disk: NodeDisk
  readonly #duck: DuckDBInstance
  #current: Loaded | null = null

  constructor(disk: NodeDisk, duck: DuckDBInstance) {
    this.#disk = disk
    this.#duck = duck
  }

  async all(ask: Ask): Promise<Value[][]> {
    return this.session(async (connection, snapshot) => {
      const { sql, parameters } = await ask(snapshot, connection)
      return rowsOf(connection, sql, parameters.values)
    })
  }

  /** Several questions about one state of the folder; done anew when that goes away meanwhile. */
  async session<T>(questions: (connection: DuckDBConnection, snapshot: Snapshot) => Promise<T>): Promise<T> {
    const { value, release } = await this.#ask(questions)
    await release()
    return value
  }

  /** Days with rows of a kind, oldest first, as `20261121`. */
  async days(kind: Kind, fromMs: number, toMs: number): Promise<string[]> {
    return this.session(async (_connection, snapshot) => snapshot.daysWithRows(kind, fromMs, toMs))
  }

  /** Rows as they come. Asked again only before the first: what is open stays readable when it is replaced. */
  async *stream(ask: Ask): AsyncGenerator<Value[]> {
    const { value, release } = await this.#ask(async (connection, snapshot) => {
      const { sql, parameters } = await ask(snapshot, connection)
      const chunks = (await connection.stream(sql, parameters.values)).yieldRows()
      return { chunks, first: await chunks.next() }
    })
    try {
      if (value.first.done) return
      yield* value.first.value as Value[][]
      for await (const chunk of value.chunks) yield* chunk as Value[][]
    } catch (error) {
      throw this.#failed(error)
    } finally {
      await release()
    }
  }

  async #ask<T>(
    question: (connection: DuckDBConnection, snapshot: Snapshot) => Promise<T>
  ): Promise<{ value: T; release: () => Promise<void> }> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#duck.connect()
      let loaded: Loaded | null = null
      const release = async (): Promise<void> => {
        connection.closeSync()
        if (loaded !== null) await this.#leave(loaded)
      }
      try {
        loaded = await this.#latest()
        loaded.uses++
        await loaded.loading
        return { value: await question(connection, loaded.snapshot), release }
      } catch (error) {
        const before = loaded?.snapshot.signature
        await release()
        const now = new Snapshot(this.#disk.folder, await this.#disk.list())
        // With the same files the same answer would come.
        if (attempt === ATTEMPTS_MAX || now.signature === before) throw this.#failed(error)
        await setTimeout(attempt * PAUSE_MS)
      }
    }
  }

  /** What the folder holds now; the segments are read again only when they have changed. */
  async #latest(): Promise<Loaded> {
    const snapshot = new Snapshot(this.#disk.folder, await this.#disk.list())
    if (this.#current?.snapshot.signature === snapshot.signature) return this.#current
    const before = this.#current
    const loaded: Loaded = { snapshot, loading: this.#load(snapshot), uses: 0 }
    // Said to whoever waits for it.
    loaded.loading.catch(() => {
      if (this.#current === loaded) this.#current = null
    })
    this.#current = loaded
    if (before !== null && before.uses === 0) await this.#drop(before)
    return loaded
  }

  async #load(snapshot: Snapshot): Promise<void> {
    const connection = await this.#duck.connect()
    try {
      await snapshot.load(connection)
    } finally {
      connection.closeSync()
    }
  }

  async #leave(loaded: Loaded): Promise<void> {
    loaded.uses--
    if (loaded.uses === 0 && loaded !== this.#current) await this.#drop(loaded)
  }

  async #drop({ snapshot, loading }: Loaded): Promise<void> {
    await loading.catch(() => {})
    const connection = await this.#duck.connect()
    try {
      await snapshot.drop(connection)
    } finally {
      connection.closeSync()
    }
  }

  #failed(error: unknown): Why5xxError {
    if (error instanceof Why5xxError) return error
    const text = (error as Error).message.split('\n')[0]!
    return new Why5xxError(
      'WHY5XX_STORE',
      `cannot read ${this.#disk.folder}: ${text}. \`why5xx check --store\` says what must be mended.`,
      { cause: error }
    )
  }
}
