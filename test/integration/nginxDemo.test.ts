/**
 * The faulty nginx of deploy/docker/, as compose starts it: its own configuration, upstreams, load and the writer of kubelet's
 * files, with only addresses, ports and folders replaced. Every fault it promises must come out of the log as itself.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isAvailable } from '../services/availability.ts'
import { freePorts } from '../services/faultyUpstream.ts'
import { eventually, within } from '../services/latch.ts'
import { findNginx, type RunningNginx, startNginx } from '../services/nginx.ts'

const ROOT = join(import.meta.dirname, '../..')
const DEMO = join(ROOT, 'deploy/docker/demo')
const COMMAND = join(ROOT, 'dist/main.js')
const CLUSTER = readFileSync(join(DEMO, 'cluster.json'), 'utf8')
/** The same hosts of the loopback network, so that pods keep addresses of their own. */
const COMPOSE_NETWORK = /10\.42\.55\./g
const LOOPBACK = '127.42.55.'
const PODS = { web: 11, absent: 12, silent: 13, closing: 14, resetting: 15 } as const

/** What deploy/docker/README.md promises: path, status, cause, root cause, and the start of the blamed pod's name. */
const PROMISED = [
  ['/web/broken', 500, 'upstream_error', 'app_error', 'web-'],
  ['/cart', 502, 'connection_refused', 'oom_killed', 'cart-'],
  ['/search', 504, 'read_timeout', 'undetermined', 'search-'],
  ['/catalog', 502, 'premature_close', 'undetermined', 'catalog-'],
  ['/pay', 502, 'connection_reset', 'undetermined', 'pay-'],
  ['/stock', 502, 'no_live_upstreams', 'readiness_failing', 'stock-'],
  ['/reviews', 503, 'no_endpoints', 'scaled_to_zero', null]
] as const

const isHere = isAvailable(
  'the faulty nginx of deploy/docker',
  findNginx() === null ? 'nginx or openssl is missing' : null
)

describe.skipIf(!isHere)('the faulty nginx of the demo', () => {
  let folder: string
  let nginx: RunningNginx | null
  let children: ChildProcess[]

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'why5xx-demo-'))
    nginx = null
    children = []
  })

  afterEach(async () => {
    await nginx?.stop()
    await Promise.all(children.map(stop))
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(['rich', 'upstreaminfo'])('makes every fault it promises, logged as %s', async format => {
    const [http, port, health] = await freePorts(3)
    const kubelet = start('kubelet.mjs', join(folder, 'pipes'), join(folder, 'log'))
    for (const [kind, host] of Object.entries(PODS))
      start('upstream.mjs', kind, `${LOOPBACK}${host}`, `${port}`, `${health}`)
    await eventually(() => (existsSync(join(folder, 'pipes/stderr')) ? true : undefined), 'no pipes')
    nginx = await startNginx(folder, 'demo', configuration(format, http!, port!), http!)
    for (const host of Object.values(PODS))
      await eventually(() => fetch(`http://${LOOPBACK}${host}:${health}/`).then(isOk, nothing), 'a pod is not up')

    const load = start('load.mjs', `http://127.0.0.1:${http}/`, '100')
    const log = containerLog()
    for (const [path, status] of PROMISED) await eventually(() => isLogged(log, path, status), `${path} is not logged`)
    await stop(load)
    await nginx.stop()
    await stop(kubelet)

    expect(explained(log)).toEqual(PROMISED.map(([path, ...rest]) => [path, [rest]]))
  })

  test('the past that it begins with fails in the same ways', async () => {
    const kubelet = start('kubelet.mjs', join(folder, 'pipes'), join(folder, 'log'), '90', '5')
    await eventually(() => (existsSync(join(folder, 'pipes/stderr')) ? true : undefined), 'no pipes')
    await stop(kubelet)
    const log = containerLog()
    // A log that is rotated before the shipper comes is lost to it.
    expect(readFileSync(log).length).toBeLessThan(8 * 1024 * 1024)
    expect(explained(log, CLUSTER)).toEqual(PROMISED.map(([path, ...rest]) => [path, [rest]]))
  })

  test('makes a wave when it is asked to, which is the only incident', async () => {
    const [http, port, health] = await freePorts(3)
    const kubelet = start('kubelet.mjs', join(folder, 'pipes'), join(folder, 'log'), '90', '5')
    start('upstream.mjs', 'web', `${LOOPBACK}${PODS.web}`, `${port}`, `${health}`)
    await eventually(() => (existsSync(join(folder, 'pipes/stderr')) ? true : undefined), 'no pipes')
    nginx = await startNginx(folder, 'demo', configuration('rich', http!, port!), http!)
    const load = start('load.mjs', `http://127.0.0.1:${http}/`, '100')
    const log = containerLog()
    await eventually(() => (readFileSync(log, 'utf8').includes(' 127.0.0.1 - - ') ? true : undefined), 'no load')
    // Without a wave only each hundredth request goes there.
    const inWave = () => readFileSync(log, 'utf8').match(/"GET \/cart\/\d+ /g)?.length ?? 0
    const inPast = inWave()
    load.kill('SIGUSR2')
    await eventually(() => (inWave() - inPast >= 100 ? true : undefined), 'no wave')
    await stop(load)
    await nginx.stop()
    await stop(kubelet)
    expect(incidentsOf(log)).toEqual([['shop-cart-80', 'connection_refused']])
  })

  function start(script: string, ...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [join(DEMO, script), ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    children.push(child)
    return child
  }

  function configuration(format: string, http: number, port: number): string {
    const text = readFileSync(join(DEMO, 'nginx.conf'), 'utf8')
      .replace('access_log /pipes/stdout rich;', `access_log /pipes/stdout ${format};`)
      .replace('listen 8080;', `listen 127.0.0.1:${http};`)
      .replaceAll(':8080', `:${port}`)
      .replace(COMPOSE_NETWORK, LOOPBACK)
      .replaceAll('/tmp/', `${folder}/`)
      .replaceAll('/pipes/', `${folder}/pipes/`)
    // Of a master that is root the workers are nobody, who may not write here.
    return process.getuid?.() === 0 ? `user root;\n${text}` : text
  }

  function containerLog(): string {
    const containers = join(folder, 'log/containers')
    const [name] = readdirSync(containers)
    expect(name).toMatch(/^ingress-nginx-controller-0_ingress-nginx_controller-[0-9a-f]{64}\.log$/)
    return join(containers, name!)
  }

  /** By promised path: what differs in status, cause, root cause and pod among its failures. */
  function explained(log: string, state = CLUSTER.replace(COMPOSE_NETWORK, LOOPBACK)) {
    const cluster = join(folder, 'cluster.json')
    writeFileSync(cluster, state)
    const documents = explain('ndjson', log, '--cluster', cluster)
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
    return PROMISED.map(([path]) => {
      const seen = new Map<string, unknown>()
      for (const document of documents) {
        if (!document.url.path.startsWith(`${path}/`)) continue
        const pod = document.kubernetes?.pod?.name ?? null
        const { cause, root_cause: root } = document.why5xx
        const facts = [document.http.response.status_code, cause, root?.kind ?? null, pod?.replace(/-.*/, '-') ?? null]
        seen.set(JSON.stringify(facts), facts)
      }
      return [path, [...seen.values()]]
    })
  }
})

function explain(format: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [COMMAND, 'explain', '--format', format, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000
  })
  expect(status, stderr).toBe(0)
  return stdout
}

/** Upstream and cause of each. */
function incidentsOf(log: string): [string, string][] {
  const { incidents } = JSON.parse(explain('json', log)) as { incidents: { upstreamName: string; cause: string }[] }
  return incidents.map(({ upstreamName, cause }) => [upstreamName, cause])
}

function isLogged(log: string, path: string, status: number): true | undefined {
  return new RegExp(`"GET ${path}/\\d+ HTTP/1\\.1" ${status} `).test(readFileSync(log, 'utf8')) ? true : undefined
}

function isOk({ ok }: Response): true | undefined {
  return ok ? true : undefined
}

function nothing(): undefined {
  return undefined
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  try {
    await within(exited, 10_000, `${child.spawnargs.join(' ')} did not end after SIGTERM`)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
