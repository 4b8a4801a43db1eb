/** What nobody could read or store lies in the topic of rejects; after a fix `replay --rejects` makes it good, once. */
import { afterAll, beforeAll, expect } from 'vitest'
import type { RejectsResult } from '../../../src/cli/replayRejects.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder, why5xx } from '../../support/program.ts'
import { ClusterBed, clusterTest, fluentBit, type StoredHit } from './bed.ts'
import { ClusterLog, closingLines, storedTotals } from './clusterLog.ts'

const LINES = 3_000
const PODS = 3
const UNDERSTOOD_LATER = 40
const OWN_FORMAT =
  'acme|$time_iso8601|$remote_addr|$status|"$request"|$request_time|$proxy_upstream_name|$upstream_addr|$upstream_status'
const GARBAGE = ['nobody reads \u00fc this', '{"message":"nor this"}']

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog
/** Ids of the documents that do not fit the mapping. */
let refused: string[]

beforeAll(async () => {
  buildDist()
  log = await ClusterLog.make(folder, { lines: LINES, pods: PODS, seed: 5, failing: 0.3 })
  refused = [...log.explained].filter(([, flat]) => 'url.query' in flat).map(([id]) => id)
  expect(refused.length).toBeGreaterThan(50)
  bed = new ClusterBed('rejects')
  await bed.prepare(3)
})

afterAll(async () => {
  await bed?.client.indices.deleteIndexTemplate({ name: bed.namespace }, { ignore: [404] })
  await bed?.remove()
  folder.remove()
})

/** A line of every tenth second, every fourth a failure, as its owner's format has it. */
function ownLines(): string[] {
  return Array.from({ length: UNDERSTOOD_LATER }, (_, i) => {
    const time = `2026-03-12T10:${String(10 + Math.floor(i / 6)).padStart(2, '0')}:${String((i % 6) * 10).padStart(2, '0')}+00:00`
    const status = i % 4 === 0 ? 502 : 200
    return `acme|${time}|10.1.2.${i}|${status}|"GET /own/${i} HTTP/1.1"|0.003|shop-own-80|10.0.0.9:80|${status}`
  })
}

/** Half of them as Fluent Bit wraps them, half as they are. */
function ownValues(): { key: string; value: string }[] {
  const [{ path, record }] = closingLines(PODS) as [ReturnType<typeof closingLines>[number]]
  return ownLines().map((line, i) => {
    const time = line.split('|')[1]!.replace('+00:00', `.00000000${i % 10}Z`)
    const { log_offset: _, ...facts } = record
    const wrapped = { ...facts, '@timestamp': time, time, log: line }
    return { key: path, value: i % 2 === 0 ? JSON.stringify(wrapped) : line }
  })
}

async function replay(...args: string[]): Promise<RejectsResult> {
  const { code, stdout, stderr } = await why5xx(['replay', '--rejects', '--format', 'json', ...bed.settings, ...args])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as RejectsResult
}

clusterTest('offsets are released, and what was rejected is kept as it came, with where it came from', async () => {
  await bed.client.indices.putIndexTemplate({
    name: bed.namespace,
    index_patterns: [`why5xx-failure-${bed.namespace}-*`],
    priority: 900,
    composed_of: ['why5xx-fields', 'why5xx-settings'],
    template: {
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date' },
          service: { properties: { name: { type: 'keyword' } } },
          // No `query`.
          url: {
            dynamic: 'strict',
            properties: Object.fromEntries(
              ['path', 'original', 'domain', 'scheme', 'port'].map(name => [name, { type: 'keyword' }])
            )
          }
        }
      }
    }
  })
  // An empty value holds no line, and nothing to keep.
  const empty = [{ key: 'nowhere', value: '' }]
  const none = [{ key: 'nowhere', value: null }]
  const half = log.lines.length >> 1
  const garbage = GARBAGE.map(value => ({ key: 'nowhere', value }))
  // Before the lines that close every window.
  await bed.send([...ownValues(), ...garbage, ...empty, ...none, ...fluentBit(log.lines.slice(0, half))])
  const worker = bed.start()
  // The second half comes in another request: of one alone nobody could tell whether the data is wrong or the cluster.
  await worker.until(async () => ((await bed.failures()) > 0 ? true : undefined))
  await bed.send(fluentBit(log.lines.slice(half)))
  await bed.allCommitted()
  const metrics = {
    parse: await worker.metric('why5xx_rejects_total', { stage: 'parse' }),
    sink: await worker.metric('why5xx_rejects_total', { stage: 'sink' })
  }
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })

  const kept = await bed.rejects()
  const values = (stage: string): string[] =>
    kept.filter(({ headers }) => headers.stage === stage).map(({ value }) => value.toString())
  const unread = [...ownValues(), ...garbage, ...none].map(({ value }): string => value ?? '')
  expect(values('parse').sort()).toEqual(unread.sort())
  const documents = values('sink').map(text => JSON.parse(text) as { event: { id: string } })
  expect(documents.map(({ event }) => event.id).sort()).toEqual(refused.sort())
  for (const { headers } of kept) {
    expect(headers.topic).toBe(bed.topic)
    expect(headers.code).toMatch(
      headers.stage === 'parse' ? /^(?:unrecognized|no_value)$/ : /^strict_dynamic_mapping_exception$/
    )
    expect([headers.partition, headers.offset].join()).toMatch(/^\d+,\d+$/)
  }
  expect(metrics).toEqual({ parse: unread.length, sink: refused.length })
  expect((await bed.documents('failure')).length).toBe(log.explained.size - refused.length)
  const stages = (await bed.documents('reject')).map(stageOf)
  expect(stages.filter(stage => stage === 'sink').length).toBe(refused.length)
  expect(stages.filter(stage => stage === 'parse').length).toBe(unread.length)
  expect(await storedTotals(bed)).toEqual(log.totals)
})

clusterTest('a replay without a fix refuses them again, and changes nothing', async () => {
  const result = await replay()
  expect(result).toMatchObject({ documentsWritten: 0, documentsRefused: refused.length, linesRead: 0 })
  // What has come without a value is kept as one without bytes: there is no line in it.
  expect(result.linesRejected).toBe(UNDERSTOOD_LATER + GARBAGE.length)
  expect((await bed.documents('failure')).length).toBe(log.explained.size - refused.length)
  expect((await bed.rejects()).length).toBe(result.rejects)
})

clusterTest('after the fix everything is stored and counted, and a second replay changes nothing', async () => {
  await bed.client.indices.putMapping({
    index: `why5xx-failure-${bed.namespace}-*`,
    properties: { url: { type: 'object', dynamic: false } }
  })
  const failed = ownLines().filter(line => line.includes('|502|')).length
  const first = await replay('--set', `logFormat=${OWN_FORMAT}`)
  expect(first).toMatchObject({
    linesRead: UNDERSTOOD_LATER,
    linesRejected: GARBAGE.length,
    documentsWritten: refused.length + failed,
    documentsRefused: 0
  })
  const truth = new Map(log.totals)
  for (const line of ownLines()) {
    const key = `${line.slice(5, 21)} shop-own-80`
    const [requests, failures] = truth.get(key) ?? [0, 0]
    truth.set(key, [requests + 1, failures + (line.includes('|502|') ? 1 : 0)])
  }
  expect(await storedTotals(bed)).toEqual(truth)
  const hits = await bed.documents('failure')
  const ids = new Set(hits.map(({ _id }) => _id))
  expect(hits.length).toBe(log.explained.size + failed)
  for (const id of log.explained.keys()) expect(ids).toContain(id)

  const second = await replay('--set', `logFormat=${OWN_FORMAT}`)
  expect(second).toMatchObject({ documentsWritten: 0, documentsKnown: refused.length + failed, documentsRefused: 0 })
  expect(await storedTotals(bed)).toEqual(truth)
  expect((await bed.documents('failure')).map(({ _id }) => _id).sort()).toEqual([...ids].sort())
})

clusterTest('as text; and a topic that is empty, or not there, or brokers that are not', async () => {
  const text = await why5xx(['replay', '--rejects', ...bed.settings])
  expect(text.stdout).toMatch(
    /^\d+ rejects of \S+: 0 lines read now, 42 still not; 0 documents stored, \d+ there before, 0 refused again\n$/
  )
  const empty = await why5xx([
    'replay',
    '--rejects',
    ...bed.settings,
    '--set',
    `source.kafka.rejectTopic=${await bed.emptyTopic()}`
  ])
  expect([empty.code, empty.stdout]).toEqual([0, expect.stringMatching(/ holds no rejects\n$/)])
  const missing = await why5xx(['replay', '--rejects', ...bed.settings, '--set', 'source.kafka.rejectTopic=not.there'])
  expect(missing.code).toBe(1)
  expect(missing.stderr).toMatch(/cannot read topic not\.there/)
  const away = await why5xx(['replay', '--rejects', ...bed.settings, '--set', 'source.kafka.brokers=127.0.0.1:1'])
  expect(away.code).toBe(1)
  expect(away.stderr).toMatch(/127\.0\.0\.1:1/)
})

function stageOf({ _source }: StoredHit): string {
  return (_source.why5xx as { reject: { stage: string } }).reject.stage
}
