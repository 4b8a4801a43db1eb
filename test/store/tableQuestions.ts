/** Tables to ask for, and failures with whatever fields they need. */
import { beforeEach } from 'vitest'
import type { FailureDocument, StoredDocument } from '../../src/store/document.ts'
import type { StoreReader } from '../../src/store/store.ts'
import type { CountedTable, ListedTable, TableQuery, TableRow, TableWindow } from '../../src/store/table.ts'
import type { Contract } from './contract.ts'
import { DAY_MS, failure, type Given, MINUTE_MS, NOON } from './failures.ts'

export const WINDOW: TableWindow = { fromMs: NOON - DAY_MS, toMs: NOON + DAY_MS, stepMs: 5 * MINUTE_MS, params: {} }

type Rest<T> = Partial<Omit<T, 'from'>>

export function counted(from: TableQuery['from'], given: Rest<CountedTable>): CountedTable {
  return { from, where: [], timeField: '@timestamp', by: [], measures: [], sort: [], limit: 100, ...given }
}

export function listed(
  from: TableQuery['from'],
  columns: ListedTable['columns'],
  given: Rest<ListedTable> = {}
): ListedTable {
  return { from, where: [], timeField: '@timestamp', sort: [], limit: 100, ...given, columns }
}

/** A failure with whatever fields beside. */
export function failureWith(given: Given, fields: FailureDocument = {}): StoredDocument {
  const { document, ...stored } = failure(given)
  const { why5xx, event, ...other } = fields as Record<string, Record<string, unknown> | undefined>
  return {
    ...stored,
    document: {
      ...document,
      ...other,
      event: { ...(document.event as object), ...event },
      why5xx: { ...(document.why5xx as object), masked: given.masked ?? false, ...why5xx }
    }
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

export type Ask = (query: TableQuery, window?: Partial<TableWindow>) => Promise<TableRow[]>

/** Asks the store of a test, with one reader for all of its questions. */
export function asking({ open }: Pick<Contract, 'open'>): Ask {
  let reader: Promise<StoreReader> | null = null
  beforeEach(() => {
    reader = null
  })
  return async (query, window = {}) => {
    reader ??= open()
    return (await reader).table(query, { ...WINDOW, ...window })
  }
}
