/** A real nginx before upstreams that fail, and the cluster that they would be: the pod and what was wrong with it. */
import { mkdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, IngressObject, NodeObject } from '../diagnose/support/objectTypes.ts'
import { makeCertificate } from '../services/certificate.ts'
import { freePorts, startFaultyUpstreams } from '../services/faultyUpstream.ts'
import { eventually } from '../services/latch.ts'
import { findNginx, startNginx } from '../services/nginx.ts'
import buildDist from '../support/buildDist.ts'
import { Folder, why5xx } from '../support/program.ts'
import { apiTime, ShopCluster, snapshotOf } from '../support/shopCluster.ts'

const program = findNginx()
const folder = new Folder()
afterAll(() => folder.remove())

interface Answer {
  cause: string
  status: number
  rootCause: string
  /** Index of the service's pod; null: none is blamed. */
  pod: string | null
  ref: RegExp
}

const ON_LOST_NODE = new Set(['search', 'billing'])
const WANTED: Record<string, Answer> = {
  '/cart': {
    cause: 'connection_refused',
    status: 502,
    rootCause: 'oom_killed',
    pod: 'cart',
    ref: /^Pod shop\/cart-/
  },
  '/search': {
    cause: 'connect_timeout',
    status: 504,
    rootCause: 'node_not_ready',
    pod: 'search',
    ref: /^Node worker-2$/
  },
  '/orders': {
    cause: 'premature_close',
    status: 502,
    rootCause: 'app_crash',
    pod: 'orders',
    ref: /^Pod shop\/orders-/
  },
  '/report': {
    cause: 'read_timeout',
    status: 504,
    rootCause: 'app_slow',
    pod: 'report',
    ref: /^(?:Pod|Ingress) shop\/report/
  },
  '/billing': {
    cause: 'host_unreachable',
    status: 502,
    rootCause: 'node_not_ready',
    pod: 'billing',
    ref: /^Node worker-2$/
  },
  '/nothing': {
    cause: 'no_route',
    status: 404,
    rootCause: 'ingress_rule_mismatch',
    pod: null,
    ref: /./
  }
}

describe.skipIf(program === null)('a real nginx and its cluster', () => {
  let logs: string[]
  let snapshot: string
  const pods = new Map<string, string>()

  beforeAll(async () => {
    buildDist()
    const work = join(folder.path, 'nginx')
    mkdirSync(work)
    const upstreams = await startFaultyUpstreams(makeCertificate(work, 'lab.test'))
    const [http] = await freePorts(1)
    const addresses: Record<string, [ip: string, port: number]> = {
      cart: ['127.0.1.1', upstreams.refusedPort],
      search: ['127.0.0.1', upstreams.fullPort],
      orders: ['127.0.1.2', upstreams.ports.get('premature_close')!],
      report: ['127.0.1.3', upstreams.ports.get('hang')!],
      // The kernel of every machine refuses it.
      billing: ['255.255.255.255', 80]
    }
    logs = ['access.log', 'error.log'].map(name => join(folder.path, name))
    const nginx = await startNginx(work, 'main', configOf(work, logs, http!, addresses), http!)
    const statuses: Record<string, number> = {}
    for (const path of Object.keys(WANTED)) statuses[path] = await statusOf(http!, path)
    const nowMs = Date.now()
    await nginx.stop()
    await upstreams.close()
    expect(statuses).toEqual(Object.fromEntries(Object.entries(WANTED).map(([path, { status }]) => [path, status])))
    await eventually(() => readFileSync(logs[0]!, 'utf8').includes('/nothing') || undefined, 'the last access line')
    snapshot = folder.write('cluster.json', snapshotOf(...clusterOf(addresses, nowMs)))
  }, 60_000)

  function clusterOf(addresses: Record<string, [string, number]>, nowMs: number): AnyObject[] {
    const all: AnyObject[] = []
    for (const [name, [address, port]] of Object.entries(addresses)) {
      const shop = new ShopCluster({
        addresses: [address],
        port,
        name,
        node: ON_LOST_NODE.has(name) ? 'worker-2' : 'worker-1',
        nowMs
      })
      all.push(...shop.objects)
      pods.set(name, shop.pods[0]!.metadata.name)
      const routed = shop.objects.find((one): one is IngressObject => one.kind === 'Ingress')!
      routed.spec.rules[0]!.http.paths[0]!.path = `/${name}`
      // It was down from before the first request until behind the last.
      const [killedMs, upMs] = [nowMs - 15_000, nowMs + 5_000]
      if (name === 'cart') all.push(shop.oomKilled(0, killedMs, upMs))
      if (name === 'orders') {
        const crashed = shop.oomKilled(0, killedMs, upMs)
        Object.assign(crashed.status.containerStatuses[0]!.lastState.terminated!, { exitCode: 1, reason: 'Error' })
        all.push(crashed)
      }
      if (name === 'report') {
        routed.metadata.annotations['nginx.ingress.kubernetes.io/proxy-read-timeout'] = '1'
      }
      if (ON_LOST_NODE.has(name)) {
        const lost = shop.objects.find((one): one is NodeObject => one.kind === 'Node')!
        const ready = lost.status.conditions.find(({ type }) => type === 'Ready')!
        Object.assign(ready, {
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: apiTime(nowMs - 60_000)
        })
      }
    }
    return all
  }

  test('explain --cluster names them', async () => {
    const { code, stdout, stderr } = await why5xx(['explain', '--format', 'ndjson', ...logs, '--cluster', snapshot])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expectWanted(stdout)
  })

  test('without the cluster nobody is blamed', async () => {
    const { stdout } = await why5xx(['explain', '--format', 'ndjson', ...logs])
    expect(stdout).not.toContain('root_cause')
    expect(stdout.trimEnd().split('\n')).toHaveLength(Object.keys(WANTED).length)
  })

  test.each(['run', 'replay'])(
    '%s with kubernetes.snapshots stores them, failures and timeline show them',
    async command => {
      const store = join(folder.path, command)
      const set = [`kubernetes.snapshots=${snapshot}`, 'kubernetes.labels=app', 'web.listen=127.0.0.1:0']
      const run = await why5xx([
        command,
        ...(command === 'run' ? ['--no-follow'] : []),
        ...logs,
        '--store',
        store,
        ...set.flatMap(one => ['--set', one])
      ])
      expect(run, run.stderr).toMatchObject({ code: 0 })
      const documents = await why5xx(['failures', '--store', store, '--format', 'ndjson'])
      expectWanted(documents.stdout)
      expect(documents.stdout).toContain('"labels":{"app":"cart"}')
      const table = await why5xx(['failures', '--store', store])
      const timeline = await why5xx(['timeline', '--store', store, '--format', 'json'])
      for (const { cause, pod } of Object.values(WANTED)) {
        expect(timeline.stdout).toContain(cause)
        // A table cuts what is too wide for it.
        if (pod !== null) expect(table.stdout).toContain(pods.get(pod)!.slice(0, 16))
      }
    }
  )

  function expectWanted(ndjson: string): void {
    const documents = ndjson
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Stored)
    const found = documents.map(({ url, http, why5xx: ours, kubernetes }) => [
      url.path,
      {
        cause: ours.cause,
        status: http.response.status_code,
        rootCause: ours.root_cause.kind,
        pod: kubernetes?.pod?.name ?? null,
        ref: ours.root_cause.ref
      }
    ])
    const wanted = Object.entries(WANTED).map(([path, { pod, ref, ...rest }]) => [
      path,
      { ...rest, pod: pod === null ? null : pods.get(pod)!, ref: expect.stringMatching(ref) as string }
    ])
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted))
    expect(documents).toHaveLength(wanted.length)
  }
})

/** `fetch` may not say which host it wants. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = get({ host: '127.0.0.1', port, path, headers: { host: 'shop.example.com' } }, answer => {
      answer.resume()
      resolve(answer.statusCode!)
    })
    sent.on('error', reject)
  })
}

interface Stored {
  url: { path: string }
  http: { response: { status_code: number } }
  why5xx: { cause: string; root_cause: { kind: string; ref?: string } }
  kubernetes?: { pod?: { name: string } }
}

function configOf(
  work: string,
  [access, error]: readonly string[],
  port: number,
  addresses: Record<string, [string, number]>
): string {
  // What was asked for at which host only such a format tells.
  const names = [
    'time_iso8601',
    'remote_addr',
    'host',
    'request_method',
    'uri',
    'args',
    'status',
    'body_bytes_sent',
    'request_time',
    'request_length',
    'upstream_addr',
    'upstream_status',
    'upstream_response_time',
    'upstream_response_length',
    'proxy_upstream_name',
    'proxy_alternative_upstream_name'
  ]
  const format = `{${names.map(name => `"${name === 'time_iso8601' ? 'time' : name}":"$${name}"`).join(',')}}`
  const locations = Object.entries(addresses).map(
    ([name, [ip, at]]) =>
      `location /${name} { set $proxy_upstream_name "shop-${name}-80"; proxy_pass http://${ip}:${at}; }`
  )
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${work}/main.pid;
error_log ${error} error;
events {}
http {
  log_format upstreaminfo escape=json '${format}';
  access_log ${access} upstreaminfo;
  ${temporary.map(kind => `${kind}_temp_path ${work}/${kind};`).join('\n  ')}
  proxy_connect_timeout 1s;
  proxy_read_timeout 1s;
  server {
    listen 127.0.0.1:${port};
    set $proxy_upstream_name "-";
    set $proxy_alternative_upstream_name "";
    ${locations.join('\n    ')}
    location / { set $proxy_upstream_name "upstream-default-backend"; return 404; }
  }
}`
}
