/**
 * The whole way: real nginx before backends that fail → their logs as kubelet keeps them → a shipper → Kafka → two workers beside
 * a process that watches the cluster → Elasticsearch → what the panels of the dashboards ask → an alert at an Alertmanager.
 *
 * In the middle of it a worker is killed, the logs are rotated, and the shipper dies. Every fault that was made is found once,
 * with its cause and its pod, and every request is counted.
 */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { StoreReader } from '../../../src/store/store.ts'
import type { Timeline } from '../../../src/timeline/model.ts'
import { type HeldAlert, isAlertmanagerAvailable } from '../../services/alertmanagerServer.ts'
import { isAvailable } from '../../services/availability.ts'
import { findNginx } from '../../services/nginx.ts'
import { isShipperAvailable } from '../../services/shipper.ts'
import buildDist from '../../support/buildDist.ts'
import { why5xx } from '../../support/program.ts'
import type { StoredHit } from './bed.ts'
import { sumOf, WayPanels } from './wayPanels.ts'
import { ALL_TIME, PAST_MINUTES, WayRun } from './wayRun.ts'
import type { Story } from './wayStories.ts'
import { type MadeFaults, madeFaults } from './wayTruth.ts'
import { judgeWay, tableText, type WayVerdict, wayDocument } from './wayVerdict.ts'

const SEED = 20_261_122
const MINUTE_MS = 60_000
/** Services of which is known what is ordinary; all others are new, and nobody is paged for them. */
const OBSERVED = ['shop-cart-80', 'shop-orders-80']
/** Judged again once the cluster has told all it knows, where a busy machine was slow to tell it. */
const SETTLED_MS = 90_000

const program = findNginx()
const canRun =
  isAvailable(
    'nginx',
    program === null ? 'it or openssl is not in PATH (Debian: apt-get install nginx openssl)' : null
  ) &&
  isAlertmanagerAvailable() &&
  isShipperAvailable() &&
  inject('kafka') !== null &&
  inject('elasticsearch') !== null

describe.skipIf(!canRun)('every fault that a real nginx was made to log', () => {
  let run: WayRun
  let made: MadeFaults
  let hits: StoredHit[]
  let verdict: WayVerdict
  let alerts: HeldAlert[]
  let reader: StoreReader
  let panels: WayPanels
  let span: { fromMs: number; toMs: number }

  beforeAll(async () => {
    buildDist()
    run = await WayRun.prepare(program!, SEED)
    await run.go(OBSERVED)
    made = madeFaults(run.controllers)
    alerts = await run.alerted(OBSERVED.length)
    // What is missing the first test says better than a count does.
    await vi.waitFor(isWhole, { timeout: SETTLED_MS, interval: 1_000 }).catch(() => {})
    const fromMs = run.startedMs - (PAST_MINUTES + 1) * MINUTE_MS
    span = { fromMs, toMs: Date.now() + MINUTE_MS }
    reader = run.openReader()
    panels = new WayPanels(reader, span)
  })

  afterAll(async () => {
    await reader?.close()
    await run?.remove()
  })

  async function isWhole(): Promise<void> {
    const { all, stories, lines } = run.controllers
    hits = await run.bed.documents('failure')
    verdict = judgeWay(all, hits.map(wayDocument), { stories, pods: run.pods, lines })
    if (verdict.wrong.length > 0) throw new Error(`${verdict.wrong.length} are wrong`)
  }

  test('is stored once, with its cause, its pod, and what was wrong with it', async () => {
    const table = tableText(verdict.rows)
    expect(verdict.wrong, table).toEqual([])
    expect(verdict.rows.filter(row => row.made !== row.found)).toEqual([])
    expect(verdict.rows.length, table).toBeGreaterThan(100)
    expect(hits).toHaveLength(made.failing)
    expect(new Set(hits.map(({ _id }) => _id)).size).toBe(made.failing)
    expect(await run.bed.documents('reject')).toEqual([])
  })

  test('is counted among all requests that were sent', async () => {
    const totals = await reader.totals({ ...ALL_TIME, ...span }, Number.POSITIVE_INFINITY)
    const sum = (key: 'requests' | 'failures'): number => totals.reduce((all, row) => all + row[key], 0)
    expect([sum('requests'), sum('failures')]).toEqual([made.requests, made.failed])
    const counted = totals.filter(({ upstream }) => made.requestsOf.has(upstream))
    expect(new Map(counted.map(({ upstream, requests }) => [upstream, requests]))).toEqual(made.requestsOf)
    expect(await reader.gaps({ ...ALL_TIME, ...span })).toEqual([])
  })

  test('stands in the panels of the dashboards', async () => {
    const seen = hits.map(wayDocument).filter(({ why5xx: ours }) => !ours.masked)
    expect(await panels.row('overview/error-rate')).toMatchObject({ requests: made.requests, failures: made.failed })
    expect(await panels.row('overview/unclassified')).toMatchObject({ unclassified: 0, failures: made.failing })
    expect(await panels.row('health/rejects')).toEqual({ lines: 0 })
    expect(await panels.row('health/cluster-known')).toMatchObject({ share: 100 })
    const controllers = await panels.rows('overview/controllers')
    expect([controllers.length, sumOf(controllers, 'failures')]).toEqual([2, seen.length])
    expect(sumOf(await panels.rows('overview/causes'), 'failures')).toBe(seen.length)
    for (const story of run.controllers.stories) await expectInPanels(story)
  })

  async function expectInPanels({ service, rootCause, pod, ref, fault, upstreamName }: Story): Promise<void> {
    const failures = made.madeOf.get(fault.kind)!
    const isMasked = fault.status === 200
    const row = { service, cause: fault.causes[0], root_cause: rootCause, failures, points_at: ref }
    const causes = await panels.rows('overview/causes')
    expect(causes.filter(found => found.service === service)).toMatchObject(isMasked ? [] : [row])
    const pods = await panels.rows('overview/pods')
    expect(pods.filter(found => found.pod === pod)).toMatchObject([
      { namespace: 'shop', failures, masked: isMasked ? failures : 0, root_cause: rootCause }
    ])
    const chosen = { service: upstreamName }
    const requests = made.requestsOf.get(upstreamName)
    expect(await panels.row('service/error-rate', chosen)).toMatchObject({ requests })
    expect(sumOf(await panels.rows('service/causes', chosen), 'failures')).toBe(isMasked ? 0 : failures)
    const incidents = await panels.rows('service/incidents', chosen)
    expect(incidents.map(({ state, cause, root_cause: kind }) => [state, cause, kind])).toEqual(
      OBSERVED.includes(upstreamName) ? [['open', fault.causes[0], rootCause]] : []
    )
  }

  test('is told to an Alertmanager where it is a spike of a service that is known', () => {
    const told = alerts.map(({ labels }) => labels).sort((a, b) => a.service!.localeCompare(b.service!))
    const spike = { alertname: 'Why5xxFailureSpike', cluster: 'prod', namespace: 'shop', severity: 'page' }
    const observed = run.controllers.stories.filter(({ upstreamName }) => OBSERVED.includes(upstreamName))
    expect(told).toEqual(
      observed.map(({ service, upstreamName: upstream, fault }) => ({
        ...spike,
        service,
        upstream,
        cause: fault.causes[0]
      }))
    )
    for (const { service, pod, rootCause } of observed) {
      const { annotations } = alerts.find(({ labels }) => labels.service === service)!
      expect(annotations.why).toContain(pod)
      expect(annotations.why).toContain(rootCause)
    }
  })

  test('is what the commands print', async () => {
    const env = run.environment()
    const window = ['--from', new Date(span.fromMs).toISOString(), '--to', new Date(span.toMs).toISOString()]
    const print = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await why5xx([...args, ...window], { env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    }
    const [failures, incidents, timeline, dashboard] = await Promise.all([
      print('failures', '--format', 'ndjson'),
      print('incidents', '--format', 'ndjson'),
      print('timeline', '--format', 'json'),
      print('dashboard', 'overview', '--format', 'json')
    ])
    const ids = lines<{ event: { id: string } }>(failures).map(({ event }) => event.id)
    expect(ids.sort()).toEqual(hits.map(({ _id }) => _id).sort())
    const told = new Set(alerts.map(({ annotations }) => annotations.incident))
    expect(new Set(lines<{ id: string }>(incidents).map(({ id }) => id))).toEqual(told)
    expect(JSON.parse(timeline) as Timeline).toMatchObject({ requests: made.requests, failed: made.failed })
    const shown = JSON.parse(dashboard) as { panels: { id: string; rows: object[] }[] }
    expect(shown.panels[0]).toMatchObject({
      id: 'error-rate',
      rows: [{ requests: made.requests, failures: made.failed }]
    })
  })
})

function lines<T>(ndjson: string): T[] {
  return ndjson
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as T)
}
