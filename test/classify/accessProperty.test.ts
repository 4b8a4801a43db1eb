import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AccessRecord, UpstreamAttempt } from '../../parsers/record.ts'
import { classifyAccess } from '../../src/classify/accessTable.ts'
import { runs } from '../support/seed.ts'
import { accessRecord } from './accessRecord.ts'

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const status = fc.oneof(
  fc.constantFrom(0, 9, 101, 200, 302, 401, 404, 499, 500, 502, 503, 504),
  fc.integer({ min: 0, max: 999 })
)
const timeMs = fc.oneof(fc.constantFrom(0, 1, 2, 5_001, 60_001, 3_070), fc.nat())
const bytes = fc.oneof(fc.constantFrom(0, 25, 31, 150, 190, 208, 552), fc.nat())

const attempt: fc.Arbitrary<UpstreamAttempt> = fc.record({
  address: orNull(
    fc.oneof(fc.constantFrom('10.0.0.7:80', '0.0.0.1:80', '127.0.0.1:8181', 'name', 'unix:/a'), fc.string())
  ),
  group: fc.integer({ min: 0, max: 3 }),
  status: orNull(status),
  responseTimeMs: orNull(timeMs),
  responseBytes: orNull(bytes),
  connectTimeMs: orNull(timeMs),
  headerTimeMs: orNull(timeMs)
})

const record: fc.Arbitrary<AccessRecord> = fc
  .record({
    status: orNull(status),
    bodyBytes: orNull(bytes),
    method: orNull(fc.constantFrom('GET', 'POST', 'HEAD', 'LOCK', 'x')),
    request: orNull(fc.string()),
    requestLength: orNull(bytes),
    requestTimeMs: orNull(timeMs),
    upstreamName: orNull(
      fc.constantFrom('', '-', 'shop-cart-80', 'upstream-default-backend', 'custom-default-backend-a-b')
    ),
    attempts: orNull(fc.array(attempt, { maxLength: 5 })),
    attemptsUncertain: fc.boolean(),
    hasConnectTime: fc.boolean(),
    truncated: fc.boolean()
  })
  .map(fields => ({ ...accessRecord({}), ...fields }))

/** No failure, as no status of 600 and more is one, behind a backend that explains failures. */
const beyondStatuses: AccessRecord = {
  ...accessRecord({}),
  status: 600,
  upstreamName: 'upstream-default-backend',
  attempts: [
    {
      address: null,
      group: 0,
      status: 502,
      responseTimeMs: 5_001,
      responseBytes: null,
      connectTimeMs: null,
      headerTimeMs: null
    }
  ]
}

test('any record gets a verdict that holds together, and the same one twice', () => {
  fc.assert(
    fc.property(record, given => {
      const verdict = classifyAccess(given)
      expect(verdict.confidence).toBeGreaterThanOrEqual(0)
      expect(verdict.confidence).toBeLessThanOrEqual(1)
      expect(verdict.confidence === 0).toBe(verdict.cause === null)
      expect(verdict.alternatives).not.toContain(verdict.cause)
      expect(new Set(verdict.alternatives).size).toBe(verdict.alternatives.length)
      if (verdict.cause === null)
        expect(verdict).toMatchObject({ masked: false, blamedAttempt: null, alternatives: [] })
      if (verdict.blamedAttempt !== null) expect(given.attempts![verdict.blamedAttempt]).toBeDefined()
      expect(classifyAccess(given)).toEqual(verdict)
    }),
    { ...runs(5_000), examples: [[beyondStatuses]] }
  )
})

test('every 5xx has a cause', () => {
  fc.assert(
    fc.property(record, fc.integer({ min: 500, max: 599 }), (given, failed) => {
      expect(classifyAccess({ ...given, status: failed }).cause).not.toBeNull()
    }),
    runs(2_000)
  )
})
