/** Root causes of a group in a timeline: which are shown, with which example, and that the order of rows does not matter. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FailureDocument } from '../../src/store/document.ts'
import type { FailureRow } from '../../src/store/store.ts'
import { RootCauses } from '../../src/timeline/rootCauses.ts'
import '../support/seed.ts'
import { failed, times } from './rows.ts'

const NO_DOCUMENTS: ReadonlyMap<string, FailureDocument> = new Map()

function of(rows: readonly FailureRow[]): RootCauses {
  const causes = new RootCauses()
  for (const row of rows) causes.add(row, null)
  return causes
}

const killed = (time: string, pod: string, more: Partial<FailureRow> = {}): FailureRow =>
  failed(time, { rootCause: 'oom_killed', pod, ...more })

test('a line for each root cause and pod, most documents first, with their span', () => {
  const rows = [killed('10:02:12', 'a'), killed('10:02:20', 'b'), killed('10:02:15', 'b')]
  const { shown, more } = of([...rows, failed('10:02:13', { rootCause: 'app_crash', pod: 'b' })]).entries(NO_DOCUMENTS)
  expect(shown.map(one => [one.rootCause, one.pod, one.documents, one.first, one.last])).toEqual([
    ['oom_killed', 'b', 2, '2026-11-21T10:02:15.000Z', '2026-11-21T10:02:20.000Z'],
    ['oom_killed', 'a', 1, '2026-11-21T10:02:12.000Z', '2026-11-21T10:02:12.000Z'],
    ['app_crash', 'b', 1, '2026-11-21T10:02:13.000Z', '2026-11-21T10:02:13.000Z']
  ])
  expect(more).toBe(0)
})

test('what nobody judged, and what nothing decided, is no root cause', () => {
  const rows = [failed('10:02:12'), failed('10:02:13', { rootCause: 'undetermined' })]
  expect(of(rows).entries(NO_DOCUMENTS)).toEqual({ shown: [], more: 0 })
})

describe('what a document says', () => {
  const row = killed('10:02:12', 'cart-1', { id: 'x' })
  const entryOf = (why5xx: object | undefined) =>
    of([row]).entries(new Map([['x', { why5xx } as unknown as FailureDocument]])).shown[0]!

  test('sentence, advice, times, and four citations', () => {
    const evidence = times(6, i => ({ cite: `Pod shop/cart-1 status.phase=${i}` }))
    const said = {
      sentence: 'shop/cart-1 was OOM-killed at 10:02:11 (limit 256Mi)',
      advice: 'raise the memory limit, or bound the heap',
      at: '2026-11-21T10:02:11.000Z',
      until: '2026-11-21T10:02:29.000Z',
      confidence: 0.93
    }
    const entry = entryOf({ root_cause: { ...said, evidence } })
    expect(entry).toMatchObject(said)
    expect(entry.evidence).toEqual(evidence.slice(0, 4).map(({ cite }) => cite))
  })

  test.each([
    ['no why5xx', undefined],
    ['of an older version', {}],
    ['without its sentence', { root_cause: {} }]
  ])('%s: the name of the root cause does', (_name, why5xx) => {
    expect(entryOf(why5xx)).toMatchObject({
      sentence: 'oom killed',
      advice: '',
      at: null,
      until: null,
      confidence: null,
      evidence: []
    })
  })
})

test('a stored document of anybody is no reason to throw, and its strange root cause none to tell of it', () => {
  const row = killed('10:02:12', 'cart-1', { id: 'x' })
  for (const strange of [7, 'text', null, [], { cite: 7 }, [null, { cite: {} }]]) {
    const said = {
      sentence: strange,
      advice: strange,
      at: strange,
      until: 'never',
      confidence: 'high',
      evidence: strange
    }
    const document = { why5xx: { root_cause: said } } as unknown as FailureDocument
    const [entry] = of([row]).entries(new Map([['x', document]])).shown
    expect(entry).toMatchObject({ at: null, until: null, confidence: null, evidence: [] })
    expect([typeof entry!.sentence, typeof entry!.advice]).toEqual(['string', 'string'])
  }
  const one = { why5xx: { root_cause: { evidence: { cite: 'Pod shop/cart-1 absent' } } } } as unknown as FailureDocument
  expect(of([row]).entries(new Map([['x', one]])).shown[0]!.evidence).toEqual(['Pod shop/cart-1 absent'])
  const foreign = killed('10:02:12', 'a', { rootCause: '<img src=x onerror=alert(1)>' })
  expect(of([foreign]).entries(NO_DOCUMENTS)).toEqual({ shown: [], more: 0 })
})

test("the example is the oldest: the row's confidence is that of the symptom", () => {
  const rows = [
    killed('10:02:20', 'a', { id: 'later', confidence: 0.97 }),
    killed('10:02:12', 'a', { id: 'first', confidence: 0.6 })
  ]
  expect(of(rows).exampleIds()).toEqual(['first'])
})

test('five are shown, two hundred are kept', () => {
  const causes = of(times(260, i => killed('10:02:12', `pod-${i}`)))
  const { shown, more } = causes.entries(NO_DOCUMENTS)
  expect([shown.length, more]).toEqual([5, 195])
  expect(causes.exampleIds()).toEqual(shown.map(({ id }) => id))
})

test('the order of rows does not matter', () => {
  const row = fc
    .record({
      second: fc.integer({ min: 10, max: 59 }),
      pod: fc.constantFrom('a', 'b', 'c', null),
      confidence: fc.constantFrom(0.6, 0.9, 0.97),
      rootCause: fc.constantFrom('oom_killed', 'app_crash', 'undetermined', null)
    })
    .map(({ second, ...more }) => failed(`10:02:${second}`, more))
  const pairs = fc
    .array(row, { minLength: 1, maxLength: 40 })
    .chain(rows => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })))
  fc.assert(
    fc.property(pairs, ([one, other]) => {
      expect(of(other).entries(NO_DOCUMENTS)).toEqual(of(one).entries(NO_DOCUMENTS))
    }),
    { numRuns: 200 }
  )
})
