/**
 * The whole way: real nginx before backends that fail → their logs as kubelet keeps them → a shipper → Kafka → two workers beside
 * a process that watches the cluster → Elasticsearch → what the panels of the dashboards ask → an alert at an Alertmanager.
 *
 * In the middle of it a worker is killed, the logs are rotated, and the shipper dies. Every fault that was made is found once,
 * with its cause and its pod, and every request is counted.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { StoreReader } from '../../../src/store/store.ts'
import { type HeldAlert, isAlertmanagerAvailable } from '../../services/alertmanagerServer.ts'
import { isAvailable } from '../../services/availability.ts'
import { findNginx } from '../../services/nginx.ts'
import { isShipperAvailable } from '../../services/shipper.ts'
import buildDist from '../../support/buildDist.ts'
import { why5xx } from '../../support/program.ts'
import type { StoredHit } from './bed.ts'
import { sumOf, WayPanels } from './wayPanels.ts'
import { ALL_TIME, PAST_MINUTES, WayRun } from './wayRun.ts'
import { type MadeFaults, madeFaults } from './wayTruth.ts'
import { judgeWay, tableText, wayDocument } from './wayVerdict.ts'

const SEED = 20_261_122
const MINUTE_MS = 60_000
/** Services of which is known what is ordinary; all others are new, and nobody is paged for them. */
const OBSERVED = ['shop-cart-80', 'shop-orders-80']

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
  let alerts: HeldAlert[]
  let reader: StoreReader
  let panels: WayPanels
  let span: { fromMs: number; toMs: number }

  beforeAll(async () => {
    buildDist()
    const t = performance.now()
    const say = (x: string) => console.log(x, ((performance.now() - t) / 1000).toFixed(1))
    run = await WayRun.prepare(program!, SEED)
    say('prepared')
    await run.go(OBSERVED)
    say('gone')
    made = madeFaults(run.controllers)
    // The verdict says what is missing, better than a count does.
    await run.stored(made.failing, made.requests, 30_000).catch(e => console.log(e.message))
    say('stored')
    hits = await run.bed.documents('failure')
    alerts = await run.alerted(OBSERVED.length)
    say('alerted')
    span = { fromMs: run.startedMs - PAST_MINUTES * MINUTE_MS - MINUTE_MS, toMs: Date.now() + MINUTE_MS }
    reader = run.openReader()
    panels = new WayPanels(reader, span)
  })

  afterAll(async () => {
    await reader?.close()
    await run?.remove()
  })

  test('is stored once, with its cause, its pod, and what was wrong with it', async () => {
    const { all, stories } = run.controllers
    const verdict = judgeWay(all, hits.map(wayDocument), { stories, pods: run.pods })
    expect(verdict.wrong, tableText(verdict.rows)).toEqual([])
    expect(verdict.rows.filter(({ made, found }) => made !== found)).toEqual([])
    expect(hits).toHaveLength(made.failing)
    expect(new Set(hits.map(({ _id }) => _id)).size).toBe(made.failing)
    expect(await run.bed.documents('reject')).toEqual([])
  })

  test('is counted among all requests that were sent', async () => {
    const totals = await reader.totals({ ...ALL_TIME, ...span }, Number.POSITIVE_INFINITY)
    const sum = (key: 'requests' | 'failures'): number => totals.reduce((all, row) => all + row[key], 0)
    expect({ requests: sum('requests'), failed: sum('failures') }).toEqual({
      requests: made.requests,
      failed: made.failed
    })
    const stories = new Set(run.controllers.stories.map(({ upstreamName }) => upstreamName))
    const counted = totals.filter(({ upstream }) => stories.has(upstream))
    expect(new Map(counted.map(({ upstream, requests }) => [upstream, requests]))).toEqual(made.requestsOf)
    expect(await reader.gaps({ ...ALL_TIME, ...span })).toEqual([])
  })

  test('stands in the panels of the dashboards', async () => {
    const seen = hits.map(wayDocument).filter(({ why5xx: ours }) => !ours.masked)
    expect(await panels.row('overview/error-rate')).toMatchObject({ requests: made.requests, failures: made.failed })
    expect(await panels.row('overview/unclassified')).toMatchObject({ unclassified: 0, failures: made.failing })
    expect(await panels.row('health/rejects')).toEqual({ lines: 0 })
    expect(await panels.row('health/cluster-known')).toMatchObject({ share: 100 })
    expect(sumOf(await panels.rows('overview/controllers'), 'failures')).toBe(seen.length)
    expect(await panels.rows('overview/controllers')).toHaveLength(2)
    const causes = await panels.rows('overview/causes')
    const pods = await panels.rows('overview/pods')
    for (const { service, rootCause, pod, ref, fault, upstreamName } of run.controllers.stories) {
      const failures = made.madeOf.get(fault.kind)
      const isMasked = fault.status === 200
      const row = { service, cause: fault.causes[0], root_cause: rootCause, failures, points_at: ref }
      expect(causes.filter(found => found.service === service)).toMatchObject(isMasked ? [] : [row])
      expect(pods.filter(found => found.pod === pod)).toMatchObject([
        { namespace: 'shop', failures, masked: isMasked ? failures : 0, root_cause: rootCause }
      ])
      const chosen = { service: upstreamName }
      expect(await panels.row('service/error-rate', chosen)).toMatchObject({
        requests: made.requestsOf.get(upstreamName)
      })
      expect(sumOf(await panels.rows('service/causes', chosen), 'failures')).toBe(isMasked ? 0 : failures)
    }
    console.log(JSON.stringify(await panels.rows('overview/incidents'), null, 1))
  })

  test('is told to an Alertmanager where it is a spike of a service that is known', async () => {
    console.log(JSON.stringify(alerts, null, 1))
  })

  test('is what the commands print', async () => {
    const env = run.environment()
    const window = ['--from', new Date(span.fromMs).toISOString(), '--to', new Date(span.toMs).toISOString()]
    const [failures, incidents, timeline, dashboard] = await Promise.all([
      why5xx(['failures', '--format', 'ndjson', ...window], { env }),
      why5xx(['incidents', '--format', 'json', ...window], { env }),
      why5xx(['timeline', '--format', 'json', ...window], { env }),
      why5xx(['dashboard', 'overview', '--format', 'json', ...window], { env })
    ])
    for (const one of [failures, incidents, timeline, dashboard])
      console.log(one.code, one.stderr, one.stdout.slice(0, 2000))
  })
})
