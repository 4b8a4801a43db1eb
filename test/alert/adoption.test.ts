import { describe, expect, test } from 'vitest'
import { openAlerting } from '../../src/alert/alerting.ts'
import type { Finding } from '../../src/alert/finding.ts'
import type { Incident } from '../../src/alert/incident.ts'
import { atMs, finding, idOf, incident, OOM, ScriptedDetector, sighting } from './samples.ts'

const TOLD = { pager: { state: 'open' as const, atMs: 1, failures: 41 } }
const open = (changes: Partial<Incident> = {}) => incident({ id: 'stored', told: TOLD, ...changes })
const ended = (endMinute: number, changes: Partial<Incident> = {}) =>
  open({ state: 'resolved', endMs: atMs(endMinute), updatedMs: atMs(endMinute), ...changes })

/** History up to `clock`, then the stored ones, then a step. */
function started(
  findings: Finding[],
  stored: Incident[],
  clock: number,
  history: [minute: number, failures: number][] = []
) {
  const detector = new ScriptedDetector(findings)
  const alerting = openAlerting({ profile: 'normal', idOf }, detector)
  for (const [minute, failures] of history)
    alerting.addFailures('shop-cart-80', 'connection_refused', atMs(minute), failures)
  alerting.advance(atMs(clock))
  alerting.adopt(JSON.parse(JSON.stringify(stored)) as Incident[])
  return { alerting, detector, changed: alerting.advance(atMs(clock)).changed }
}

describe('an open incident', () => {
  test('that history shows too keeps its id and who was told, and has what came since', () => {
    const findings = [finding('fired', 3, { start: 2 }), finding('firing', 5, { start: 2 })]
    const { changed, detector } = started(findings, [open()], 6, [
      [2, 20],
      [3, 21],
      [4, 5],
      [5, 6]
    ])
    expect(changed).toHaveLength(1)
    expect(changed[0]).toMatchObject({
      id: 'stored',
      told: TOLD,
      state: 'open',
      failures: 52,
      updatedMs: atMs(6),
      continued: 0
    })
    // It fires already.
    expect(detector.adopted).toEqual([])
  })

  test('that history does not show fires all the same, and is resolved in its time', () => {
    const { alerting, changed, detector } = started([], [open()], 6)
    expect(changed).toEqual([])
    expect(detector.adopted).toEqual([['shop-cart-80', 'connection_refused', 2]])
    expect(alerting.groups.map(({ head }) => head.id)).toEqual(['stored'])
  })

  test('that history saw end is resolved, by its end there', () => {
    const findings = [finding('fired', 3, { start: 2 }), finding('resolved', 8, { start: 2 })]
    const { changed } = started(findings, [open()], 20)
    expect(changed).toHaveLength(1)
    expect(changed[0]).toMatchObject({ id: 'stored', state: 'resolved', endMs: atMs(9), told: TOLD })
    expect(changed[0]?.timeline.at(-1)?.text).toMatch(/^resolved: quiet/)
  })

  test('goes on where the earlier process saw more than history', () => {
    const findings = [finding('fired', 3, { start: 2 }), finding('resolved', 8, { start: 2 })]
    const { changed, detector } = started(findings, [open({ updatedMs: atMs(15) })], 20)
    expect(changed).toEqual([])
    expect(detector.adopted).toHaveLength(1)
  })

  test('goes on with what is known of it', () => {
    const stored = open({ rootCause: OOM, rootCauseShare: { count: 30, of: 40 }, pods: [['cart-1', 40]], masked: 3 })
    const { alerting, detector } = started([], [stored], 4)
    detector.advance = () => [finding('firing', 4, { start: 2 })]
    alerting.add(sighting({ timeMs: atMs(4), rootCause: OOM, pod: 'cart-2', id: 'newest' }), 2)
    const [updated] = alerting.advance(atMs(5)).changed
    expect(updated).toMatchObject({
      failures: 43,
      masked: 3,
      rootCauseShare: { count: 32, of: 42 },
      pods: [
        ['cart-1', 40],
        ['cart-2', 2]
      ],
      firstId: 'first',
      lastId: 'newest'
    })
  })
})

describe('an incident that has ended', () => {
  test('and begins again within half an hour goes on', () => {
    const { changed } = started([finding('fired', 30)], [ended(9)], 31, [[30, 12]])
    expect(changed).toHaveLength(1)
    expect(changed[0]).toMatchObject({
      id: 'stored',
      state: 'open',
      continued: 1,
      endMs: null,
      failures: 53,
      told: TOLD
    })
  })

  test('and begins again behind the start goes on too', () => {
    const { alerting, changed, detector } = started([], [ended(9)], 20)
    expect(changed).toEqual([])
    detector.advance = () => [finding('fired', 30)]
    expect(alerting.advance(atMs(31)).changed).toMatchObject([{ id: 'stored', continued: 1, state: 'open' }])
  })

  test('longer ago is another one', () => {
    const { changed } = started([finding('fired', 45)], [ended(9)], 46)
    expect(changed).toMatchObject([
      { id: idOf(atMs(46), 'shop-cart-80', 'connection_refused'), state: 'open', told: {} }
    ])
  })

  test('in the stored way stays as it is', () => {
    const findings = [finding('fired', 3, { start: 2 }), finding('resolved', 8, { start: 2 })]
    expect(started(findings, [ended(9)], 20).changed).toEqual([])
  })

  test('and ran on and off meanwhile has its later end', () => {
    const findings = [finding('fired', 15), finding('resolved', 20, { start: 15 })]
    const { changed } = started(findings, [ended(9)], 25)
    expect(changed).toMatchObject([{ id: 'stored', state: 'resolved', endMs: atMs(21), continued: 1 }])
  })
})

describe('an incident that ended while nobody was there to tell it', () => {
  test('however long that was, is stored and told', () => {
    const { alerting, detector } = started([], [open()], 6)
    detector.advance = () => [finding('resolved', 11, { start: 2 })]
    expect(alerting.advance(atMs(130)).changed).toMatchObject([{ id: 'stored', state: 'resolved', endMs: atMs(12) }])
    expect(alerting.groups).toMatchObject([{ head: { id: 'stored', state: 'resolved' } }])
  })

  test('is told by the next process, when the first could store it only', () => {
    const { alerting, changed } = started([], [ended(9)], 200)
    expect(changed).toEqual([])
    expect(alerting.groups).toMatchObject([{ head: { id: 'stored', state: 'resolved' } }])
    alerting.groups[0]!.head.told.pager = { state: 'resolved', atMs: 2, failures: 41 }
    expect(alerting.advance(atMs(201)).changed).toMatchObject([{ told: { pager: { state: 'resolved' } } }])
    expect(alerting.groups).toEqual([])
  })

  test('is given up after a day', () => {
    expect(started([], [ended(9)], 9 + 1439).alerting.groups).toHaveLength(1)
    expect(started([], [ended(9)], 9 + 1440).alerting.groups).toEqual([])
  })
})

describe('several open incidents of one series', () => {
  const later = (changes: Partial<Incident> = {}) =>
    open({ id: 'later', startMs: atMs(3), detectedMs: atMs(5), updatedMs: atMs(9), failures: 60, ...changes })

  test('are one: the earliest goes on with what is known of both, the other ends', () => {
    const pods: [string, number][] = [['cart-2', 60]]
    const { alerting, changed, detector } = started([], [later({ masked: 60, pods }), open()], 20)
    expect(changed).toMatchObject([
      { id: 'stored', state: 'open', endMs: null, failures: 60, masked: 60, pods, told: TOLD },
      { id: 'later', state: 'resolved', endMs: atMs(9), told: TOLD }
    ])
    expect(changed[1]?.timeline.at(-1)?.text).toBe('resolved: it is the same as stored')
    // Whoever was told of the other is told its end.
    expect(alerting.groups.map(({ head }) => head.id)).toEqual(['stored', 'later'])
    expect(detector.adopted).toEqual([['shop-cart-80', 'connection_refused', 2]])
    detector.advance = () => [finding('resolved', 25, { start: 2 })]
    expect(alerting.advance(atMs(26)).changed).toMatchObject([{ id: 'stored', state: 'resolved', endMs: atMs(26) }])
  })

  test('what was told with the one that ends is told with the other', () => {
    const group = { by: 'service' as const, key: 'shop-cart-80' }
    const member = open({ id: 'member', cause: 'read_timeout', parent: 'later', told: {}, startMs: atMs(4) })
    const { alerting } = started([], [open(), later({ group }), member], 20)
    expect(alerting.groups).toMatchObject([
      { head: { id: 'stored', group }, members: [{ id: 'member' }] },
      { head: { id: 'later' }, members: [] }
    ])
  })

  test('are one, too, where the earliest was under the other, or both under a third', () => {
    const under = (parent: string | null) => [open({ parent, told: {} }), later({ parent: null })]
    const other = open({ id: 'a', cause: 'read_timeout', parent: 'later', told: {} })
    expect(started([], [other, ...under('later')], 20).alerting.groups).toMatchObject([
      { head: { id: 'stored', parent: null }, members: [{ id: 'a' }] },
      { head: { id: 'later' } }
    ])
    const third = open({ id: 'third', cause: 'read_timeout', startMs: atMs(1) })
    const member = open({ id: 'member', cause: 'premature_close', parent: 'later', told: {}, detectedMs: atMs(6) })
    expect(started([], [third, ...under('third'), member], 20).alerting.groups).toMatchObject([
      { head: { id: 'third' }, members: [{ id: 'stored' }, { id: 'member' }] },
      { head: { id: 'later' } }
    ])
  })

  test('an open one goes on, whatever began and ended behind it', () => {
    const { alerting, detector } = started([], [open(), later({ state: 'resolved', endMs: atMs(9) })], 20)
    detector.advance = () => [finding('resolved', 25, { start: 2 })]
    expect(alerting.advance(atMs(26)).changed).toMatchObject([{ id: 'stored', state: 'resolved' }])
  })
})

describe('what nobody stored', () => {
  test('is opened', () => {
    const { alerting, changed } = started([finding('fired', 3)], [], 4, [[3, 30]])
    expect(changed).toMatchObject([{ state: 'open', failures: 30, told: {}, severity: 'page' }])
    expect(alerting.groups).toHaveLength(1)
  })

  test('and has just ended is kept, what ended before is not', () => {
    const findings = [finding('fired', 3), finding('resolved', 8, { start: 3 })]
    expect(started(findings, [], 30).changed).toMatchObject([{ state: 'resolved', endMs: atMs(9) }])
    expect(started([...findings], [], 40).changed).toEqual([])
  })
})

test('groups are as they were; who has lost its head stands alone', () => {
  const head = open({ id: 'head', group: { by: 'service', key: 'shop-cart-80' } })
  const member = open({ id: 'member', cause: 'read_timeout', parent: 'head', told: {} })
  const { alerting } = started([], [member, head], 6)
  expect(alerting.groups).toMatchObject([{ head: { id: 'head' }, members: [{ id: 'member' }] }])
  expect(started([], [member], 6).alerting.groups).toMatchObject([{ head: { id: 'member' }, members: [] }])
})

test('a head that ended long ago is there as long as one of its group is open', () => {
  const head = ended(9, { id: 'head', group: { by: 'service', key: 'shop-cart-80' } })
  const member = open({ id: 'member', cause: 'read_timeout', parent: 'head', told: {}, updatedMs: atMs(200) })
  const { alerting } = started([], [member, head], 200)
  expect(alerting.groups).toMatchObject([{ head: { id: 'head' }, members: [{ id: 'member' }] }])
})
