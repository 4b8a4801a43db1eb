/** Counts of failures for incidents: the same in any order of time, and bounded. */
import { expect, test } from 'vitest'
import { MINUTE_MS } from '../../src/alert/finding.ts'
import { countsOf, FailureTally } from '../../src/explain/failureTally.ts'
import { sightedSeries } from '../../src/explain/talliedSightings.ts'
import type { Failure } from '../../src/model.ts'

function failure(minute: number, masked: boolean): Failure {
  return {
    access: null,
    errors: [],
    join: 'error_only',
    cause: 'read_timeout',
    confidence: 1,
    alternatives: [],
    rule: '',
    deciding: -1,
    controller: null,
    blamedAttempt: -1,
    masked,
    counted: !masked,
    timeMs: minute * MINUTE_MS + 7,
    upstreamName: 'a-80',
    judgement: null
  }
}

function tallied(failures: Failure[], cellsMax = 100): FailureTally {
  const tally = new FailureTally(cellsMax)
  for (const one of failures) tally.add(one)
  return tally
}

const FAILURES = [failure(3, false), failure(1, false), failure(3, true), failure(3, false), failure(1, false)]

test.each([['as they came', FAILURES] as const, ['backwards', FAILURES.toReversed()] as const])('%s', (_, failures) => {
  const [series, ...others] = tallied([...failures]).series
  expect(others).toEqual([])
  const { minutes } = countsOf(series!)
  expect([...minutes].sort(([a], [b]) => a - b)).toEqual([
    [1, 2],
    [3, 3]
  ])
  const kinds = sightedSeries(series!)
    .minutes.get(3)!
    .kinds.map(({ sighting, count }) => [sighting.masked, count])
  expect(kinds.sort(([a], [b]) => Number(a) - Number(b))).toEqual([
    [false, 2],
    [true, 1]
  ])
})

test('what comes after it was asked counts as well', () => {
  const tally = tallied(FAILURES)
  expect(countsOf(tally.series[0]!).minutes.get(3)).toBe(3)
  tally.add(failure(3, false))
  expect(countsOf(tally.series[0]!).minutes.get(3)).toBe(4)
})

test('too many: nothing is known any more', () => {
  const tally = tallied(FAILURES, 2)
  expect(tally.series).toEqual([])
  expect(tally.isFull).toBe(true)
})
