/** A real Prometheus scrapes the real program: what arrives, what a crash does to it, and whether the shipped rules page. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type AlertmanagerServer,
  isAlertmanagerAvailable,
  startAlertmanager
} from '../../services/alertmanagerServer.ts'
import { freePort } from '../../services/freePort.ts'
import { isPrometheusAvailable, type PrometheusServer, startPrometheus } from '../../services/prometheusServer.ts'
import buildDist from '../../support/buildDist.ts'
import { readExposition } from '../../support/exposition.ts'
import { accessLine } from '../../support/lines.ts'
import { Folder } from '../../support/program.ts'
import { rulesText } from '../../support/prometheusRule.ts'
import { RunningProgram } from '../../support/runningProgram.ts'

/** Longer than a scrape, an evaluation and a join on a busy machine. */
const DEADLINE = { timeout: 20_000, interval: 50 }
const SHOP = 'shop-cart-80'
/** As nginx escapes quotes and backslashes. */
const HOSTILE = 'a\\x22} 1\\x5C{{ .Labels }}'

/** Labels of our metrics, and the two that Prometheus adds. No path, no pod, no host, no address. */
const LABELS =
  'category cause cluster code ingress instance job kind namespace node outcome place receiver root_cause service slo stage state status type upstream verdict version'

/** The shipped rules with windows of seconds. */
function shortened(rules: string): string {
  const windows: Record<string, string> = { '5m': '6s', '30m': '10s', '1h': '15s', '6h': '20s', '3d': '30s' }
  return rules
    .replace(/\[(5m|30m|1h|6h|3d)\]/g, (_, window: string) => `[${windows[window]!}]`)
    .replace(/^( +(?:interval|for|keep_firing_for)): .*$/gm, '$1: 1s')
}

/** Requests that end now, the first of them with the application's own 500. */
function requests(count: number, failed: number, name = SHOP): string {
  const timeMs = Date.now()
  return Array.from({ length: count }, (_, i) => {
    const status = i < failed ? 500 : 200
    const id = String(i).padStart(32, '0')
    const request = `GET /path-of-nobody/${i} HTTP/1.1`
    return `${accessLine({ timeMs, status, name, request, id, up: `10.42.1.7:8080|9|0.010|${status}` })}\n`
  }).join('')
}

describe.skipIf(!isPrometheusAvailable())('Prometheus', () => {
  const folder = new Folder()
  const log = join(folder.path, 'access.log')
  let prometheus: PrometheusServer
  let port: number
  let run: RunningProgram
  /** null: not to be had, which was said. */
  let alertmanager: AlertmanagerServer | null = null

  const start = (): RunningProgram =>
    new RunningProgram(['run', log, '--store', join(folder.path, 'store'), '--listen', `127.0.0.1:${port}`])
  /** The sum of a query's series; NaN: there is none. */
  const value = async (promql: string): Promise<number> => {
    const samples = await prometheus.query(promql)
    return samples.length === 0 ? Number.NaN : samples.reduce((sum, sample) => sum + sample.value, 0)
  }
  const counted = async (wanted: { requests: number; failures: number }): Promise<void> => {
    await vi.waitFor(async () => {
      const seen = {
        requests: await value(`why5xx_requests_total{upstream="${SHOP}"}`),
        failures: await value(`why5xx_failures_total{upstream="${SHOP}"}`)
      }
      expect(seen, run.stderr).toEqual(wanted)
    }, DEADLINE)
  }

  beforeAll(async () => {
    buildDist()
    appendFileSync(log, requests(200, 2) + requests(1, 1, HOSTILE))
    port = await freePort()
    run = start()
    const ruleFiles = [folder.write('why5xx.rules.yaml', shortened(rulesText()))]
    if (isAlertmanagerAvailable()) alertmanager = await startAlertmanager()
    prometheus = await startPrometheus({
      targets: { why5xx: [`127.0.0.1:${port}`] },
      ruleFiles,
      ...(alertmanager !== null && { alertmanager: new URL(alertmanager.url).host })
    })
  })
  afterAll(async () => {
    await prometheus?.kill()
    await alertmanager?.kill()
    await run?.kill('SIGKILL')
    folder.remove()
  })

  test('has what /metrics says, with its labels and no others', async () => {
    await counted({ requests: 200, failures: 2 })
    expect(await prometheus.scrapeErrors()).toEqual([])
    const series = (await prometheus.query('{__name__=~"why5xx_.+"}')).map(({ labels }) => labels)
    const page = readExposition((await run.ask('/metrics')).text)
    const own = page.families.map(({ name }) => name).filter(name => name.startsWith('why5xx_'))
    const sampled = new Set(page.samples.map(({ name }) => name))
    expect(new Set(series.map(labels => labels.__name__!))).toEqual(new Set(own.filter(name => sampled.has(name))))
    for (const { __name__, ...labels } of series)
      for (const label of Object.keys(labels)) expect(LABELS.split(' '), __name__!).toContain(label)
    expect(JSON.stringify(series)).not.toMatch(/path-of-nobody|10\.42\.1\.7|203\.0\.113/)
    const failures = series.filter(labels => labels.__name__ === 'why5xx_failures_total')
    const common = {
      __name__: 'why5xx_failures_total',
      job: 'why5xx',
      instance: `127.0.0.1:${port}`,
      cluster: 'default'
    }
    const judged = { cause: 'upstream_error', category: 'application', status: '500', slo: 'true' }
    // A name arrives as it was logged, whatever it holds.
    expect(failures).toHaveLength(2)
    for (const upstream of [SHOP, HOSTILE]) expect(failures).toContainEqual({ ...common, ...judged, upstream })
  })

  test('new failures count once, and page', async () => {
    appendFileSync(log, requests(100, 10))
    const page = await vi.waitFor(async () => {
      const alerts = await prometheus.alerts()
      const found = alerts.find(({ labels, state }) => labels.alertname === 'Why5xxBudgetBurn' && state === 'firing')
      expect(found, JSON.stringify(alerts)).toBeDefined()
      return found!
    }, DEADLINE)
    expect(page.labels).toEqual({
      alertname: 'Why5xxBudgetBurn',
      severity: 'page',
      cluster: 'default',
      upstream: SHOP
    })
    expect(page.annotations.description).toMatch(/^Of the requests to shop-cart-80 \(default\) failed [\d.]+% in 5 min/)
    expect(page.annotations.description).toContain('Top cause: upstream_error, ')
    if (alertmanager !== null) {
      const held = await vi.waitFor(async () => {
        const alerts = await alertmanager!.alerts()
        const found = alerts.find(({ labels }) => labels.alertname === 'Why5xxBudgetBurn')
        expect(found).toBeDefined()
        return found!
      }, DEADLINE)
      expect(held.labels).toEqual(page.labels)
      expect(held.annotations.runbook_url).toBe('deploy/prometheus/runbooks.md#why5xxbudgetburn')
    }
    await counted({ requests: 300, failures: 12 })
    expect((await prometheus.alerts()).map(({ labels }) => labels.upstream ?? SHOP)).not.toContain(HOSTILE)
  })

  test('after kill -9 what was counted is not counted again', async () => {
    // Only what is durable was counted for good: what the store has not taken is read again, by right.
    await run.until(async () => ((await run.metric('why5xx_sink_documents_total')) >= 13 ? true : undefined))
    await run.kill('SIGKILL')
    run = start()
    await run.address()
    appendFileSync(log, requests(50, 1))
    await counted({ requests: 50, failures: 1 })
    // It began anew on the same address: one fall, and the rate sees 10 before it and 1 behind it, not the 12 again. Rates are
    // extrapolated to the whole window, by a second or two here.
    expect(await value(`resets(why5xx_requests_total{upstream="${SHOP}"}[5m])`)).toBe(1)
    const increase = await value(`increase(why5xx_failures_total{upstream="${SHOP}"}[5m])`)
    expect(increase).toBeGreaterThanOrEqual(10)
    expect(increase).toBeLessThan(16)
  })

  test('it goes on after a restart of its own', async () => {
    const before = await value('count_over_time(why5xx_build_info[5m])')
    await prometheus.restart()
    appendFileSync(log, requests(50, 1))
    await counted({ requests: 100, failures: 2 })
    expect(await value('count_over_time(why5xx_build_info[5m])')).toBeGreaterThan(before)
    expect(await prometheus.scrapeErrors()).toEqual([])
  })
})
