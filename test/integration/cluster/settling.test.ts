/**
 * From a failed request to its settled root cause, through a real topic and a real Elasticsearch: one process watches a
 * cluster and records it, two others read the logs, judge, and judge again; one of them is killed in between.
 */
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, inject, vi } from 'vitest'
import { shippedLines } from '../../../bench/cluster/shipped.ts'
import buildDist from '../../support/buildDist.ts'
import { accessLine, errorLine, MESSAGES } from '../../support/lines.ts'
import { Folder } from '../../support/program.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { ScriptedApiServer } from '../../support/scriptedApiServer.ts'
import { ShopCluster } from '../../support/shopCluster.ts'
import { ClusterBed, clusterTest, fluentBit, type StoredHit } from './bed.ts'

const FAILURES = 120
const PARTITIONS = 4
const PODS = 3
/** Longer than starting and killing workers takes. */
const SETTLE_MS = 25_000

const folder = new Folder()
const running: RunningProgram[] = []
let api: ScriptedApiServer
let bed: ClusterBed
let topic: string

beforeAll(async () => {
  buildDist()
  api = await ScriptedApiServer.start()
  bed = new ClusterBed('settle')
  topic = `${bed.namespace}.kubernetes`
  await bed.prepare(PARTITIONS)
})

afterAll(async () => {
  for (const one of running) await one.kill('SIGKILL')
  await bed?.remove()
  await api?.close()
  folder.remove()
  const { Kafka, logLevel } = kafkajs
  const admin = new Kafka({ brokers: inject('kafka')!.brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] }).catch(() => {})
  await admin.disconnect()
})

function start(...set: string[]): RunningProgram {
  const all = [`kubernetes.topic=${topic}`, 'kubernetes.labels=app', `diagnosis.settleMs=${SETTLE_MS}`, ...set]
  const program = new RunningProgram(['run', ...bed.settings, ...all.flatMap(one => ['--set', one])])
  running.push(program)
  return program
}

/** `Pod` → `pods`. */
function resourceOf(kind: string): string {
  return `${kind.toLowerCase().replace(/s$/, 'se')}s`
}

interface Stored {
  service: { name: string }
  kubernetes?: { pod?: { name: string } }
  labels?: Record<string, string>
  why5xx: { cause: string; cluster: { known: boolean }; root_cause?: { kind: string } }
}

const stored = ({ _source }: StoredHit): Stored => _source as unknown as Stored
const kindOf = (hit: StoredHit): string | undefined => stored(hit).why5xx.root_cause?.kind

clusterTest('a termination that is told late is in every document in the end, once', { timeout: 240_000 }, async () => {
  const shop = new ShopCluster({ addresses: ['10.2.3.14', '10.2.3.15'], nowMs: Date.now() })
  for (const object of shop.objects) {
    const resource = resourceOf(object.kind)
    api.items.set(resource, [...(api.items.get(resource) ?? []), object])
  }
  const kubeconfig = folder.write('kubeconfig', api.kubeconfig)
  const watch = start('roles=watch', 'kubernetes.api=kubeconfig', `kubernetes.kubeconfig=${kubeconfig}`)
  await watch.until(async () => ((await watch.ask('/readyz')).status === 200 ? true : undefined))
  await watch.until(() => api.isWatched('pods') || undefined)
  const [victim, other] = [start(), start()]
  await other.said(/assigned 2 of 4/)

  const beganMs = Date.now()
  const log: string[] = []
  for (let i = 0; i < FAILURES; i++) {
    const timeMs = beganMs + i
    const request = `GET /cart/${i} HTTP/1.1`
    const client = `203.0.113.${1 + (i % 250)}`
    const id = String(i).padStart(32, '0')
    log.push(
      errorLine({ timeMs, message: MESSAGES.refused, upstream: '10.2.3.14:8080', request, client, connection: i }),
      accessLine({ timeMs, status: 502, request, client, up: '10.2.3.14:8080|0|0.001|502', id })
    )
  }
  // Nothing waits behind these.
  const closing = Array.from({ length: 40 }, (_, i) =>
    accessLine({ timeMs: beganMs + 5_000, status: 200, client: `10.9.9.${i}`, request: 'GET /closing HTTP/1.1' })
  )
  await bed.send(fluentBit(shippedLines(`${[...log, ...closing].join('\n')}\n`, PODS)))

  // At once: the pod is known, and nothing was wrong with it as far as anybody has told.
  const first = await settled(hits => hits.length === FAILURES)
  const [pod] = shop.pods
  for (const hit of first) {
    expect(stored(hit)).toMatchObject({
      service: { name: 'shop/cart' },
      kubernetes: { pod: { name: pod!.metadata.name } },
      labels: { app: 'cart' },
      why5xx: { cause: 'connection_refused', cluster: { known: true }, root_cause: { kind: 'undetermined' } }
    })
  }
  const versions = await versionsOf()
  expect([...new Set(versions)]).toEqual([8 + 2 + 1])

  api.tell('pods', 'MODIFIED', shop.oomKilled(0, beganMs - 5_000, Date.now()))
  await victim.kill('SIGKILL')
  const late = start()
  const last = await settled(hits => hits.every(hit => kindOf(hit) === 'oom_killed'), 120_000)
  expect(new Set(last.map(({ _id }) => _id))).toEqual(new Set(first.map(({ _id }) => _id)))
  expect([...new Set(await versionsOf())]).toEqual([8 + 4 + 2 + 1])
  for (const worker of [other, late, watch]) expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await bed.documents('reject')).toEqual([])
  expect(await bed.failures()).toBe(FAILURES)
})

async function settled(isSo: (hits: StoredHit[]) => boolean, timeout = 60_000): Promise<StoredHit[]> {
  let hits: StoredHit[] = []
  const said = (): string => running.map(({ stderr }) => stderr.slice(-3_000)).join('\n---\n')
  await vi.waitFor(
    async () => {
      hits = await bed.documents('failure')
      const kinds = new Map<string, number>()
      for (const hit of hits) kinds.set(String(kindOf(hit)), (kinds.get(String(kindOf(hit))) ?? 0) + 1)
      if (!isSo(hits)) throw new Error(`${hits.length} documents, ${JSON.stringify([...kinds])}:\n${said()}`)
    },
    { timeout, interval: 500 }
  )
  return hits
}

async function versionsOf(): Promise<number[]> {
  const { hits } = await bed.client.search({
    index: `why5xx-failure-${bed.namespace}-*`,
    size: 1_000,
    version: true,
    _source: false
  })
  return hits.hits.map(({ _version }) => _version!)
}
