/** Numbers of objects are whatever somebody wrote: none of any size makes a diagnosis throw, or a time that is none. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import { readCase } from '../../src/diagnose/caseFile.ts'
import { sentenceOf } from '../../src/diagnose/catalogue.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { isoText, timeText } from '../../src/diagnose/times.ts'
import { verdictOf } from '../../src/diagnose/verdict.ts'
import { runs } from '../support/seed.ts'

const CASES = readFileSync(new URL('../../samples/diagnosis/visible.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { objects: object[]; watch?: object[] })
const SIZES = [0, -1, 1e9, 1e15, 8.64e15, 1e18, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, -Number.MAX_VALUE, 1e-300]
const TIMES = ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '9999-12-31T23:59:59.999999999Z']

/** All numbers and times of objects replaced by what is drawn, now and then; and numbers put where pods may have them. */
function spoilt(value: unknown, draw: () => number | string | null): unknown {
  if (Array.isArray(value)) return value.map(item => spoilt(item, draw))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(withNumbers(value)).map(([key, inner]) => [key, spoilt(inner, draw)]))
  const drawn = draw()
  if (typeof value === 'number') return typeof drawn === 'number' ? drawn : value
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return typeof drawn === 'string' ? drawn : value
  return value
}

function withNumbers(object: object): object {
  if (Object.hasOwn(object, 'deletionTimestamp')) return { deletionGracePeriodSeconds: 30, ...object }
  if (Object.hasOwn(object, 'containers')) return { terminationGracePeriodSeconds: 30, minReadySeconds: 0, ...object }
  return object
}

describe('numbers of any size', () => {
  test.each(CASES.map((one, index) => [index, one] as const))('in case %i', (_index, one) => {
    const drawn = fc.oneof(
      fc.constant(null),
      fc.constantFrom(...SIZES),
      fc.double({ noNaN: true }),
      fc.constantFrom(...TIMES)
    )
    fc.assert(
      fc.property(fc.infiniteStream(drawn), stream => {
        const draw = (): number | string | null => stream.next().value
        const { input, events } = readCase({
          ...one,
          objects: spoilt(one.objects, draw),
          watch: spoilt(one.watch, draw)
        })
        const state = openClusterState()
        for (const event of events) state.apply(event)
        const diagnosis = diagnose(input, state)!
        expect(sentenceOf(diagnosis)).not.toBe('')
        expect(verdictOf(diagnosis, state).root_cause).toBe(diagnosis.rootCause)
        const times = [diagnosis.atMs, diagnosis.untilMs, ...diagnosis.evidence.map(({ atMs }) => atMs)]
        expect(times.filter(ms => ms !== null && isoText(ms) === null)).toEqual([])
      }),
      runs(30)
    )
  })

  test('a grace period of a thousand million years is none', () => {
    for (const seconds of [1e15, -1e15, Number.MAX_VALUE]) {
      const grown = spoiltGrace(seconds)
      for (const one of grown) {
        const { input, events } = readCase(one)
        const state = openClusterState()
        for (const event of events) state.apply(event)
        expect(verdictOf(diagnose(input, state)!, state).root_cause).not.toBe('')
      }
    }
  })
})

function spoiltGrace(seconds: number): object[] {
  const text = JSON.stringify(CASES)
  return JSON.parse(
    text.replaceAll(/"(deletionGracePeriodSeconds|terminationGracePeriodSeconds)":\d+/g, `"$1":${seconds}`)
  ) as object[]
}

test.each([Number.NaN, Number.POSITIVE_INFINITY, -8.65e15, 1e300])('%d is no time', ms => {
  expect([timeText(ms), isoText(ms)]).toEqual([null, null])
})
