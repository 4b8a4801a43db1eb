/** Incidents of whole logs: the same as the detector finds live, whatever the order in which the log was read. */
import { describe, expect, test } from 'vitest'
import { labelledServices } from '../../bench/alertSeries.ts'
import type { Cause } from '../../parsers/causes.ts'
import { SpikeDetector } from '../../src/alert/detector.ts'
import { FailureMinutes } from '../../src/alert/failureMinutes.ts'
import { MINUTE_MS } from '../../src/alert/finding.ts'
import { findIncidents } from '../../src/alert/logIncidents.ts'
import { SHORT_MINUTES } from '../../src/alert/logParts.ts'
import type { Sighting } from '../../src/alert/sighting.ts'

const FROM = 29_000_000
const OPTIONS = {
  profile: 'normal' as const,
  idOf: (openedMs: number, upstream: string, cause: string) => `${openedMs / MINUTE_MS} ${upstream} ${cause}`
}
const LIMITS = { cells: 1_000_000, kinds: 1_000 }

function sighting(timeMs: number, masked: boolean): Sighting {
  const nothing = {
    namespace: null,
    ingress: null,
    method: null,
    host: null,
    path: null,
    address: null,
    pod: null,
    node: null
  }
  const failure = {
    upstream: 'a-80',
    service: 'a-80',
    cause: 'read_timeout' as Cause,
    controllerPod: null,
    rootCause: null
  }
  return {
    ...nothing,
    ...failure,
    timeMs,
    status: masked ? 200 : 504,
    masked,
    counted: !masked,
    id: () => String(timeMs)
  }
}

/** A service with a hundred requests a minute; failures in the order given. */
function logOf(minutes: number, failed: { minute: number; masked: boolean }[]) {
  const failures = new FailureMinutes(LIMITS)
  for (const { minute, masked } of failed)
    failures.add(
      { upstreamName: 'a-80', cause: 'read_timeout', timeMs: (FROM + minute) * MINUTE_MS + 7 },
      known => known.masked === masked,
      ({ timeMs }) => sighting(timeMs, masked)
    )
  const requests = new Map<number, number>(Array.from({ length: minutes }, (_, i) => [FROM + i, 100]))
  return { requests: new Map([['a-80', requests]]), failures: failures.series }
}

const SPIKE = [10, 10, 10, 11, 11, 11, 11, 11, 12, 12].map((minute, i) => ({ minute, masked: i % 5 === 4 }))

describe('a short log', () => {
  test('has the incident, with what its failures tell', () => {
    const { baseline, incidents } = findIncidents(logOf(30, SPIKE), OPTIONS)
    expect(baseline).toBe('median')
    expect(incidents).toHaveLength(1)
    expect(incidents[0]).toMatchObject({
      upstream: 'a-80',
      cause: 'read_timeout',
      startMs: (FROM + 10) * MINUTE_MS,
      failures: 10,
      masked: 2,
      peakPerMinute: 5,
      status: 504,
      state: 'resolved'
    })
  })

  test('in any order', () => {
    const backwards = findIncidents(logOf(30, SPIKE.toReversed()), OPTIONS)
    expect(backwards).toEqual(findIncidents(logOf(30, SPIKE), OPTIONS))
  })

  test('of a few minutes tells nothing', () => {
    expect(findIncidents(logOf(5, [{ minute: 4, masked: false }]), OPTIONS)).toEqual({ baseline: null, incidents: [] })
  })

  test('and a line of another decade do not get into each other\u2019s way', () => {
    const log = logOf(30, SPIKE)
    const requests = new Map(log.requests.get('a-80')).set(3, 1)
    const { incidents } = findIncidents({ ...log, requests: new Map([['a-80', requests]]) }, OPTIONS)
    expect(incidents.map(({ failures }) => failures)).toEqual([10])
  })
})

test('from 75 minutes on it is the detector that judges, which learns for so long', () => {
  expect(findIncidents(logOf(SHORT_MINUTES - 1, SPIKE), OPTIONS)).toMatchObject({ baseline: 'median', incidents: [{}] })
  expect(findIncidents(logOf(SHORT_MINUTES, SPIKE), OPTIONS)).toEqual({ baseline: 'history', incidents: [] })
})

test('thirty hours of ten services: what the detector finds live', () => {
  const services = labelledServices({ seed: 4242 })
  const live = new SpikeDetector({ profile: 'normal' })
  const fired: string[] = []
  for (let minute = 0; minute < services[0]!.requests.length; minute++) {
    for (const { upstream, requests, causes } of services) {
      live.addRequests(upstream, FROM + minute, requests[minute]!)
      for (const { cause, failures } of causes) live.addFailures(upstream, cause, FROM + minute, failures[minute]!)
    }
    for (const { kind, upstream, cause, startMinute } of live.advance(FROM + minute + 1))
      if (kind === 'fired') fired.push(`${startMinute} ${upstream} ${cause}`)
  }
  const failures = new FailureMinutes(LIMITS)
  for (const { upstream, causes } of services.toReversed())
    for (const { cause, failures: counts } of causes)
      counts.forEach((count, minute) => {
        if (count > 0) failures.addCount(upstream, cause, (FROM + minute) * MINUTE_MS, count)
      })
  const requests = new Map(
    services.map(({ upstream, requests: counts }) => [
      upstream,
      new Map([...counts].map((count, minute) => [FROM + minute, count] as const).toReversed())
    ])
  )
  const { baseline, incidents } = findIncidents({ requests, failures: failures.series }, OPTIONS)
  expect(baseline).toBe('history')
  expect(incidents.length).toBeGreaterThan(20)
  const begun = incidents.map(({ startMs, upstream, cause }) => `${startMs / MINUTE_MS} ${upstream} ${cause}`)
  // What begins again within half an hour goes on with the incident that it was.
  expect(begun.filter(text => !fired.includes(text))).toEqual([])
  const again = incidents.reduce((sum, { continued }) => sum + continued, 0)
  expect(begun.length + again).toBe(fired.length)
})

test('too many cells: nothing is kept, and it says so', () => {
  const failures = new FailureMinutes({ cells: 2, kinds: 10 })
  for (const minute of [1, 2, 3, 4]) failures.addCount('a-80', 'read_timeout', minute * MINUTE_MS, 1)
  expect(failures.isFull).toBe(true)
  expect(failures.series).toEqual([])
})
