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

/** What `lines` of a row say of the request that was counted at the same position. */
export const MASKED = -2
export const CLIENT_CLOSED = -3

export type MinuteCounts = Record<(typeof COLUMNS)[number], number>

/** Counts of one minute, upstream name, container and stream. */
export interface MinuteRow extends MinuteCounts {
  minuteMs: number
  upstream: string
  container: string
  stream: string
  /** Position, status, request time in ms, line by line; see `TotalsRow.lines`. */
  lines?: number[]
}

/** Of a row as JSON, about, without the names of its container and its stream. */
const ROW_BYTES = 290
/** Three numbers of a line. */
const LINE_BYTES = 24

/** How much the rows will be that wait to be taken. */
interface Size {
  bytes: number
}

interface LedgerRow {
  counts: Float64Array
  lines: number[] | null
}

/** Minute → id of the name → counts, for the requests of one container in one stream. */
export class MinuteLedger {
  readonly container: string
  readonly stream: string
  readonly #size: Size
  readonly #rowBytes: number
  readonly #withLines: boolean
  readonly minutes = new Map<number, (LedgerRow | undefined)[]>()
  #minute = Number.NaN
  #rows: (LedgerRow | undefined)[] = []

  constructor(container: string, stream: string, size: Size, withLines: boolean) {
    this.container = container
    this.stream = stream
    this.#size = size
    this.#withLines = withLines
    this.#rowBytes = ROW_BYTES + container.length + stream.length
  }

  /** A client's request, read at `position`. `status` -1: the format has none. */
  count(timeMs: number, nameId: number, status: number, durationMs: number, position: number): void {
    const { counts, lines } = this.#rowOf(timeMs, nameId)
    if (lines !== null) this.#addLine(lines, position, status, durationMs)
    addRequest(counts, status, durationMs)
  }

  /** What only the record tells of a request that `count` has counted. */
  mark(timeMs: number, nameId: number, mark: typeof MASKED | typeof CLIENT_CLOSED, position: number): void {
    const { counts, lines } = this.#rowOf(timeMs, nameId)
    if (lines !== null) this.#addLine(lines, position, mark, 0)
    addMark(counts, mark)
  }

  clear(): void {
    this.minutes.clear()
    this.#minute = Number.NaN
  }

  #addLine(lines: number[], position: number, status: number, durationMs: number): void {
    lines.push(position, status, durationMs)
    this.#size.bytes += LINE_BYTES
  }

  #rowOf(timeMs: number, nameId: number): LedgerRow {
    const minute = Math.floor(timeMs / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      const rows = this.minutes.get(minute)
      if (rows) this.#rows = rows
      else this.minutes.set(minute, (this.#rows = []))
    }
    return this.#rows[nameId] ?? this.#newRow(nameId)
  }

  #newRow(nameId: number): LedgerRow {
    this.#size.bytes += this.#rowBytes
    return (this.#rows[nameId] = { counts: new Float64Array(COLUMNS.length), lines: this.#withLines ? [] : null })
  }
}

function addRequest(counts: Float64Array, status: number, durationMs: number): void {
  counts[0]!++
  counts[DURATION]! += durationMs
  if (status < 499 && status !== 0 && status !== 9) return
  if (status === 500) counts[4]!++
  else if (status === 502) counts[5]!++
  else if (status === 503) counts[6]!++
  else if (status === 504) counts[7]!++
  if (status !== 499 && status < 600) counts[1]!++
}

function addMark(counts: Float64Array, mark: typeof MASKED | typeof CLIENT_CLOSED): void {
  counts[mark === MASKED ? 2 : 3]!++
}

function countsOf(counts: Float64Array): MinuteCounts {
  return Object.fromEntries(COLUMNS.map((column, i) => [column, counts[i]!])) as MinuteCounts
}

/** The counts of the lines of a row that stand at `from` or behind it. */
export function countsFrom(lines: readonly number[], from: number): MinuteCounts {
  const counts = new Float64Array(COLUMNS.length)
  for (let i = 0; i < lines.length; i += 3) {
    const status = lines[i + 1]!
    if (lines[i]! < from) continue
    if (status === MASKED || status === CLIENT_CLOSED) addMark(counts, status)
    else addRequest(counts, status, lines[i + 2]!)
  }
  return countsOf(counts)
}

/** Exact totals per minute and upstream name of every request, kept apart by where they were counted. */
export class MinuteTotals {
  readonly #names: NameTable
  readonly #ledgers = new Map<string, MinuteLedger>()
  readonly #size: Size = { bytes: 0 }

  readonly #withLines: boolean

  constructor(names: NameTable, withLines: boolean) {
    this.#names = names
    this.#withLines = withLines
  }

  /** Of what `take` will give, about, as JSON. */
  get bytes(): number {
    return this.#size.bytes
  }

  ledger(container: string, stream: string): MinuteLedger {
    const key = `${container}\n${stream}`
    let ledger = this.#ledgers.get(key)
    if (!ledger) this.#ledgers.set(key, (ledger = new MinuteLedger(container, stream, this.#size, this.#withLines)))
    return ledger
  }

  /** One row per minute, name, container and stream; in no order. */
  *rows(): Generator<MinuteRow> {
    for (const { container, stream, minutes } of this.#ledgers.values()) {
      for (const [minute, rows] of minutes) {
        for (const [nameId, row] of rows.entries()) {
          if (row === undefined) continue
          const minuteMs = minute * MINUTE_MS
          const upstream = this.#names.names[nameId]!
          const lines = row.lines === null ? {} : { lines: row.lines }
          yield { minuteMs, upstream, container, stream, ...countsOf(row.counts), ...lines }
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
