/** The shipper died, or the whole input has a hole: every service has no requests. With the real detector. */
import { expect, test } from 'vitest'
import { openAlerting } from '../../src/alert/alerting.ts'
import { noticeOf } from '../../src/alert/noticeText.ts'
import { atMs, idOf } from './samples.ts'

const OPTIONS = { clusterName: 'prod', runbook: null, incidentLink: null }
const SERVICES = Array.from({ length: 12 }, (_, i) => `shop-service${i}-80`)
const BUSY_MINUTES = 400

function silenced(services: readonly string[]) {
  const alerting = openAlerting({ profile: 'normal', idOf })
  for (let minute = 0; minute < BUSY_MINUTES + 12; minute++) {
    for (const upstream of SERVICES)
      if (minute < BUSY_MINUTES || !services.includes(upstream)) alerting.addRequests(upstream, atMs(minute), 20)
    alerting.advance(atMs(minute + 1))
  }
  return alerting
}

test('silence of all services is one notice that asks whether lines arrive', () => {
  const alerting = silenced(SERVICES)
  expect(alerting.groups).toHaveLength(1)
  const group = alerting.groups[0]!
  expect(group.head.group).toEqual({ by: 'cause', key: 'no_requests' })
  expect(group.members).toHaveLength(11)
  const notice = noticeOf(group, 'open', OPTIONS)
  expect(notice).toMatchObject({ alertname: 'Why5xxNoRequests', severity: 'page', failures: 0 })
  expect(notice.title).toBe('no requests at 12 services: do lines still arrive?')
  expect(notice.text).toContain('\nOther services fell silent, too: if their lines do not arrive any more, ')
  expect(noticeOf(group, 'resolved', OPTIONS).title).toBe('resolved: no requests at 12 services')

  // Lines come again: it is over at once for all of them.
  for (let minute = BUSY_MINUTES + 12; minute < BUSY_MINUTES + 16; minute++) {
    for (const upstream of SERVICES) alerting.addRequests(upstream, atMs(minute), 20)
    alerting.advance(atMs(minute + 1))
  }
  expect([group.head, ...group.members].map(({ state }) => state)).toEqual(SERVICES.map(() => 'resolved'))
})

test('silence of one service is told of that service', () => {
  const { groups } = silenced(SERVICES.slice(0, 1))
  expect(groups.map(group => noticeOf(group, 'open', OPTIONS).title)).toEqual([
    'no_requests on shop-service0-80: no requests for 12 min, 240 expected'
  ])
})
