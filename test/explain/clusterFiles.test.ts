/** Files of a cluster as people collect them: of one namespace, of two moments, older than the failure, with nothing in them. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ClusterJudge } from '../../src/explain/clusterFiles.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import type { Failure } from '../../src/model.ts'
import { runEngine } from '../support/engineRun.ts'
import { accessLine, at, errorLine, MESSAGES } from '../support/lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'why5xx-cluster-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

const T = at('10:02:11')
const MASKER = new Masker(MASK_ALL)
const time = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

function pod(name: string, namespace: string, app: string, createdMs: number, more: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `${namespace}-${name}`, labels: { app }, creationTimestamp: time(createdMs) },
    spec: { nodeName: 'n1', containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }] },
    status: {
      phase: 'Running',
      podIP: '10.2.3.14',
      podIPs: [{ ip: '10.2.3.14' }],
      startTime: time(createdMs),
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time(createdMs + 5_000) }],
      containerStatuses: [
        {
          name: 'app',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: time(createdMs + 2_000) } },
          ...more
        }
      ]
    }
  }
}

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'cart', namespace: 'shop', uid: 'cart', creationTimestamp: time(T - 9e6) },
  spec: { clusterIP: '10.96.0.9', selector: { app: 'cart' }, ports: [{ port: 80, targetPort: 8080 }] }
}

const KILLED = {
  restartCount: 1,
  lastState: {
    terminated: { reason: 'OOMKilled', exitCode: 137, startedAt: time(T - 9e6), finishedAt: time(T - 2_000) }
  },
  state: { running: { startedAt: time(T + 5_000) } }
}

/** `writtenMs`: the time of the file. */
function file(name: string, items: object[], writtenMs = T + 600_000): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  utimesSync(path, writtenMs / 1_000, writtenMs / 1_000)
  return path
}

function refused(): Failure {
  const request = 'GET /cart/7 HTTP/2.0'
  const lines = [
    errorLine({ timeMs: T, message: MESSAGES.refused, upstream: '10.2.3.14:8080', request }),
    accessLine({ timeMs: T, status: 502, request, up: '10.2.3.14:8080|0|0.001|502' })
  ]
  return runEngine(lines).failures[0]!
}

async function judged(...paths: string[]) {
  const judge = await ClusterJudge.read(paths, MASKER)
  const failure = refused()
  judge.judge(failure)
  return { judge, failure, ...failure.judgement! }
}

test('a list of one namespace judges lines that name none', async () => {
  const list = file('one.json', [SERVICE, pod('cart-1', 'shop', 'cart', T - 9e6, KILLED)])
  const { diagnosis, isKnown } = await judged(list)
  expect(isKnown).toBe(true)
  expect(diagnosis).toMatchObject({ rootCause: 'oom_killed', ref: 'Pod shop/cart-1', confidence: 0.9 })
})

test('an address that another pod has taken between two lists is not the first one’s any more', async () => {
  const before = file('before.json', [SERVICE, pod('cart-1', 'shop', 'cart', T - 9e6)], T - 600_000)
  const after = file('after.json', [SERVICE, pod('batch-7', 'other', 'batch', T - 60_000)])
  const { diagnosis } = await judged(before, after)
  expect(['stale_endpoints', 'undetermined']).toContain(diagnosis!.rootCause)
  expect(diagnosis!.ref).not.toBe('Pod other/batch-7')
})

test('a state that is older than the failure is worth no more than a fact that nobody saw', async () => {
  const list = file('old.json', [SERVICE, pod('cart-1', 'shop', 'cart', T - 9e7)], T - 8e7)
  const { judge, isKnown, diagnosis } = await judged(list)
  expect({ isKnown, later: judge.later }).toEqual({ isKnown: false, later: 1 })
  expect(diagnosis!.confidence).toBeLessThanOrEqual(0.45)
})

test('files with nothing in them tell nothing', async () => {
  const { judge, diagnosis } = await judged(file('empty.json', []))
  expect(diagnosis).toBe(null)
  expect(judge.problems).toHaveLength(0)
  expect(judge.knownToMs).toBe(Number.NEGATIVE_INFINITY)
})
