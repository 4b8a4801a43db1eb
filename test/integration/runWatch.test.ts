/** `why5xx run` with the role watch: alone, and beside a worker. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import { segmentRecord } from '../../src/cluster/segmentRecordReader.ts'
import { HeardRecord } from '../support/heardRecord.ts'
import { Folder, why5xx } from '../support/program.ts'
import { RunningProgram } from '../support/runningProgram.ts'
import { ScriptedApiServer } from '../support/scriptedApiServer.ts'

const folder = new Folder()
afterAll(() => folder.remove())

let api: ScriptedApiServer
let store: string
let beds = 0
beforeEach(async () => {
  api = await ScriptedApiServer.start()
  api.items.set('pods', [pod(5)])
  store = join(folder.path, `store-${++beds}`)
})
afterEach(() => api.close())

function pod(version: number): object {
  const metadata = { name: 'cart-1', namespace: 'shop', uid: 'u1', resourceVersion: String(version) }
  return { apiVersion: 'v1', kind: 'Pod', metadata, status: { podIP: `10.0.0.${version}` } }
}

function settings(...more: string[]): string[] {
  const kubeconfig = folder.write('kubeconfig', api.kubeconfig)
  const set = [
    'kubernetes.api=kubeconfig',
    `kubernetes.kubeconfig=${kubeconfig}`,
    `sink.embedded.path=${store}`,
    ...more
  ]
  return ['run', '--listen', '127.0.0.1:0', ...set.flatMap(one => ['--set', one])]
}

async function recorded(): Promise<HeardRecord> {
  const heard = new HeardRecord(segmentRecord({ folder: join(store, 'cluster'), say: () => {}, pollMs: 5 }), 0)
  await expect.poll(() => heard.caught).toBeGreaterThan(0)
  await heard.reader.close()
  return heard
}

test('alone it opens no source and no sink, is ready with the first list, and ends when it is told to', async () => {
  const run = new RunningProgram(settings('roles=watch'))
  await run.until(async () => ((await run.ask('/readyz')).status === 200 ? true : undefined))
  await run.until(() => api.isWatched('pods') || undefined)
  api.tell('pods', 'MODIFIED', pod(6))
  await run.until(
    async () => (await run.metric('why5xx_cluster_events_total', { type: 'MODIFIED' })) === 1 || undefined
  )
  await run.until(async () => (await run.metric('why5xx_cluster_events_total', { type: 'HEARTBEAT' })) > 0 || undefined)
  expect(await run.metric('why5xx_cluster_bytes_total')).toBeGreaterThan(500)
  expect(await run.metric('why5xx_cluster_heartbeat_age_seconds')).toBeLessThan(10)
  expect(await run.metric('why5xx_cluster_objects')).toBe(1)
  expect((await run.ask('/healthz')).text).toBe('ok\n')
  expect(await run.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(readdirSync(store)).toEqual(['cluster'])
  expect(existsSync(join(store, 'cluster/lock'))).toBe(false)
  const heard = await recorded()
  const state = openClusterState()
  for (const event of heard.heard) state.apply(event)
  expect(state.tenures('10.0.0.6').map(({ pod: of }) => of.name)).toEqual(['cart-1'])
  expect(state.isObservable('PodMetrics', 'shop')).toBe(false)
})

test('it is not ready while nobody answers, and says so', async () => {
  const given = settings('roles=watch')
  await api.close()
  const run = new RunningProgram(given)
  const { status, text } = await run.ask('/readyz')
  expect({ status, why: JSON.parse(text) as unknown }).toEqual({
    status: 503,
    why: { ready: false, reasons: ['no whole list of the cluster has been recorded yet'] }
  })
  expect((await run.ask('/healthz')).status).toBe(200)
  expect(await run.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  api = await ScriptedApiServer.start()
})

test('beside a worker both write into one folder, which stays a store', async () => {
  mkdirSync(join(folder.path, 'logs'), { recursive: true })
  const log = folder.write(`logs/${beds}.log`, readFileSync('samples/incidents/oom-during-load/controller.log'))
  const run = new RunningProgram([...settings(`source.files.paths=${log}`)])
  await run.until(async () => (await run.metric('why5xx_sink_documents_total')) > 100 || undefined)
  await run.until(
    async () => (await run.metric('why5xx_cluster_events_total', { type: 'LIST_END' })) === 1 || undefined
  )
  expect(await run.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect((await recorded()).state.names).toEqual(['cart-1@5'])
  const { code, stdout } = await why5xx(['check', '--store', store])
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to mend') as string })
  expect(stdout).not.toContain('is no file of a store')
})

describe('what cannot work is said', () => {
  test.each<[string, string[], number, string]>([
    ['no way to an API server', ['kubernetes.context=elsewhere', 'roles=watch'], 2, 'there is no context "elsewhere"'],
    ['a role that has nothing to do', ['roles=alert'], 2, 'has alert without worker']
  ])('%s', async (_name, set, code, sentence) => {
    const run = await why5xx(settings(...set))
    expect(run.stderr).toContain(sentence)
    expect(run.code).toBe(code)
  })
})
