/** A termination that is told late is in the embedded store in the end: one process watches, judges, and judges again. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import buildDist from '../support/buildDist.ts'
import { accessLine, errorLine, MESSAGES } from '../support/lines.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'
import { RunningProgram } from '../support/runningProgram.ts'
import { ScriptedApiServer } from '../support/scriptedApiServer.ts'
import { ShopCluster } from '../support/shopCluster.ts'

const folder = new Folder()
let api: ScriptedApiServer
let run: RunningProgram | null = null

beforeAll(buildDist)
beforeEach(async () => {
  api = await ScriptedApiServer.start()
})
afterEach(async () => {
  await run?.kill('SIGKILL')
  await api.close()
})
afterAll(() => folder.remove())

interface Stored {
  url: { path: string }
  event: { id: string }
  why5xx: { root_cause?: { kind: string } }
}

const RESOURCES: Record<string, string> = { Ingress: 'ingresses', IngressClass: 'ingressclasses' }

test('the verdict of before a kill -9 is settled behind it', { timeout: 150_000 }, async () => {
  const shop = new ShopCluster({ addresses: ['10.2.3.14'], nowMs: Date.now() })
  for (const object of shop.objects) {
    const resource = RESOURCES[object.kind] ?? `${object.kind.toLowerCase()}s`
    api.items.set(resource, [...(api.items.get(resource) ?? []), object])
  }
  const log = folder.write('controller.log', '')
  const store = join(folder.path, 'store')
  const set = [
    `sink.embedded.path=${store}`,
    'web.listen=127.0.0.1:0',
    'kubernetes.api=kubeconfig',
    `kubernetes.kubeconfig=${folder.write('kubeconfig', api.kubeconfig)}`,
    'diagnosis.settleMs=0'
  ]
  const start = (): RunningProgram => (run = new RunningProgram(['run', log, ...set.flatMap(one => ['--set', one])]))
  const failures = async (path: string): Promise<Stored[]> => {
    const { stdout } = await why5xxHere(['failures', '--store', store, '--format', 'ndjson'])
    const lines = stdout.split('\n').filter(line => line !== '')
    return lines.map(line => JSON.parse(line) as Stored).filter(({ url }) => url.path === path)
  }
  const rootCauses = async (path: string): Promise<(string | undefined)[]> =>
    (await failures(path)).map(({ why5xx: ours }) => ours.root_cause?.kind)
  const fails = (path: string): void => {
    const timeMs = Date.now()
    const request = `GET ${path} HTTP/1.1`
    appendFileSync(
      log,
      `${errorLine({ timeMs, message: MESSAGES.refused, upstream: '10.2.3.14:8080', request })}\n${accessLine({ timeMs, status: 502, request, up: '10.2.3.14:8080|0|0.001|502', id: path.slice(1).padStart(32, '0') })}\n`
    )
  }

  const first = start()
  await first.until(
    async () => (await first.metric('why5xx_cluster_events_total', { type: 'HEARTBEAT' })) > 0 || undefined
  )
  const beganMs = Date.now()
  fails('/1')
  await first.until(async () => (await rootCauses('/1')).length > 0 || undefined)
  expect(await rootCauses('/1')).toEqual(['undetermined'])
  await first.kill('SIGKILL')
  await expect.poll(() => api.isWatched('pods')).toBe(false)

  const second = start()
  await second.until(() => api.isWatched('pods') || undefined)
  api.tell('pods', 'MODIFIED', shop.oomKilled(0, beganMs - 3_000, Date.now()))
  // Rounds are half a minute apart.
  await expect
    .poll(async () => ((await rootCauses('/1')).includes('oom_killed') ? 'settled' : second.stderr), {
      timeout: 45_000,
      interval: 1_000
    })
    .toBe('settled')
  expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await rootCauses('/1')).toEqual(['oom_killed'])
  const { code, stdout } = await why5xx(['check', '--store', store])
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to mend') as string })
})
