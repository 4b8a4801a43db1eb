import '../support/seed.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpikeDetector } from '../../src/alert/detector.ts'
import type { Finding, IncidentCause } from '../../src/alert/finding.ts'

/** One count; `failures` of a cause, else requests. */
interface Count {
  upstream: string
  cause: IncidentCause | null
  minute: number
  count: number
}

const CAUSES: readonly IncidentCause[] = ['connection_refused', 'read_timeout']

function addTo(detector: SpikeDetector, { upstream, cause, minute, count }: Count): void {
  if (cause === null) detector.addRequests(upstream, minute, count)
  else detector.addFailures(upstream, cause, minute, count)
}

/** To nine digits: who slept is fed with one power, who was awake with as many products. */
function rounded(findings: readonly Finding[]): unknown {
  return JSON.parse(
    JSON.stringify(findings, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(9)) : value))
  )
}

/** Requests that go on for some hours, with bursts, and pauses of up to three days. */
const courses: fc.Arbitrary<Count[]> = fc
  .array(
    fc.record({
      upstream: fc.constantFrom('a', 'b', ''),
      minutes: fc.integer({ min: 1, max: 120 }),
      pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4320 })),
      requests: fc.integer({ min: 0, max: 300 }),
      failing: fc.constantFrom(0, 0, 0.01, 0.5),
      cause: fc.constantFrom(...CAUSES)
    }),
    { minLength: 1, maxLength: 8 }
  )
  .map(parts => {
    const counts: Count[] = []
    let minute = 5000
    for (const { upstream, minutes, pause, requests, failing, cause } of parts) {
      for (const end = minute + minutes; minute < end; minute += 1) {
        counts.push({ upstream, cause: null, minute, count: requests })
        counts.push({ upstream, cause, minute, count: Math.round(requests * failing) })
        counts.push({ upstream: 'steady', cause: null, minute, count: 50 })
      }
      minute += pause
    }
    return counts
  })

test('minute by minute and in one jump it finds the same', () => {
  fc.assert(
    fc.property(courses, fc.integer({ min: 1, max: 50 }), (counts, stride) => {
      const end = counts.at(-1)!.minute + 1500
      const whole = new SpikeDetector({ profile: 'normal' })
      const parts = new SpikeDetector({ profile: 'normal' })
      for (const count of counts) addTo(whole, count)
      const found = []
      let next = 0
      for (let minute = counts[0]!.minute; minute < end; minute += stride) {
        for (; next < counts.length && counts[next]!.minute < minute; next += 1) addTo(parts, counts[next]!)
        found.push(...parts.advance(minute))
      }
      found.push(...parts.advance(end))
      expect(rounded(found)).toEqual(rounded(whole.advance(end)))
      expect(parts.facts).toEqual(whole.facts)
    }),
    { numRuns: 25 }
  )
})

test('the order and the parts in which the counts of a minute come do not matter', () => {
  fc.assert(
    fc.property(courses, fc.infiniteStream(fc.nat()), (counts, dice) => {
      const whole = new SpikeDetector({ profile: 'normal' })
      const shuffled = new SpikeDetector({ profile: 'normal' })
      const minutes = new Map<number, Count[]>()
      for (const one of counts) minutes.set(one.minute, [...(minutes.get(one.minute) ?? []), one])
      const found = []
      const expected = []
      for (const [minute, own] of minutes) {
        const parts = own
          .flatMap(one => [
            { ...one, count: Math.floor(one.count / 3) },
            { ...one, count: one.count - Math.floor(one.count / 3) }
          ])
          .map(one => ({ one, order: dice.next().value }))
          .sort((left, right) => left.order - right.order)
        for (const one of own) addTo(whole, one)
        for (const { one } of parts) addTo(shuffled, one)
        expected.push(...whole.advance(minute + 1))
        found.push(...shuffled.advance(minute + 1))
      }
      expect(found).toEqual(expected)
    }),
    { numRuns: 15 }
  )
})

test('traffic and failures that grow alike do not fire', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 5000 }),
      fc.constantFrom(0.001, 0.01, 0.1, 0.5),
      fc.integer({ min: 2, max: 50 }),
      (requests, share, factor) => {
        const detector = new SpikeDetector({ profile: 'sensitive' })
        let due = 0
        for (let minute = 0; minute < 500; minute += 1) {
          const asked = requests * (minute >= 300 && minute < 400 ? factor : 1)
          due += asked * share
          const failed = Math.floor(due)
          due -= failed
          detector.addRequests('a', minute, asked)
          detector.addFailures('a', 'read_timeout', minute, failed)
        }
        expect(detector.advance(500)).toEqual([])
      }
    ),
    { numRuns: 60 }
  )
})
