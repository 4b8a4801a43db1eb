import type { NameTable } from '../parsers/nameTable.ts'

/** Exact counts of every client's request, kept in arrays so that counting one costs nanoseconds. */
export class Totals {
  requests = 0
  /** 5xx, 000 and 009: what `failed` means everywhere. */
  failures = 0
  /** By status 0..999. */
  readonly byStatus = new Float64Array(1000)
  /** By id of the name table. */
  readonly requestsByName: number[] = []
  readonly failuresByName: number[] = []
  readonly names: NameTable

  constructor(names: NameTable) {
    this.names = names
  }

  /** `status` -1: the format has none. */
  count(status: number, nameId: number): void {
    this.requests++
    this.requestsByName[nameId] = (this.requestsByName[nameId] ?? 0) + 1
    if (status < 0) return
    this.byStatus[status]!++
    if (status < 500 && status !== 0 && status !== 9) return
    if (status > 599) return
    this.failures++
    this.failuresByName[nameId] = (this.failuresByName[nameId] ?? 0) + 1
  }
}
