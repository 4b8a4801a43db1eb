/**
 * A real Prometheus for a test of its own, on 127.0.0.1: it scrapes every second what the test names.
 *
 *   const prometheus = await startPrometheus({ targets: { why5xx: ['127.0.0.1:8055'] }, ruleFiles: [path] })
 *   await prometheus.query('sum(why5xx_requests_total)')
 *   await prometheus.setTargets({ why5xx: ['127.0.0.1:8056'] })    // without a restart
 *   await prometheus.kill(); await prometheus.restart()            // same port, same data
 *   await prometheus.stop()
 */
import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { isAvailable } from './availability.ts'
import { freePort } from './freePort.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'

/** Of scrapes and rules. Below a second nothing is won: Prometheus' own lookups are made for seconds. */
const INTERVAL = '1s'

export interface PrometheusOptions {
  /** `host:port` by the name of the job. */
  targets: Record<string, string[]>
  /** Absolute paths. */
  ruleFiles?: string[]
  /** `host:port` of an Alertmanager (v2). */
  alertmanager?: string
}

/** One series of an instant query. */
export interface QueriedSample {
  labels: Record<string, string>
  value: number
}

export interface FiringAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  state: 'pending' | 'firing'
}

export interface PrometheusServer extends ServerControl {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string
  /** Throws what Prometheus says of a query that is wrong. */
  query(promql: string): Promise<QueriedSample[]>
  alerts(): Promise<FiringAlert[]>
  /** Of the active targets, why the last scrape failed; empty: it did not. */
  scrapeErrors(): Promise<string[]>
  /** It takes the change when it looks at the file again, within a second or two. */
  setTargets(targets: PrometheusOptions['targets']): void
}

/** A sentence; null: nothing is missing. */
export function missingForPrometheus(): string | null {
  const missing = ['prometheus', 'promtool'].filter(name => spawnSync(name, ['--version']).status !== 0)
  if (missing.length === 0) return null
  return `${missing.join(' and ')} not in PATH (Debian: apt-get install --no-install-recommends prometheus)`
}

/** False where Prometheus is missing, and says so; with CI=true it throws instead. */
export function isPrometheusAvailable(): boolean {
  return isAvailable('Prometheus', missingForPrometheus())
}

export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const folder = makeServerFolder('prometheus')
  const listen = `127.0.0.1:${await freePort()}`
  const address = `http://${listen}`
  const jobs = Object.keys(options.targets)
  const targetFile = (job: string): string => join(folder, `targets-${job}.json`)
  const setTargets = (targets: PrometheusOptions['targets']): void => {
    for (const job of jobs) {
      // Whole or not at all: it may be read at any moment.
      writeFileSync(`${targetFile(job)}.new`, JSON.stringify([{ targets: targets[job] ?? [] }]))
      renameSync(`${targetFile(job)}.new`, targetFile(job))
    }
  }
  setTargets(options.targets)
  const configuration = {
    global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
    rule_files: options.ruleFiles ?? [],
    scrape_configs: jobs.map(job => ({
      job_name: job,
      file_sd_configs: [{ files: [targetFile(job)], refresh_interval: INTERVAL }]
    })),
    ...(options.alertmanager !== undefined && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanager] }] }] }
    })
  }
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, stringify(configuration))
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${listen}`,
    '--rules.alert.resend-delay=1s',
    // What waits before a restart goes on behind it.
    '--rules.alert.for-grace-period=0s'
  ]
  const isReady = (): Promise<boolean> =>
    fetch(`${address}/-/ready`).then(
      answer => answer.ok,
      () => false
    )
  const server = new ServerProcess({ name: 'prometheus', file: 'prometheus', args, isReady }, folder)
  await server.start()
  return Object.assign(server, {
    address,
    setTargets,
    async query(promql: string): Promise<QueriedSample[]> {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `${address}/api/v1/query?query=${encodeURIComponent(promql)}`
      )
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    alerts: async () => (await ask<{ alerts: FiringAlert[] }>(`${address}/api/v1/alerts`)).alerts,
    scrapeErrors: async () =>
      (await ask<{ activeTargets: { lastError: string }[] }>(`${address}/api/v1/targets`)).activeTargets
        .map(target => target.lastError)
        .filter(error => error !== '')
  })
}

async function ask<T>(url: string): Promise<T> {
  const answer = (await (await fetch(url)).json()) as { status: string; data: T; error?: string }
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error}`)
  return answer.data
}
