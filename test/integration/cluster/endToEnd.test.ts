/** Through a real topic into a real Elasticsearch, by workers that are killed: every failure once, every request counted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShippedLine, shippedLines } from '../../../bench/cluster/shipped.ts'
import { generate } from '../../../bench/generate.ts'
import { Random } from '../../../bench/random.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder, why5xx } from '../../support/program.ts'
import { ClusterBed, fluentBit, SESSION_TIMEOUT_MS } from './bed.ts'

const LINES = 50_000
const PODS = 7
const PARTITIONS = 6
const SEED = Number(process.env.WHY5XX_SEED ?? 11)
const CUT_AND_FOUND = /^(?:why5xx\.origin|event\.created|event\.ingested|log\.file\.path)(?:\.|$)/

const folder = new Folder()
let bed: ClusterBed
let lines: ShippedLine[]
/** What `explain` says of the same lines, by id. */
let explained: Map<string, Record<string, unknown>>

beforeAll(async () => {
  buildDist()
  const plain = join(folder.path, 'plain.log')
  generate({ lines: LINES, seed: SEED, out: plain, failing: 0.08, withErrors: true })
  // A shipper replaces what is no UTF-8: such a line is not the same line any more.
  const isShipped = ({ record }: ShippedLine): boolean => !record.log.includes('\ufffd')
  lines = [...[...shippedLines(readFileSync(plain, 'latin1'), PODS)].filter(isShipped), ...closingLines()]
  const files = new Map<string, string[]>()
  for (const { path, framed } of lines) files.set(path, [...(files.get(path) ?? []), framed])
  for (const [path, framed] of files)
    folder.write(path.slice(path.lastIndexOf('/') + 1), Buffer.from(`${framed.join('\n')}\n`, 'latin1'))
  const names = [...files.keys()].map(path => join(folder.path, path.slice(path.lastIndexOf('/') + 1)))
  const { stdout, code } = await why5xx(['explain', '--format', 'ndjson', ...names])
  expect(code).toBe(0)
  explained = new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => comparable(JSON.parse(line) as Record<string, unknown>))
  )
  bed = new ClusterBed('e2e')
  await bed.prepare(PARTITIONS)
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

test(`${LINES} lines, two workers, three kills and a rebalance, WHY5XX_SEED=${SEED}`, async () => {
  const random = new Random(SEED)
  const sending = bed.send(fluentBit(lines))
  let first = bed.start()
  const second = bed.start()
  await first.said(/assigned \d of 6/)
  for (let kill = 0; kill < 3; kill++) {
    const share = (kill + random.share()) / 4
    await first.until(async () => ((await stored()) >= share * explained.size ? true : undefined))
    await first.kill('SIGKILL')
    first = bed.start()
  }
  const third = bed.start()
  await third.said(/assigned \d of 6/)
  expect(await third.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  await sending
  await bed.allCommitted()
  for (const worker of [first, second]) expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })

  const hits = await bed.documents('failure')
  expect(hits.length).toBe(explained.size)
  const found = new Map(hits.map(({ _source }) => comparable(_source)))
  for (const [id, document] of explained) expect(found.get(id)).toEqual(document)
  for (const { _id, _index, _source } of hits) {
    expect((_source.event as { id: string }).id).toBe(_id)
    expect(_index.slice(-10)).toBe(String(_source['@timestamp']).slice(0, 10).replaceAll('-', '.'))
  }
  expect(await storedTotals()).toEqual(truthOf(lines))
  expect(await bed.documents('reject')).toEqual([])
})

test('a worker that is killed is replaced within the session timeout and ten seconds', async () => {
  const owner = bed.start()
  await owner.said(/assigned \d of 6/)
  const other = bed.start()
  await other.said(/assigned 3 of 6/)
  const killedMs = Date.now()
  await owner.kill('SIGKILL')
  await other.said(/assigned 6 of 6/)
  const tookMs = Date.now() - killedMs
  console.log(`partitions of a killed worker were read again after ${tookMs} ms`)
  expect(tookMs).toBeLessThan(SESSION_TIMEOUT_MS + 10_000)
  await bed.send(closingLines(600).map(({ path, record }) => ({ key: path, value: JSON.stringify(record) })))
  await bed.allCommitted()
  expect(await other.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

async function stored(): Promise<number> {
  const { count } = await bed.client.count({
    index: `why5xx-failure-${bed.namespace}-*`,
    allow_no_indices: true,
    ignore_unavailable: true
  })
  return count
}

/** One success of each pod, later than every window reaches: nothing waits behind it. */
function closingLines(afterSeconds = 300): ShippedLine[] {
  const at = new Date(Date.UTC(2026, 2, 12, 11, 0, afterSeconds))
  const time = at.toISOString().slice(11, 19)
  const line = (client: number): string =>
    `10.9.9.${client} - - [12/Mar/2026:${time} +0000] "GET /closing HTTP/1.1" 200 2 "-" "curl/8.7.1" 100 0.001 [shop-cart-80] [] 10.0.0.7:80 2 0.001 200 ${String(client).padStart(32, '0')}`
  const found = new Map<string, ShippedLine>()
  for (let client = 1; client < 255 && found.size < PODS; client++)
    for (const shipped of shippedLines(`${line(client)}\n`, PODS)) {
      shipped.record.log_offset = 50_000_000 + afterSeconds
      found.set(shipped.path, shipped)
    }
  expect(found.size).toBe(PODS)
  return [...found.values()]
}

function comparable(document: Record<string, unknown>): [string, Record<string, unknown>] {
  const flat: Record<string, unknown> = {}
  const walk = (value: unknown, path: string): void => {
    if (CUT_AND_FOUND.test(path)) return
    if (typeof value !== 'object' || value === null || Array.isArray(value)) flat[path] = value
    else for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`)
  }
  walk(document, '')
  return [String((document.event as { id: string }).id), flat]
}

/** Requests and failures per minute and upstream name, counted from the lines themselves. */
function truthOf(shipped: readonly ShippedLine[]): Map<string, [requests: number, failures: number]> {
  const counts = new Map<string, [number, number]>()
  for (const { record } of shipped) {
    const fields = /" (\d{3}) \d+ ".*" (\d+) [\d.]+ \[([^\]]*)\] \[([^\]]*)\] /.exec(record.log)
    if (record.stream === 'stderr' || fields === null) continue
    const [, status, , name, alternative] = fields
    add(counts, `${record.time.slice(0, 16)} ${alternative || name}`, 1, /^5|^00/.test(status!) ? 1 : 0)
  }
  return counts
}

async function storedTotals(): Promise<Map<string, [requests: number, failures: number]>> {
  const counts = new Map<string, [number, number]>()
  for (const { _source } of await bed.documents('rollup')) {
    const { why5xx: ours } = _source as {
      why5xx: { upstream: { name: string }; rollup: { requests: number; failures: number } }
    }
    add(
      counts,
      `${String(_source['@timestamp']).slice(0, 16)} ${ours.upstream.name}`,
      ours.rollup.requests,
      ours.rollup.failures
    )
  }
  return counts
}

function add(counts: Map<string, [number, number]>, key: string, requests: number, failures: number): void {
  const [before, failed] = counts.get(key) ?? [0, 0]
  counts.set(key, [before + requests, failed + failures])
}
