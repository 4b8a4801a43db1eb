/**
 * A pod of a real control plane keeps dying while requests to it fail: its name and why are in the store. In one process, and
 * in two of which one watches.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { KubernetesClient } from '../../services/kubernetesClient.ts'
import buildDist from '../../support/buildDist.ts'
import { accessLine, cri, errorLine, MESSAGES } from '../../support/lines.ts'
import { Folder, why5xx, why5xxHere } from '../../support/program.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { openShop, type Shop } from './workloads.ts'

const kubernetes = inject('kubernetes')
const folder = new Folder()
const CONTROLLER = 'ingress-nginx-controller-6c9f8d4b7-q4wnd_ingress-nginx_controller-0123456789abcdef'

interface PodNow {
  metadata: { name: string }
  status?: { podIP?: string; containerStatuses?: { state?: { waiting?: { reason?: string } } }[] }
}

interface Stored {
  kubernetes?: { namespace?: string; pod?: { name: string }; deployment?: { name: string } }
  why5xx: { cluster?: { known: boolean }; root_cause?: { kind: string; ref?: string } }
}

describe.skipIf(kubernetes === null)('from a request to its root cause', () => {
  let client: KubernetesClient
  const running: RunningProgram[] = []

  beforeAll(async () => {
    buildDist()
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.kill('SIGKILL')
  })
  afterAll(() => folder.remove())

  function start(store: string, log: string | null, ...set: string[]): RunningProgram {
    const all = [`sink.embedded.path=${store}`, 'web.listen=127.0.0.1:0', 'kubernetes.labels=app', ...set]
    const args = ['run', ...(log === null ? [] : [log]), ...all.flatMap(one => ['--set', one])]
    const program = new RunningProgram(args)
    running.push(program)
    return program
  }

  async function podOf(shop: Shop, isSo: (pod: PodNow) => boolean, what: string): Promise<PodNow> {
    let found: PodNow | undefined
    await client.until(
      shop.pods,
      list => {
        found = (list as { items: PodNow[] }).items.find(isSo)
        return found !== undefined
      },
      what
    )
    return found!
  }

  test.each([
    ['one process', 1],
    ['two processes', 2]
  ])('%s', async (_name, processes) => {
    const shop = await openShop(client, `whole-${processes}-${process.pid}`, 2)
    const store = join(folder.path, `store-${processes}`)
    const log = folder.write(`${CONTROLLER}${processes}.log`, '')
    const watching = ['kubernetes.api=kubeconfig', `kubernetes.kubeconfig=${kubernetes!.kubeconfig}`]
    const watch = start(store, processes === 1 ? log : null, ...watching, ...(processes === 1 ? [] : ['roles=watch']))
    await watch.until(
      async () => (await watch.metric('why5xx_cluster_events_total', { type: 'HEARTBEAT' })) > 0 || undefined
    )
    if (processes === 2) await start(store, log).address()

    const { metadata } = await podOf(shop, ({ status }) => status?.podIP !== undefined, 'a pod with an address')
    await client.patch(`${shop.pods}/${metadata.name}`, { metadata: { labels: { 'lab/crash': 'true' } } })
    const { status } = await podOf(
      shop,
      pod =>
        pod.metadata.name === metadata.name &&
        pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      'the pod waits'
    )

    const timeMs = Date.now()
    const upstream = `${status!.podIP}:8080`
    appendFileSync(
      log,
      `${[
        cri(timeMs, 'stderr', errorLine({ timeMs, message: MESSAGES.refused, upstream })),
        cri(
          timeMs + 1,
          'stdout',
          accessLine({ timeMs, status: 502, name: `${shop.namespace}-cart-80`, up: `${upstream}|0|0.001|502` })
        )
      ].join('\n')}\n`
    )
    const worker = running.at(-1)!
    const documents = await worker.until(async () => {
      const { stdout, code } = await why5xxHere(['failures', '--store', store, '--format', 'ndjson'])
      return code === 0 && stdout !== '' ? stdout.trimEnd().split('\n') : undefined
    })
    expect(documents.map(line => JSON.parse(line) as Stored)).toMatchObject([
      {
        kubernetes: { namespace: shop.namespace, pod: { name: metadata.name }, deployment: { name: 'cart' } },
        labels: { app: 'cart' },
        why5xx: {
          cluster: { known: true, owner: 'certain' },
          // The shop's Ingress names the Service as its default backend.
          root_cause: {
            kind: 'default_backend_unhealthy',
            chain: expect.arrayContaining(['crash_loop']) as string[],
            ref: `Pod ${shop.namespace}/${metadata.name}`
          }
        }
      }
    ])
    for (const one of running) expect(await one.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const again = await why5xx(['replay', log, '--store', store])
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('1 were there before') as string })
  })
})
