/** Lines that are understood at last: each counts under a key of its own, and nothing of a worker is touched. */
import { expect, test } from 'vitest'
import { RejectReplayWriter } from '../../src/store/rejectReplayWriter.ts'
import type { RawBatch, Sink } from '../../src/store/sink.ts'
import { countsFrom, MASKED } from '../../src/totals.ts'
import { reject, totals } from './failures.ts'

const EMPTY: RawBatch = { failures: [], controllers: [], rejects: [], gaps: [], totals: [], streams: [], engine: null }

function recordingSink() {
  const batches: RawBatch[] = []
  const sink: Sink = {
    streams: [],
    engine: { learned: 'by a worker' },
    facts: null,
    pausedBecause: null,
    write: batch => {
      batches.push(batch)
      return Promise.resolve({ written: 0, known: 0 })
    },
    claim: () => Promise.resolve({ streams: [], engines: [] }),
    countedMinutes: () => Promise.resolve(new Set()),
    close: () => Promise.resolve()
  }
  return { sink, batches }
}

test('a row becomes one row a line, whose counts are its own', async () => {
  const { sink, batches } = recordingSink()
  const lines = [7, 502, 30, 9, 200, 10, 9, MASKED, 0]
  const row = { ...totals({ minuteMs: 60_000, stream: 'reject raw/3', lines }), ...countsFrom(lines, 0) }
  await new RejectReplayWriter(sink).write({ ...EMPTY, totals: [row] })
  const [first, second, ...more] = batches[0]!.totals
  expect(more).toEqual([])
  expect(first).toMatchObject({ stream: 'reject raw/3@7', lines: [0, 502, 30] })
  expect(first).toMatchObject({ requests: 1, failures: 1, status502: 1, masked: 0, durationMsSum: 30 })
  expect(second).toMatchObject({ stream: 'reject raw/3@9', lines: [0, 200, 10, 0, MASKED, 0] })
  expect(second).toMatchObject({ requests: 1, failures: 0, masked: 1, durationMsSum: 10 })
  expect([first, second].map(row => [row?.upstream, row?.minuteMs])).toEqual([
    ['shop-cart-80', 60_000],
    ['shop-cart-80', 60_000]
  ])
})

test('what fails again is not rejected twice, and what workers know is neither taken nor written', async () => {
  const { sink, batches } = recordingSink()
  const writer = new RejectReplayWriter(sink)
  expect(writer.engine).toBeNull()
  await writer.write({ ...EMPTY, rejects: [reject('a', 0, 'unrecognized')], engine: { learned: 'here' } })
  expect(batches).toEqual([EMPTY])
})
