import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Counts, KEPT_MAX } from '../../src/alert/counts.ts'
import { Evidence } from '../../src/alert/evidence.ts'
import { RecentMinutes } from '../../src/alert/minutes.ts'
import { RootCauseVotes } from '../../src/alert/rootCauseVotes.ts'
import type { Sighting } from '../../src/alert/sighting.ts'
import '../support/seed.ts'
import { atMs, NOON, OOM, sighting, UNDETERMINED } from './samples.ts'

function evidenceOf(...sightings: Sighting[]): Evidence {
  const evidence = new Evidence()
  for (const one of sightings) evidence.add(one)
  return evidence
}

test.each([
  ['nothing was judged', [], null],
  ['undetermined alone', [[UNDETERMINED, 3]], ['undetermined', 3, 3]],
  [
    'a fifth is determined',
    [
      [UNDETERMINED, 8],
      [OOM, 2]
    ],
    ['oom_killed', 2, 10]
  ],
  [
    'less than a fifth is',
    [
      [UNDETERMINED, 9],
      [OOM, 2]
    ],
    ['undetermined', 9, 11]
  ],
  [
    'pods of one reason count together',
    [
      [{ ...OOM, ref: 'Pod shop/b' }, 1],
      [OOM, 2],
      [{ ...OOM, kind: 'app_crash' }, 2]
    ],
    ['oom_killed', 3, 5]
  ]
] as const)('root cause: %s', (_name, votes, want) => {
  const tally = new RootCauseVotes()
  for (const [rootCause, count] of votes) tally.add(rootCause, count)
  const leading = tally.leading()
  expect(leading === null ? null : [leading.rootCause.kind, leading.count, leading.of]).toEqual(want)
  if (leading?.rootCause.kind === 'oom_killed') expect(leading.rootCause.ref).toBe('Pod shop/cart-1')
})

test('the most frequent names stay, eight of them, when a minute is over', () => {
  const counts = new Counts()
  for (let name = 0; name < 40; name++) counts.add(`pod-${name}`, name === 33 ? 9 : 1)
  counts.add(null)
  counts.cut()
  expect(counts.top()).toHaveLength(KEPT_MAX)
  expect(counts.top(1)).toEqual([['pod-33', 9]])
  expect(counts.total).toBe(9 + 7)
})

test('names without end take no memory without end', () => {
  const counts = new Counts()
  for (let name = 0; name < 5_000; name++) counts.add(`pod-${name}`)
  expect(counts.top(Number.POSITIVE_INFINITY)).toHaveLength(64)
})

test('ids are worked out for what is kept alone', () => {
  const asked: string[] = []
  const evidence = new Evidence()
  for (let second = 0; second < 50; second++)
    evidence.add({ ...sighting({ timeMs: atMs(0, second) }), id: () => `${asked.push(String(second))}` })
  evidence.settle()
  evidence.settle()
  expect(new Set(asked)).toEqual(new Set(['0', '49']))
  expect(evidence.firstMs).toBe(atMs(0))
  expect(evidence.example(null)?.timeMs).toBe(atMs(0))
})

test.each([
  ['failed rather than saved', [200, 200, 502], 502],
  ['saved ones alone', [200, 200], 200],
  ['none was seen', [null], null],
  ['the connection was closed without an answer', [0, 200, 0], 0]
])('status: %s', (_name, statuses, want) => {
  expect(evidenceOf(...statuses.map(status => sighting({ status }))).status).toBe(want)
})

test('the example has the root cause of the incident, and a client saw it', () => {
  const evidence = evidenceOf(
    sighting({ timeMs: atMs(0, 1), id: 'other' }),
    sighting({ timeMs: atMs(0, 2), rootCause: OOM, counted: false, masked: true, status: 200, id: 'saved' }),
    sighting({ timeMs: atMs(0, 3), rootCause: OOM, id: 'seen' })
  )
  expect(evidence.example(OOM)?.id).toBe('seen')
  expect(evidence.example(null)?.id).toBe('other')
  evidence.settle()
  expect(evidence.example(OOM)?.id).toBe('seen')
})

test('the place is one that names a namespace', () => {
  const bare = { service: 'shop-cart-80', namespace: null, ingress: null }
  expect(evidenceOf(sighting(bare), sighting(bare)).place).toEqual(bare)
  expect(evidenceOf(sighting(bare), sighting(bare), sighting()).place?.namespace).toBe('shop')
})

const anySighting = fc.record({
  timeMs: fc.integer({ min: 0, max: 59 }).map(second => atMs(0, second)),
  status: fc.constantFrom(null, 200, 502, 504),
  masked: fc.boolean(),
  counted: fc.boolean(),
  pod: fc.constantFrom(null, 'a', 'b', 'c'),
  node: fc.constantFrom(null, 'n', 'm'),
  path: fc.constantFrom(null, '/a', '/b'),
  namespace: fc.constantFrom(null, 'shop'),
  rootCause: fc.constantFrom(
    null,
    OOM,
    { ...OOM, confidence: 0.5, atMs: 1 },
    { ...OOM, ref: 'Pod shop/b' },
    UNDETERMINED
  )
})

function summary(evidence: Evidence) {
  const { sighted, masked, unsaved, status, place, firstId, lastId, firstMs } = evidence
  const leading = evidence.rootCauses.leading()
  const example = evidence.example(leading?.rootCause ?? null)
  const counts = [evidence.pods.top(), evidence.nodes.top(), evidence.controllers.top()]
  return { sighted, masked, unsaved, status, place, firstId, lastId, firstMs, leading, example, counts }
}

test('any order of a minute gives the same', () => {
  const lists = fc
    .array(anySighting, { minLength: 1, maxLength: 30 })
    .chain(list =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.nat(list.length))
    )
  fc.assert(
    fc.property(lists, ([list, shuffled, cut]) => {
      // Sightings that say the same are the same to everybody.
      const made = (one: (typeof list)[number]) =>
        sighting({ ...one, id: JSON.stringify([one.timeMs, one.path, one.status, one.pod]) })
      const whole = evidenceOf(...list.map(made))
      whole.settle()
      const other = evidenceOf(...shuffled.map(made))
      other.settle()
      expect(summary(other)).toEqual(summary(whole))
      const merged = evidenceOf(...shuffled.slice(cut).map(made))
      merged.merge(evidenceOf(...shuffled.slice(0, cut).map(made)))
      expect({ ...summary(merged), example: null }).toEqual({ ...summary(whole), example: null })
    }),
    { numRuns: 200 }
  )
})

test('minutes are kept for twenty minutes behind the judgement', () => {
  const minutes = new RecentMinutes()
  minutes.addRequests('shop', NOON, 7)
  minutes.addFailures('key', NOON, 2)
  minutes.add('key', NOON, sighting(), 3)
  minutes.judge(NOON + 19)
  minutes.forget()
  expect([minutes.requests('shop', NOON), minutes.failures('key', NOON)]).toEqual([7, 5])
  expect(minutes.evidence('key', NOON)?.sighted).toBe(3)
  minutes.judge(NOON + 20)
  minutes.forget()
  expect([minutes.requests('shop', NOON), minutes.failures('key', NOON)]).toEqual([0, 0])
  expect(minutes.evidence('key', NOON)).toBeNull()
  minutes.addFailures('key', NOON, 2)
  expect(minutes.failures('key', NOON)).toBe(0)
})

test('what is read long before it is judged keeps no lines of most minutes, and loses nothing', () => {
  const minutes = new RecentMinutes()
  const failure = (minute: number, second: number) =>
    sighting({ timeMs: atMs(minute, second), id: `${minute}-${second}` })
  const all = Array.from({ length: 25_000 }, (_, minute) => minute)
  for (const second of [30, 10]) for (const minute of all) minutes.add('key', NOON + minute, failure(minute, second))
  expect(all.filter(minute => minutes.evidence('key', NOON + minute) instanceof Evidence).length).toBeLessThan(10_000)
  minutes.judge(NOON + 25_000)
  const sum = evidenceOf()
  for (const minute of all) sum.merge(minutes.evidence('key', NOON + minute)!)
  expect([sum.sighted, sum.firstId, sum.lastId]).toEqual([50_000, '0-10', '24999-30'])
})
