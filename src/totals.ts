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

/** Columns of a row of counts, in this order. */
const COLUMNS = [
  'requests',
  'failures',
  'masked',
  'clientClosed',
  'status500',
  'status502',
  'status503',
  'status504',
  'durationMsSum'
] as const
const DURATION = COLUMNS.indexOf('durationMsSum')
const MINUTE_MS = 60_000

export type MinuteCounts = Record<(typeof COLUMNS)[number], number>

/** Counts of one minute, upstream name, container and stream. */
export interface MinuteRow extends MinuteCounts {
  minuteMs: number
  upstream: string
  container: string
  stream: string
}

/** Of a row as JSON, about, without the names of its container and its stream. */
const ROW_BYTES = 290

/** How much the rows will be that wait to be taken. */
interface Size {
  bytes: number
}

/** Minute → id of the name → counts, for the requests of one container in one stream. */
export class MinuteLedger {
  readonly container: string
  readonly stream: string
  readonly #size: Size
  readonly #rowBytes: number
  readonly minutes = new Map<number, (Float64Array | undefined)[]>()
  #minute = Number.NaN
  #rows: (Float64Array | undefined)[] = []

  constructor(container: string, stream: string, size: Size) {
    this.container = container
    this.stream = stream
    this.#size = size
    this.#rowBytes = ROW_BYTES + container.length + stream.length
  }

  /** A client's request. `status` -1: the format has none. */
  count(timeMs: number, nameId: number, status: number, durationMs: number): void {
    const row = this.#rowOf(timeMs, nameId)
    row[0]!++
    row[DURATION]! += durationMs
    if (status < 499 && status !== 0 && status !== 9) return
    if (status === 500) row[4]!++
    else if (status === 502) row[5]!++
    else if (status === 503) row[6]!++
    else if (status === 504) row[7]!++
    if (status !== 499 && status < 600) row[1]!++
  }

  /** What only the record tells of a request that `count` has counted. */
  mark(timeMs: number, nameId: number, what: 'masked' | 'clientClosed'): void {
    this.#rowOf(timeMs, nameId)[COLUMNS.indexOf(what)]!++
  }

  clear(): void {
    this.minutes.clear()
    this.#minute = Number.NaN
  }

  #rowOf(timeMs: number, nameId: number): Float64Array {
    const minute = Math.floor(timeMs / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      const rows = this.minutes.get(minute)
      if (rows) this.#rows = rows
      else this.minutes.set(minute, (this.#rows = []))
    }
    return this.#rows[nameId] ?? this.#newRow(nameId)
  }

  #newRow(nameId: number): Float64Array {
    this.#size.bytes += this.#rowBytes
    return (this.#rows[nameId] = new Float64Array(COLUMNS.length))
  }
}

/** Exact totals per minute and upstream name of every request, kept apart by where they were counted. */
export class MinuteTotals {
  readonly #names: NameTable
  readonly #ledgers = new Map<string, MinuteLedger>()
  readonly #size: Size = { bytes: 0 }

  constructor(names: NameTable) {
    this.#names = names
  }

  /** Of what `take` will give, about, as JSON. */
  get bytes(): number {
    return this.#size.bytes
  }

  ledger(container: string, stream: string): MinuteLedger {
    const key = `${container}\n${stream}`
    let ledger = this.#ledgers.get(key)
    if (!ledger) this.#ledgers.set(key, (ledger = new MinuteLedger(container, stream, this.#size)))
    return ledger
  }

  /** One row per minute, name, container and stream; in no order. */
  *rows(): Generator<MinuteRow> {
    for (const { container, stream, minutes } of this.#ledgers.values()) {
      for (const [minute, rows] of minutes) {
        for (const [nameId, row] of rows.entries()) {
          if (row === undefined) continue
          const counts = Object.fromEntries(COLUMNS.map((column, i) => [column, row[i]!])) as MinuteCounts
          yield { minuteMs: minute * MINUTE_MS, upstream: this.#names.names[nameId]!, container, stream, ...counts }
        }
      }
    }
  }

  /** A stream has ended: its ledgers are no longer needed once their rows are taken. */
  forget(stream: string): void {
    for (const [key, ledger] of this.#ledgers) if (ledger.stream === stream) this.#ledgers.delete(key)
  }

  /** The rows since the last call. */
  take(): MinuteRow[] {
    const rows = [...this.rows()]
    for (const ledger of this.#ledgers.values()) ledger.clear()
    this.#size.bytes = 0
    return rows
  }
}
