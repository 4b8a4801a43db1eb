/** The notifier and real Alertmanagers: who is paged how often, whatever is started again. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/alert/incident.ts'
import type { Notice } from '../../../src/alert/notice.ts'
import { AlertmanagerReceiver } from '../../../src/alert/notify/alertmanager.ts'
import { Notifier } from '../../../src/alert/notify/notifier.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import { checkAlerts } from '../../../src/check/alerts.ts'
import { defaultConfig } from '../../../src/optionTable.ts'
import { incident, noticeOf, single } from '../../alert/notify/incidents.ts'
import {
  type AlertmanagerServer,
  isAlertmanagerAvailable,
  startAlertmanager
} from '../../services/alertmanagerServer.ts'
import { eventually } from '../../services/latch.ts'
import { HookServer } from '../../support/hookServer.ts'

/** What Alertmanager posts. */
interface Page {
  status: 'firing' | 'resolved'
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[]
}

/** Quick, so that a test sees several rounds. */
class QuickReceiver extends AlertmanagerReceiver {
  override readonly repeatMs = 200 as 60_000
}

const silent = (): void => {}
const log = { error: silent, warn: silent, info: silent, debug: silent }

describe.skipIf(!isAlertmanagerAvailable())('the real Alertmanager', () => {
  let pages: HookServer
  let one: AlertmanagerServer
  let open: Notifier[] = []

  beforeAll(async () => {
    pages = await HookServer.start()
    one = await startAlertmanager({ webhookUrl: pages.url })
  })
  afterAll(async () => {
    await Promise.all(open.map(notifier => notifier.close()))
    await one?.stop()
    await pages?.stop()
  })
  beforeEach(async () => {
    await Promise.all(open.map(notifier => notifier.close()))
    open = []
    pages.posted.length = 0
  })

  function receiver(server: AlertmanagerServer, path = ''): QuickReceiver {
    const url = new URL(`${server.url}${path}`)
    return new QuickReceiver({ name: `alertmanager ${url.host}`, url, authorization: null, secrets: [] })
  }

  function start(...servers: AlertmanagerServer[]): Notifier {
    const notifier = new Notifier({ receivers: servers.map(server => receiver(server)), noticeOf, onTold: silent, log })
    open.push(notifier)
    return notifier
  }

  /** `inc-1 firing`, in the order of the pages. */
  const paged = (id: string): string[] =>
    pages.posted
      .flatMap(({ body }) => (JSON.parse(body) as Page).alerts)
      .filter(({ labels }) => labels.service === id)
      .map(({ status }) => status)
  const roundsOf = (notifier: Notifier): number =>
    notifier.facts.receivers.reduce((sum, { sent }) => sum + sent.repeat, 0)
  const held = (server: AlertmanagerServer, id: string) => async () =>
    (await server.alerts()).find(({ labels }) => labels.service === id)

  function begin(id: string): Incident {
    return incident(id, { startMs: Date.now() - 60_000, detectedMs: Date.now(), updatedMs: Date.now() })
  }

  function end(one: Incident): void {
    Object.assign(one, { state: 'resolved', endMs: Date.now(), updatedMs: Date.now() })
  }

  test('is told what fails, pages once however often it is repeated, and once when it is over', async () => {
    const notifier = start(one)
    const failing = begin('inc-once')
    notifier.tell([single(failing)])
    await eventually(() => (roundsOf(notifier) >= 5 ? true : undefined), 'it was not repeated')
    await eventually(() => (paged('inc-once').length > 0 ? true : undefined), 'nobody was paged')
    const alert = (await held(one, 'inc-once')())!
    const sample = sampleNotices()[1]![1]
    expect(alert).toMatchObject({
      labels: {
        alertname: 'Why5xxFailureSpike',
        cluster: 'prod',
        service: 'inc-once',
        upstream: 'inc-once',
        cause: 'connection_refused',
        severity: 'page'
      },
      annotations: { summary: sample.title, numbers: sample.numbers, incident: 'inc-once' },
      status: { state: 'active' }
    })
    expect(Object.keys(alert.labels)).toHaveLength(6)
    expect(Date.parse(alert.endsAt) - Date.now()).toBeGreaterThan(320_000)
    expect(Date.parse(alert.startsAt)).toBe(failing.startMs)
    end(failing)
    notifier.tell([single(failing)])
    await eventually(() => (paged('inc-once').length > 1 ? true : undefined), 'nobody was told that it is over')
    expect(paged('inc-once')).toEqual(['firing', 'resolved'])
    expect(notifier.facts.receivers[0]).toMatchObject({
      failed: { open: 0, resolved: 0 },
      refused: { open: 0 },
      pending: 0
    })
  })

  test('our restart pages nobody again, and still tells the end', async () => {
    const first = start(one)
    const failing = begin('inc-restart')
    first.tell([single(failing)])
    await eventually(() => (paged('inc-restart').length > 0 ? true : undefined), 'nobody was paged')
    await first.close()
    const second = start(one)
    const restored = structuredClone(failing)
    second.tell([single(restored)])
    await eventually(() => (roundsOf(second) >= 3 ? true : undefined), 'it was not repeated')
    expect(paged('inc-restart')).toEqual(['firing'])
    await second.close()
    const third = start(one)
    const over = structuredClone(restored)
    end(over)
    third.tell([single(over)])
    await eventually(() => (paged('inc-restart').length > 1 ? true : undefined), 'nobody was told that it is over')
    expect(paged('inc-restart')).toEqual(['firing', 'resolved'])
  })

  test('its restart without its data: it knows again what is open, after a minute at most', async () => {
    const notifier = start(one)
    const failing = begin('inc-forgotten')
    notifier.tell([single(failing)])
    await eventually(held(one, 'inc-forgotten'), 'it was not told')
    await one.forget()
    const again = await eventually(held(one, 'inc-forgotten'), 'it was not told again', 20_000)
    expect(again.annotations.incident).toBe('inc-forgotten')
    end(failing)
    notifier.tell([single(failing)])
    await eventually(
      () => (paged('inc-forgotten').includes('resolved') ? true : undefined),
      'nobody was told that it is over'
    )
  })

  test('a link that it cannot read, and a time that nobody can, keep no alert from it', async () => {
    const notices: Record<string, Partial<Notice>> = {
      'inc-link': { link: 'http://example.com/%zz?a b' },
      'inc-time': { since: 'some day' }
    }
    const notifier = new Notifier({
      receivers: [receiver(one)],
      noticeOf: (group, kind) => ({ ...noticeOf(group, kind), ...notices[group.head.id] }),
      onTold: silent,
      log
    })
    open.push(notifier)
    notifier.tell(Object.keys(notices).map(id => single(begin(id))))
    for (const id of Object.keys(notices)) await eventually(held(one, id), `${id} was not told`)
    expect(notifier.facts.receivers[0]).toMatchObject({ failed: { open: 0 }, refused: { open: 0 } })
  })

  test('check --alerts', async () => {
    const config = defaultConfig()
    config.alerts.alertmanager.urls = [one.url]
    expect(await checkAlerts(config, Date.now())).toMatchObject([{ state: 'ok' }])
    const tests = pages.posted
      .flatMap(({ body }) => (JSON.parse(body) as Page).alerts)
      .filter(({ labels }) => labels.alertname === 'Why5xxTest')
    // It may be over before it is passed on; where it was not, it says what it is.
    for (const { annotations } of tests) expect(annotations.summary).toMatch(/^TEST: /)
    config.alerts.alertmanager.urls = [`${one.url}/elsewhere`]
    expect(await checkAlerts(config, Date.now())).toMatchObject([
      { state: 'problem', text: expect.stringContaining('answers 404') as string }
    ])
  })

  test('two that form a cluster, one below a path: each is told, one of them pages', async () => {
    const left = await startAlertmanager({ webhookUrl: pages.url, peers: [] })
    const right = await startAlertmanager({ webhookUrl: pages.url, peers: [left.clusterPort], routePrefix: '/below' })
    try {
      await eventually(
        async () =>
          ((await (await fetch(`${left.url}/api/v2/status`)).json()) as { cluster: { peers: unknown[] } }).cluster.peers
            .length === 2 || undefined,
        'they did not meet'
      )
      const notifier = start(left, right)
      const failing = begin('inc-two')
      notifier.tell([single(failing)])
      for (const server of [left, right]) await eventually(held(server, 'inc-two'), 'one was not told')
      await eventually(() => (paged('inc-two').length > 0 ? true : undefined), 'nobody was paged')
      end(failing)
      notifier.tell([single(failing)])
      await eventually(() => (paged('inc-two').includes('resolved') ? true : undefined), 'nobody was told the end')
      expect(paged('inc-two')).toEqual(['firing', 'resolved'])
      expect(Object.keys(failing.told)).toHaveLength(2)
    } finally {
      // In good order they would take leave of each other first, for seconds.
      await Promise.all([left.kill(), right.kill()])
    }
  })
})
