import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addRow,
  type Rollup,
  type RollupSource,
  rollupDocument,
  rollupOf,
  rollupVersion
} from '../../../src/store/elasticsearch/rollups.ts'
import type { TotalsRow } from '../../../src/store/store.ts'
import { CLIENT_CLOSED, countsFrom, MASKED } from '../../../src/totals.ts'
import { NOON, totals } from '../failures.ts'
import '../../support/seed.ts'

const KEY = { stream: 's', minuteMs: NOON, upstream: 'u' }

function row(lines: number[], container = 'c'): TotalsRow {
  return { ...KEY, container, ...countsFrom(lines, Number.NEGATIVE_INFINITY), lines }
}

function stored(rollup: Rollup): RollupSource {
  return (rollupDocument(rollup, 'prod', null).why5xx as { rollup: RollupSource }).rollup
}

test('lines below the stored position are in the total already', () => {
  const first = rollupOf(KEY, null)
  addRow(first, row([10, 502, 3, 11, 200, 4, 11, MASKED, 0, 20, 499, 5, 20, CLIENT_CLOSED, 0]), {
    readTo: 30,
    open: []
  })
  const again = rollupOf(KEY, stored(first))
  expect(addRow(again, row([10, 502, 3, 20, 499, 5, 20, CLIENT_CLOSED, 0]), { readTo: 25, open: [] })).toBe(false)
  expect(addRow(again, row([20, 499, 5, 31, 503, 7], 'd'), { readTo: 40, open: [] })).toBe(true)
  expect(stored(again)).toEqual({
    interval_s: 60,
    position: 40,
    stream: 's',
    containers: ['c', 'd'],
    requests: 4,
    failures: 2,
    masked: 1,
    client_closed: 1,
    status_500: 0,
    status_502: 1,
    status_503: 1,
    status_504: 0,
    duration_ms_sum: 19
  })
})

test('a line whose end came late counts although the position has passed it', () => {
  const first = rollupOf(KEY, null)
  addRow(first, row([10, 502, 3]), { readTo: 30, open: [25] })
  const again = rollupOf(KEY, stored(first))
  expect(again.open).toEqual([25])
  expect(addRow(again, row([25, 502, 3]), { readTo: 28, open: [] })).toBe(true)
  // The replay stands behind the store: what the store said of its position stays true.
  expect([again.position, again.open, again.counts.requests]).toEqual([30, [], 2])
  expect(rollupVersion(again)).toBeGreaterThan(rollupVersion(first))
})

test('counts without positions add up, and each write is newer than the one before', () => {
  const one = rollupOf(KEY, null)
  const versions = [1, 2, 3].map(() => {
    addRow(one, totals({ ...KEY, requests: 0, failures: 0, masked: 0, clientClosed: 0 }), null)
    return rollupVersion(one)
  })
  expect(versions).toEqual([1, 2, 3])
  const again = rollupOf(KEY, stored(one))
  addRow(again, totals({ ...KEY, requests: 7 }), null)
  expect([again.counts.requests, again.position]).toEqual([7, 4])
})

/** A line is counted when its end is read: at its own position, or later where it comes in pieces. */
interface Line {
  key: number
  status: number
  pieces: number
}

interface Kept {
  version: number
  source: RollupSource
}

/** Kept totals, and where the stream stood when its state was written. */
class Store {
  readonly kept = new Map<number, Kept>()
  readTo = 0

  write(key: number, { version, source }: Kept): void {
    const known = this.kept.get(key)
    if (known === undefined || known.version < version) this.kept.set(key, { version, source })
  }
}

/** One process that has claimed the stream: reads on from the state, and knows the totals that it has asked for. */
class Process {
  readonly #lines: readonly Line[]
  readonly #rollups = new Map<number, Rollup>()
  readTo: number

  constructor(lines: readonly Line[], readTo: number) {
    this.#lines = lines
    this.readTo = readTo
  }

  /** Totals as they would be written after the next lines. */
  read(count: number, store: Store): [number, Kept][] {
    const from = this.readTo
    this.readTo = Math.min(this.readTo + count, this.#lines.length)
    const endOf = (position: number): number => position + this.#lines[position]!.pieces
    const open = this.#lines.flatMap((_, at) => (at < this.readTo && endOf(at) >= this.readTo ? [at] : []))
    const triples = new Map<number, number[]>()
    for (const [at, { key, status }] of this.#lines.entries())
      if (endOf(at) >= from && endOf(at) < this.readTo) triples.set(key, [...(triples.get(key) ?? []), at, status, 1])
    const writes: [number, Kept][] = []
    for (const [key, lines] of triples) {
      const rollup =
        this.#rollups.get(key) ?? rollupOf({ ...KEY, upstream: String(key) }, store.kept.get(key)?.source ?? null)
      this.#rollups.set(key, rollup)
      if (!addRow(rollup, row(lines), { readTo: this.readTo, open })) continue
      writes.push([key, { version: rollupVersion(rollup), source: structuredClone(stored(rollup)) }])
    }
    return writes
  }

  /** Keys are asked for again when they come back. */
  forget(): void {
    this.#rollups.clear()
  }
}

describe('crashes, frozen writers and forgotten keys', () => {
  const line = fc.record({
    key: fc.integer({ min: 0, max: 2 }),
    status: fc.constantFrom(200, 502, 503),
    pieces: fc.constantFrom(0, 0, 0, 0, 1, 4)
  })
  const step = fc.record({
    count: fc.integer({ min: 1, max: 9 }),
    /** `crash`: totals became durable, the position did not. `frozen`: another process takes over; this writes when it wakes up. */
    kind: fc.constantFrom('durable', 'durable', 'crash', 'lost', 'frozen', 'forget'),
    wakes: fc.boolean()
  })

  test('leave totals as exact as a run without any', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), fc.array(step, { maxLength: 25 }), (given, steps) => {
        const lines = given.map((one, at) => ({ ...one, pieces: Math.min(one.pieces, given.length - 1 - at) }))
        const store = new Store()
        let process = new Process(lines, 0)
        let late: [number, Kept][] = []
        const apply = (writes: [number, Kept][]): void => {
          for (const [key, kept] of writes) store.write(key, kept)
        }
        for (const { count, kind, wakes } of steps) {
          if (wakes) apply(late.splice(0).reverse())
          if (kind === 'forget') process.forget()
          const writes = process.read(count, store)
          if (kind === 'crash') apply(writes)
          else if (kind === 'frozen') late.push(...writes, ...process.read(count, store))
          else if (kind !== 'lost') {
            apply(writes)
            store.readTo = Math.max(store.readTo, process.readTo)
            continue
          }
          process = new Process(lines, store.readTo)
        }
        apply(process.read(lines.length, store))
        apply(late)
        late = []
        const truth = new Map<number, number[]>()
        for (const { key, status } of lines) truth.set(key, [...(truth.get(key) ?? []), status])
        for (const [key, statuses] of truth) {
          const { source } = store.kept.get(key)!
          expect([source.requests, source.status_502, source.status_503]).toEqual([
            statuses.length,
            statuses.filter(status => status === 502).length,
            statuses.filter(status => status === 503).length
          ])
        }
      }),
      { numRuns: 1_000 }
    )
  })
})
