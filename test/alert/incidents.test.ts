import { describe, expect, test } from 'vitest'
import { openAlerting } from '../../src/alert/alerting.ts'
import type { Finding } from '../../src/alert/finding.ts'
import type { Incident, IncidentChange } from '../../src/alert/incident.ts'
import { atMs, finding, idOf, OOM, ScriptedDetector, sighting, UNDETERMINED, windowOf } from './samples.ts'

function alertingOf(findings: Finding[], changesBefore?: (of: Incident, from: number, to: number) => IncidentChange[]) {
  const options = { profile: 'normal' as const, idOf, ...(changesBefore && { changesBefore }) }
  return openAlerting(options, new ScriptedDetector(findings))
}

function firing(from: number, to: number, changes: Parameters<typeof finding>[2] = {}): Finding[] {
  const minutes = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  return minutes.map(minute => finding(minute === from ? 'fired' : 'firing', minute, { start: from, ...changes }))
}

test('an incident has what was counted since its start, also before it was found', () => {
  const alerting = alertingOf(firing(4, 5, { start: 2 }))
  for (let minute = 0; minute < 6; minute++) {
    alerting.addRequests('shop-cart-80', atMs(minute), 1_000)
    for (let i = 0; i <= minute; i++)
      alerting.add(
        sighting({ timeMs: atMs(minute, i), id: `${minute}.${i}`, masked: i === 1, status: i === 1 ? 200 : 502 })
      )
  }
  const [opened] = alerting.advance(atMs(5)).changed
  expect(opened).toMatchObject({
    id: idOf(atMs(5), 'shop-cart-80', 'connection_refused'),
    state: 'open',
    severity: 'page',
    service: 'shop/cart',
    namespace: 'shop',
    ingress: 'cart',
    startMs: atMs(2),
    detectedMs: atMs(5),
    updatedMs: atMs(5),
    failures: 3 + 4 + 5,
    masked: 3,
    requests: 3_000,
    peakPerMinute: 5,
    pValue: 1e-9,
    status: 502,
    firstId: '2.0',
    lastId: '4.4',
    pods: [['cart-1', 12]],
    timeline: [{ atMs: atMs(5), text: 'opened: 41 failures in 5 min, 1 expected' }]
  })
  expect(opened?.expected).toBeCloseTo(0.6)
  expect(opened?.example).toMatchObject({ id: '2.0', path: '/cart', status: 502, address: '10.0.0.7:8080' })
  const [updated] = alerting.advance(atMs(6)).changed
  expect(updated).toBe(opened)
  expect(updated).toMatchObject({ failures: 18, peakPerMinute: 6, requests: 4_000, updatedMs: atMs(6), lastId: '5.5' })
  expect(updated?.expected).toBeCloseTo(0.8)
})

test('what comes late for a minute that was judged counts', () => {
  const alerting = alertingOf(firing(0, 2))
  alerting.addFailures('shop-cart-80', 'connection_refused', atMs(0), 20)
  alerting.advance(atMs(1))
  alerting.add(sighting({ timeMs: atMs(0, 59), id: 'late' }), 5)
  alerting.addFailures('shop-cart-80', 'connection_refused', atMs(0), 7)
  alerting.addRequests('shop-cart-80', atMs(0), 30)
  alerting.add(sighting({ timeMs: atMs(-1), id: 'before it' }))
  const [incident] = alerting.advance(atMs(2)).changed
  expect(incident).toMatchObject({ failures: 32, peakPerMinute: 32, requests: 30, firstId: 'late' })
})

test.each([
  ['failures that nobody saved', 'connection_refused', 5, 0, 'page'],
  ['a few that nobody saved', 'connection_refused', 4, 300, 'ticket'],
  ['all saved', 'connection_refused', 0, 20, 'ticket'],
  ['no SLO counts it', 'client_closed', 500, 0, 'none']
] as const)('severity: %s', (_name, cause, unsaved, masked, want) => {
  const alerting = alertingOf(firing(0, 0, { cause }))
  for (let i = 0; i < unsaved; i++) alerting.add(sighting({ cause }))
  if (masked > 0) alerting.add(sighting({ cause, masked: true, status: 200 }), masked)
  expect(alerting.advance(atMs(1)).changed[0]?.severity).toBe(want)
  expect(alerting.groups).toHaveLength(want === 'none' ? 0 : 1)
})

test('of history it is not known what was saved: it pages', () => {
  const alerting = alertingOf(firing(0, 0))
  alerting.addFailures('shop-cart-80', 'connection_refused', atMs(0), 20)
  expect(alerting.advance(atMs(1)).changed[0]?.severity).toBe('page')
})

test('severity rises, and never falls', () => {
  const alerting = alertingOf(firing(0, 2))
  alerting.add(sighting({ masked: true }), 20)
  const [incident] = alerting.advance(atMs(1)).changed
  expect(incident?.severity).toBe('ticket')
  alerting.add(sighting({ timeMs: atMs(1) }), 5)
  alerting.advance(atMs(2))
  expect(incident?.severity).toBe('page')
  alerting.add(sighting({ timeMs: atMs(2), masked: true }), 5_000)
  alerting.advance(atMs(3))
  expect(incident?.severity).toBe('page')
  expect(incident?.timeline.map(({ text }) => text)).toContain('severity is page now')
})

test('no requests: a page that knows its service from earlier failures', () => {
  const none = { cause: 'no_requests' as const, windows: [], requests: 0, requestsExpected: 1_200 }
  const alerting = alertingOf([...firing(9, 10, { ...none, start: 0 }), finding('resolved', 12, { ...none, start: 0 })])
  alerting.add(sighting({ timeMs: atMs(-30) }))
  const [incident] = alerting.advance(atMs(10)).changed
  expect(incident).toMatchObject({ severity: 'page', service: 'shop/cart', failures: 0, expected: 1_200, status: null })
  alerting.advance(atMs(13))
  expect(incident).toMatchObject({ state: 'resolved', endMs: atMs(13) })
  expect(incident?.timeline.map(({ text }) => text)).toEqual([
    'opened: no requests for 10 min, 1,200 expected',
    'resolved: requests come again'
  ])
})

test('its root cause comes to be known, and is told once', () => {
  const alerting = alertingOf(firing(0, 3))
  alerting.add(sighting({ rootCause: UNDETERMINED }), 6)
  const [incident] = alerting.advance(atMs(1)).changed
  expect(incident?.rootCause?.kind).toBe('undetermined')
  alerting.add(sighting({ timeMs: atMs(1), rootCause: OOM, id: 'oom' }), 4)
  alerting.advance(atMs(2))
  expect(incident).toMatchObject({ rootCause: { kind: 'oom_killed' }, rootCauseShare: { count: 4, of: 10 } })
  expect(incident?.example?.id).toBe('oom')
  alerting.add(sighting({ timeMs: atMs(2), rootCause: OOM }), 4)
  alerting.advance(atMs(4))
  expect(incident?.timeline.filter(({ text }) => text.startsWith('root cause'))).toEqual([
    { atMs: atMs(2), text: 'root cause: oom_killed of Pod shop/cart-1' }
  ])
})

test('it is told when it grew tenfold', () => {
  const alerting = alertingOf(firing(0, 3, { windows: [windowOf(1, 10)] }))
  for (const [minute, count] of [10, 80, 20, 900].entries())
    alerting.addFailures('shop-cart-80', 'connection_refused', atMs(minute), count)
  const [incident] = alerting.advance(atMs(4)).changed
  expect(incident?.timeline.slice(1)).toEqual([
    { atMs: atMs(3), text: 'grew to 110 failures, from 10 at first' },
    { atMs: atMs(4), text: 'grew to 1,010 failures, from 10 at first' }
  ])
})

test('resolved, it says how; within 30 minutes it goes on, later it is another', () => {
  const alerting = alertingOf([
    ...firing(0, 2),
    finding('resolved', 7, { start: 0 }),
    ...firing(37, 37),
    finding('resolved', 43, { start: 37, because: 'new_level' }),
    ...firing(74, 74)
  ])
  for (const minute of [0, 37, 74]) alerting.addFailures('shop-cart-80', 'connection_refused', atMs(minute), 10)
  const [incident] = alerting.advance(atMs(8)).changed
  expect(incident).toMatchObject({ state: 'resolved', endMs: atMs(8), continued: 0 })
  expect(incident?.timeline.at(-1)).toEqual({
    atMs: atMs(8),
    text: 'resolved: quiet for five minutes, 10 failures in all'
  })
  incident!.told['webhook slack'] = { state: 'resolved', atMs: 1, failures: 10 }

  expect(alerting.advance(atMs(38)).changed).toEqual([incident])
  expect(incident).toMatchObject({ state: 'open', endMs: null, continued: 1, failures: 20, startMs: atMs(0) })
  expect(incident?.told).toHaveProperty('webhook slack')
  alerting.advance(atMs(44))
  expect(incident?.timeline.at(-1)?.text).toBe('resolved: this level is normal now, 20 failures in all')
  const [other] = alerting.advance(atMs(75)).changed
  expect(other?.id).toBe(idOf(atMs(75), 'shop-cart-80', 'connection_refused'))
  expect(alerting.groups.map(({ head }) => head.id)).toEqual([incident?.id, other?.id])
  alerting.advance(atMs(44 + 60))
  expect(alerting.groups.map(({ head }) => head.id)).toEqual([other?.id])
})

test('a mark of who was told is stored, also when nothing else changes any more', () => {
  const alerting = alertingOf([...firing(0, 0), finding('resolved', 5, { start: 0 })])
  const [incident] = alerting.advance(atMs(6)).changed
  expect(alerting.advance(atMs(7)).changed).toEqual([])
  incident!.told.pager = { state: 'resolved', atMs: 1, failures: 0 }
  expect(alerting.advance(atMs(8)).changed).toEqual([incident])
  expect(incident?.updatedMs).toBe(atMs(8))
  expect(alerting.advance(atMs(9)).changed).toEqual([])
})

test('what changed is asked for twice: at once, and when late facts are there', () => {
  const asked: [number, number][] = []
  const alerting = alertingOf(firing(0, 4), (_incident, from, to) => {
    asked.push([from, to])
    return asked.length === 1 ? [] : [{ atMs: atMs(-1), kind: 'rollout', text: 'Deployment shop/cart was rolled out' }]
  })
  alerting.add(sighting({ timeMs: atMs(0, 12) }))
  const [incident] = alerting.advance(atMs(1)).changed
  alerting.advance(atMs(2))
  expect(incident?.changes).toEqual([])
  alerting.advance(atMs(3))
  expect(incident?.changes).toHaveLength(1)
  alerting.advance(atMs(5))
  expect(asked).toEqual([
    [atMs(-15), atMs(0, 12)],
    [atMs(-15), atMs(0, 12)]
  ])
})

test('its story is bounded: the first event, and the last twenty', () => {
  const runs = Array.from({ length: 30 }, (_, run) => [
    ...firing(run * 10, run * 10),
    finding('resolved', run * 10 + 5, { start: run * 10 })
  ])
  const [incident] = alertingOf(runs.flat()).advance(atMs(300)).changed
  expect(incident?.timeline).toHaveLength(21)
  expect(incident?.timeline[0]?.text).toMatch(/^opened/)
  expect(incident?.timeline.at(-1)?.atMs).toBe(atMs(296))
})

test('one jump of the clock gives the same as every minute', () => {
  const play = (step: number) => {
    const alerting = alertingOf([...firing(2, 6), finding('resolved', 11, { start: 2 })])
    for (let minute = 0; minute < 12; minute++)
      alerting.add(sighting({ timeMs: atMs(minute), id: `${minute}` }), minute)
    for (let minute = step; minute <= 12; minute += step) alerting.advance(atMs(minute))
    return alerting.groups
  }
  expect(play(12)).toEqual(play(1))
})

test('when everything fails, what changed is asked for bit by bit', () => {
  let asked = 0
  const services = Array.from({ length: 120 }, (_, i) => `service-${i}`)
  const findings = [0, 1, 2, 3, 4].flatMap(minute =>
    services.map(upstream => finding(minute === 0 ? 'fired' : 'firing', minute, { upstream, start: 0 }))
  )
  const alerting = alertingOf(findings, () => [{ atMs: atMs(0), kind: 'rollout', text: `change ${asked++}` }])
  for (let minute = 1; minute <= 6; minute++) {
    const before = asked
    alerting.advance(atMs(minute))
    expect(asked - before).toBeLessThanOrEqual(100)
  }
  expect(
    alerting.groups.flatMap(({ head, members }) => [head, ...members]).filter(one => one.changes.length === 0)
  ).toEqual([])
})

test('members stay as long as their head, and the other way round', () => {
  const alerting = alertingOf([
    ...firing(0, 0),
    ...firing(1, 1, { cause: 'read_timeout' }),
    finding('resolved', 5, { start: 0 }),
    finding('resolved', 40, { start: 1, cause: 'read_timeout' })
  ])
  for (const cause of ['connection_refused', 'read_timeout'] as const)
    alerting.add(sighting({ timeMs: atMs(cause === 'read_timeout' ? 1 : 0), cause }), 9)
  alerting.advance(atMs(90))
  expect(alerting.groups).toMatchObject([
    { head: { cause: 'connection_refused' }, members: [{ cause: 'read_timeout' }] }
  ])
  alerting.advance(atMs(101))
  expect(alerting.groups).toEqual([])
})

test('what began and ended within one jump of hours is stored', () => {
  const alerting = alertingOf([...firing(2, 6), finding('resolved', 11, { start: 2 })])
  alerting.add(sighting({ timeMs: atMs(2) }), 9)
  expect(alerting.advance(atMs(200)).changed).toMatchObject([{ state: 'resolved', endMs: atMs(12), failures: 9 }])
  expect(alerting.groups).toEqual([])
})

test('of those whose end nobody can be told, a thousand are kept', () => {
  const services = Array.from({ length: 1_200 }, (_, i) => `service-${i}`)
  const found = (kind: 'fired' | 'resolved', minute: number) =>
    services.map(upstream => finding(kind, minute, { upstream, start: 0, cause: 'client_closed' }))
  const alerting = alertingOf([...found('fired', 0), ...found('resolved', 5)])
  for (const incident of alerting.advance(atMs(1)).changed)
    incident.told.pager = { state: 'open', atMs: 1, failures: 1 }
  const told = new Set(alerting.advance(atMs(10)).changed)
  expect(told.size).toBe(1_200)
  alerting.advance(atMs(100))
  for (const incident of told) incident.told.pager = { state: 'resolved', atMs: 2, failures: 1 }
  expect(alerting.advance(atMs(101)).changed).toHaveLength(1_000)
})

describe('what a wrong clock dates in the future', () => {
  /** Fifty failures an hour ahead; else all is well. What is read is `lag` minutes old; null: the wall time is not known. */
  function played(lag: number | null) {
    let nowMs = 0
    const alerting = openAlerting({ profile: 'normal', idOf, ...(lag !== null && { nowMs: () => nowMs }) })
    const changed: Incident[] = []
    for (let minute = -120; minute < 120; minute++) {
      nowMs = atMs(minute + (lag ?? 0))
      if (minute === 0) {
        alerting.addRequests('shop-cart-80', atMs(60), 50)
        alerting.addFailures('shop-cart-80', 'connection_refused', atMs(60), 20)
        for (let i = 0; i < 30; i++) alerting.add(sighting({ timeMs: atMs(60, i) }))
      }
      alerting.addRequests('shop-cart-80', atMs(minute), 500)
      changed.push(...alerting.advance(atMs(minute + 1)).changed)
    }
    return { changed, dropped: alerting.facts.dropped }
  }

  test('is dropped and counted where the wall time is known, and does not count when its time has come', () => {
    expect(played(1)).toEqual({ changed: [], dropped: 100 })
    expect(played(54)).toMatchObject({ changed: [], dropped: 100 })
  })

  test.each([55, 120, null])('counts within five minutes of it, and in a log, whose time is its own: %s', lag => {
    const { changed, dropped } = played(lag)
    expect(new Set(changed.map(({ id }) => id))).toEqual(
      new Set([idOf(atMs(61), 'shop-cart-80', 'connection_refused')])
    )
    expect([changed.at(-1)?.state, dropped]).toEqual(['resolved', 0])
  })
})
