/**
 * The whole way: real nginx before backends that fail → their logs as kubelet keeps them → a shipper → Kafka → two workers beside
 * a process that watches the cluster → Elasticsearch → what the panels of the dashboards ask → an alert at an Alertmanager.
 *
 * In the middle of it a worker is killed, the logs are rotated, and the shipper is started again. Every fault that was made is
 * found once, with its cause and its pod, and every request is counted.
 */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { environmentName } from '../../../src/optionTable.ts'
import {
  type AlertmanagerServer,
  isAlertmanagerAvailable,
  startAlertmanager
} from '../../services/alertmanagerServer.ts'
import { PODS } from '../../services/faultyUpstream.ts'
import { findNginx } from '../../services/nginx.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder } from '../../support/program.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { ScriptedApiServer } from '../../support/scriptedApiServer.ts'
import { ShopCluster } from '../../support/shopCluster.ts'
import { ClusterBed } from './bed.ts'
import { logRoot, WayControllers } from './wayControllers.ts'
import { standIn } from './wayShipper.ts'
import { HOST, labServices } from './wayStories.ts'
import { judgeWay, tableText, wayDocument } from './wayVerdict.ts'

const PARTITIONS = 4
const SEED = 20_261_122
/** Services that are watched for long enough to know what is ordinary. */
const OBSERVED = ['shop-cart-80', 'shop-orders-80']
const PAST_MINUTES = 100

const program = findNginx()
const folder = new Folder()
let bed: ClusterBed
let api: ScriptedApiServer
let controllers: WayControllers
let alertmanager: AlertmanagerServer
const started = performance.now()
const say = (text: string): void => console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`)

beforeAll(async () => {
  buildDist()
  bed = new ClusterBed('way')
  api = await ScriptedApiServer.start()
  ;[, alertmanager, controllers] = await Promise.all([
    bed.prepare(PARTITIONS),
    startAlertmanager(),
    WayControllers.open({ program: program!, folder: folder.path, partitions: PARTITIONS, seed: SEED })
  ])
  say('prepared')
})

afterAll(async () => {
  await bed?.remove()
  await alertmanager?.stop()
  await api?.close()
  folder.remove()
})

function run(options: Record<string, string | number | readonly string[]>): RunningProgram {
  const all = {
    ...bed.options,
    clusterName: 'prod',
    'kubernetes.topic': `${bed.namespace}.kubernetes`,
    'alerts.topic': `${bed.namespace}.incidents`,
    ...options
  }
  const env = Object.fromEntries(Object.entries(all).map(([path, value]) => [environmentName(path), String(value)]))
  const worker = new RunningProgram(['run'], env)
  bed.workers.push(worker)
  return worker
}

describe('the whole way', () => {
  test('x', async () => {
    const nowMs = Date.now()
    const lab = new ShopCluster({ namespace: 'lab', name: 'app', addresses: PODS, host: HOST, nowMs })
    const objects = [
      ...lab.objects,
      ...labServices(controllers.labKinds, lab, nowMs),
      ...controllers.stories.flatMap(story => story.objects)
    ]
    for (const object of new Map(
      objects.map(one => [`${one.kind} ${one.metadata.namespace}/${one.metadata.name}`, one])
    ).values()) {
      const resource = `${object.kind.toLowerCase().replace(/(ss)$/, '$1e')}s`
      api.items.set(resource, [...(api.items.get(resource) ?? []), object])
    }
    const watch = run({
      roles: 'watch',
      'kubernetes.api': 'kubeconfig',
      'kubernetes.kubeconfig': folder.write('kubeconfig', api.kubeconfig)
    })
    await watch.until(async () => ((await watch.ask('/readyz')).status === 200 ? true : undefined))
    say('watching')
    const [first, second] = [run({}), run({})]
    controllers.writePast(OBSERVED, { endMs: Date.now(), minutes: PAST_MINUTES, perMinute: 12 })
    await controllers.start()
    let shipper = await standIn(logRoot(folder.path), inject('kafka')!.brokers, bed.topic)
    const past = [...controllers.past.values()].reduce((a, b) => a + b)
    say(`past ${past}`)
    const events: Promise<unknown>[] = []
    const todo = new Map<number, () => Promise<unknown>>([
      [0.25, async () => controllers.logs[0]!.rotate()],
      [
        0.4,
        async () => {
          await first.kill('SIGKILL')
          run({})
          say('killed')
        }
      ],
      [
        0.6,
        async () => {
          await shipper.stop()
          controllers.logs[1]!.rotate()
          shipper = await standIn(logRoot(folder.path), inject('kafka')!.brokers, bed.topic)
          say('shipper again')
        }
      ]
    ])
    const alerts = second.said(/assigned \d of/).then(async () => {
      await vi.waitFor(
        async () => {
          expect(await totals()).toBeGreaterThanOrEqual(past)
        },
        { timeout: 60_000, interval: 500 }
      )
      say('past stored')
      return run({ roles: 'alert', 'alerts.alertmanager.urls': alertmanager.url })
    })
    await controllers.traffic({ visits: 60, count: 4 }, share => {
      for (const [from, act] of todo)
        if (share >= from) {
          todo.delete(from)
          events.push(act())
        }
    })
    say('traffic over')
    await Promise.all(events)
    await controllers.stop()
    await shipper.stop()
    say('shipped')
    const wanted = controllers.all.filter(({ causes }) => causes.length > 0).length
    const pods = new Map(lab.pods.map(pod => [pod.status.podIP!, pod.metadata.name]))
    const sent = past + controllers.all.filter(({ status }) => status !== null).length
    const look = async () => {
      const documents = (await bed.documents('failure')).map(wayDocument)
      return judgeWay(controllers.all, documents, { stories: controllers.stories, pods })
    }
    await vi
      .waitFor(
        async () => {
          const n = await bed.failures()
          const t = await totals()
          if (n < wanted || t < sent) throw new Error(`${n} of ${wanted}, ${t} of ${sent}`)
        },
        { timeout: 40_000, interval: 500 }
      )
      .catch(e => say(e.message))
    say('stored')
    const verdict = await look()
    console.log(tableText(verdict.rows))
    console.log(verdict.wrong.slice(0, 60).join('\n'))
    console.log(await totals(), sent)
    await alerts
    await vi.waitFor(
      async () => {
        expect((await alertmanager.alerts()).length).toBeGreaterThanOrEqual(2)
      },
      { timeout: 90_000, interval: 500 }
    )
    say('alerted')
    console.log(
      JSON.stringify(
        (await alertmanager.alerts()).map(({ labels }) => labels),
        null,
        1
      )
    )
    for (const w of bed.workers) console.log(w.stderr.slice(-1500))
  })
})

async function totals(): Promise<number> {
  const hits = await bed.documents('rollup')
  return hits.reduce(
    (sum, { _source }) => sum + (_source as { why5xx: { rollup: { requests: number } } }).why5xx.rollup.requests,
    0
  )
}
