/** Lines of several controller pods, what `explain` says of them, and whether Elasticsearch holds exactly that. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type ShippedLine, shippedLines } from '../../../bench/cluster/shipped.ts'
import { generate } from '../../../bench/generate.ts'
import { type Folder, why5xx } from '../../support/program.ts'
import type { ClusterBed } from './bed.ts'

/** Depends on where and when a line was read, not on what it says; that no cluster was watched only a worker says. */
const CUT_AND_FOUND =
  /^(?:why5xx\.origin|why5xx\.cluster\.known|event\.created|event\.ingested|log\.file\.path)(?:\.|$)/
/** The generated hour ends here. */
const LAST_MS = Date.UTC(2026, 2, 12, 11, 0, 0)

export interface ClusterLogOptions {
  lines: number
  pods: number
  seed: number
  failing?: number
  withErrors?: boolean
}

/** Requests and failures per minute and upstream name. */
type Totals = Map<string, [requests: number, failures: number]>

export class ClusterLog {
  readonly lines: ShippedLine[]
  /** Flattened failure documents, by id. */
  readonly explained: ReadonlyMap<string, Record<string, unknown>>

  private constructor(lines: ShippedLine[], explained: ReadonlyMap<string, Record<string, unknown>>) {
    this.lines = lines
    this.explained = explained
  }

  /** Generated lines, and behind them one success of each pod that closes every window. */
  static async make(
    folder: Folder,
    { lines, pods, seed, failing = 0.08, withErrors = true }: ClusterLogOptions
  ): Promise<ClusterLog> {
    const plain = join(folder.path, 'plain.log')
    generate({ lines, seed, out: plain, failing, withErrors })
    // A shipper replaces what is no UTF-8: such a line is not the same line any more.
    const isShipped = ({ record }: ShippedLine): boolean => !record.log.includes('\ufffd')
    const shipped = [...shippedLines(readFileSync(plain, 'latin1'), pods)].filter(isShipped)
    return ClusterLog.of(folder, [...shipped, ...closingLines(pods)])
  }

  /** Asks `explain` about the files of which shippers have sent the lines. */
  static async of(folder: Folder, lines: ShippedLine[]): Promise<ClusterLog> {
    const files = new Map<string, string[]>()
    for (const { path, framed } of lines) files.set(path, [...(files.get(path) ?? []), framed])
    const names = [...files].map(([path, framed]) =>
      folder.write(path.slice(path.lastIndexOf('/') + 1), Buffer.from(`${framed.join('\n')}\n`, 'latin1'))
    )
    const { stdout, code } = await why5xx(['explain', '--format', 'ndjson', ...names])
    expect(code).toBe(0)
    const documents = stdout.trimEnd().split('\n')
    return new ClusterLog(
      lines,
      new Map(documents.map(line => comparable(JSON.parse(line) as Record<string, unknown>)))
    )
  }

  /** Every failure once, as `explain` says it, in the index of its day; every request counted once. */
  async expectIn(bed: ClusterBed): Promise<void> {
    const hits = await bed.documents('failure')
    expect(hits.length).toBe(this.explained.size)
    const found = new Map(hits.map(({ _source }) => comparable(_source)))
    for (const [id, document] of this.explained) expect(found.get(id)).toEqual(document)
    for (const { _id, _index, _source } of hits) {
      expect((_source.event as { id: string }).id).toBe(_id)
      expect(_index.slice(-10)).toBe(String(_source['@timestamp']).slice(0, 10).replaceAll('-', '.'))
    }
    expect(await storedTotals(bed)).toEqual(this.totals)
  }

  /** Counted from the lines themselves. */
  get totals(): Totals {
    const counts: Totals = new Map()
    for (const { record } of this.lines) {
      const fields = /" (\d{3}) \d+ ".*" (\d+) [\d.]+ \[([^\]]*)\] \[([^\]]*)\] /.exec(record.log)
      if (record.stream === 'stderr' || fields === null) continue
      const [, status, , name, alternative] = fields
      add(counts, `${record.time.slice(0, 16)} ${alternative || name}`, 1, /^5|^00/.test(status!) ? 1 : 0)
    }
    return counts
  }
}

/** One success of each pod, later than every window reaches: nothing waits behind it. */
export function closingLines(pods: number, afterSeconds = 300): ShippedLine[] {
  const time = new Date(LAST_MS + afterSeconds * 1_000).toISOString().slice(11, 19)
  const line = (client: number): string =>
    `10.9.9.${client} - - [12/Mar/2026:${time} +0000] "GET /closing HTTP/1.1" 200 2 "-" "curl/8.7.1" 100 0.001 [shop-cart-80] [] 10.0.0.7:80 2 0.001 200 ${String(client).padStart(32, '0')}`
  const found = new Map<string, ShippedLine>()
  for (let client = 1; client < 255 && found.size < pods; client++)
    for (const shipped of shippedLines(`${line(client)}\n`, pods)) {
      shipped.record.log_offset = 50_000_000 + afterSeconds
      found.set(shipped.path, shipped)
    }
  expect(found.size).toBe(pods)
  return [...found.values()]
}

export async function storedTotals(bed: ClusterBed): Promise<Totals> {
  const counts: Totals = new Map()
  for (const { _source } of await bed.documents('rollup')) {
    const { why5xx: ours } = _source as {
      why5xx: { upstream: { name: string }; rollup: { requests: number; failures: number } }
    }
    const { requests, failures } = ours.rollup
    add(counts, `${String(_source['@timestamp']).slice(0, 16)} ${ours.upstream.name}`, requests, failures)
  }
  return counts
}

/** What `explain` and a stored document of one failure must agree on. */
export function comparable(document: Record<string, unknown>): [id: string, flat: Record<string, unknown>] {
  const flat: Record<string, unknown> = {}
  const walk = (value: unknown, path: string): void => {
    if (CUT_AND_FOUND.test(path)) return
    if (typeof value !== 'object' || value === null || Array.isArray(value)) flat[path] = value
    else for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`)
  }
  walk(document, '')
  return [String((document.event as { id: string }).id), flat]
}

function add(counts: Totals, key: string, requests: number, failures: number): void {
  const [before, failed] = counts.get(key) ?? [0, 0]
  counts.set(key, [before + requests, failed + failures])
}
