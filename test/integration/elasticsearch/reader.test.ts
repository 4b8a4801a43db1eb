/** Reading from a real node what the contract does not tell: real incidents, writes between pages, many pages. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tableOfDocuments } from '../../../src/store/documentTable.ts'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { ElasticsearchReader } from '../../../src/store/elasticsearch/reader.ts'
import { Searches } from '../../../src/store/elasticsearch/searches.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import type { Batch, Page, StoreReader, StoreWriter } from '../../../src/store/store.ts'
import { readTimeline } from '../../../src/timeline/readTimeline.ts'
import { all, batch, EVERYTHING, failure, MINUTE_MS, NOON, totals } from '../../store/failures.ts'
import { counted, listed } from '../../store/tableQuestions.ts'
import { batchOf } from '../../support/memoryReader.ts'
import { nodeUrl, TestNamespace } from './node.ts'

const INCIDENTS = join(import.meta.dirname, '../../../samples/incidents')

async function writeTo(writer: StoreWriter, given: Batch): Promise<void> {
  try {
    await writer.write(given)
  } finally {
    await writer.close()
  }
}

describe.skipIf(nodeUrl() === null)('on a real node', () => {
  let namespace: TestNamespace
  let reader: StoreReader
  const openWriter = (): Promise<StoreWriter> =>
    openElasticsearchWriter({ config: namespace.config, clusterName: 'prod', keepRejects: null, notify: () => {} })

  beforeEach(async () => {
    namespace = new TestNamespace()
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    reader = openElasticsearchReader(namespace.config)
  })
  afterEach(async () => {
    await reader.close()
    await namespace.remove()
  })

  test.each(readdirSync(INCIDENTS))('the timeline of %s is that of the embedded store', async incident => {
    const given = batchOf([join(INCIDENTS, incident, 'controller.log')])
    expect(given.failures.length).toBeGreaterThan(10)
    const folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
    const path = join(folder, 'store')
    await writeTo(await openEmbeddedWriter(path, { retention: null }), given)
    await writeTo(await openWriter(), given)
    const embedded = await openEmbeddedReader(path)
    try {
      for (const narrow of [{}, { services: ['shop/cart'] }, { causes: ['connection_refused', 'read_timeout'] }]) {
        const filter = { ...EVERYTHING, fromMs: NOON, toMs: NOON + 20 * MINUTE_MS, ...narrow }
        const timeline = await readTimeline(reader, filter)
        expect(timeline).toEqual(await readTimeline(embedded, filter))
        expect(timeline.requests).toBeGreaterThan(0)
        expect(await reader.counts(filter, 5 * MINUTE_MS)).toEqual(await embedded.counts(filter, 5 * MINUTE_MS))
      }
      const options = { limit: 10_000, order: 'oldest', after: null } as const
      expect(await reader.search(EVERYTHING, options)).toEqual(await embedded.search(EVERYTHING, options))
      expect(await reader.span()).toEqual(await embedded.span())
    } finally {
      await embedded.close()
      rmSync(folder, { recursive: true })
    }
  })

  test('what is written and judged again between two pages is neither lost nor repeated', async () => {
    const name = (i: number): string => `id-${String(i).padStart(3, '0')}`
    const at = (i: number) => failure({ id: name(i), timeMs: NOON + Math.floor(i / 4) })
    const writer = await openWriter()
    await writer.write(batch({ failures: Array.from({ length: 40 }, (_, i) => at(2 * i)) }))
    const seen: string[] = []
    let after: string | null = null
    for (let pages = 1; pages === 1 || after !== null; pages++) {
      const page: Page = await reader.search(EVERYTHING, { limit: 10, order: 'oldest', after })
      seen.push(...page.rows.map(({ id }) => id))
      after = page.next
      if (pages > 3) continue
      const last = Number(seen.at(-1)!.slice(3))
      // One in front of the cursor, one behind it; one that was read and one that will be get another judgement.
      await writer.write(
        batch({
          failures: [at(last - 1), at(last + 1), ...[last - 2, last + 2].map(i => ({ ...at(i), version: 9 + pages }))]
        })
      )
    }
    await writer.close()
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual([...seen].sort())
    expect(seen).toEqual(expect.arrayContaining(Array.from({ length: 40 }, (_, i) => name(2 * i))))
    expect(seen.filter(id => Number(id.slice(3)) % 2 === 1)).toHaveLength(3)
  })

  test('counts and totals of many pages are those of one', async () => {
    const upstreams = Array.from({ length: 5 }, (_, i) => `shop-s${i}-80`)
    const minutes = Array.from({ length: 12 }, (_, i) => NOON + i * MINUTE_MS)
    const cells = minutes.flatMap(minuteMs => upstreams.map(upstream => ({ minuteMs, upstream })))
    await writeTo(
      await openWriter(),
      batch({
        failures: cells.flatMap(({ minuteMs, upstream }, i) => [
          failure({ id: `a${i}`, upstream, timeMs: minuteMs + i }),
          failure({ id: `b${i}`, upstream, timeMs: minuteMs + 59_999, status: 200, masked: true }),
          failure({ id: `c${i}`, upstream, timeMs: minuteMs, cause: 'client_closed', status: 499 })
        ]),
        totals: cells.map((cell, i) => totals({ ...cell, requests: i, durationMsSum: i / 8 }))
      })
    )
    const client = openClient(namespace.config)
    const inPages = new ElasticsearchReader(client, namespace.names, 'here', new Searches(client, 'here', 7))
    for (const stepMs of [MINUTE_MS, 5 * MINUTE_MS, Number.POSITIVE_INFINITY]) {
      const counts = await inPages.counts(EVERYTHING, stepMs)
      expect(counts).toEqual(await reader.counts(EVERYTHING, stepMs))
      expect(counts.reduce((sum, { failed, masked, other }) => sum + failed + 10 * masked + 100 * other, 0)).toBe(6_660)
      const sums = await inPages.totals(EVERYTHING, stepMs)
      expect(sums).toEqual(await reader.totals(EVERYTHING, stepMs))
      expect(sums.reduce((sum, row) => sum + row.requests + row.durationMsSum, 0)).toBe(1_770 * 1.125)
    }
    await inPages.close()
    expect((await all(reader.scan(EVERYTHING))).length).toBe(180)
  })

  test('a table is whole, however many pages its groups and its documents take', async () => {
    const failures = Array.from({ length: 620 }, (_, i) =>
      failure({ id: `id-${String(i).padStart(3, '0')}`, status: i < 10 ? 504 : 502, message: `m${(i * 77) % 620}` })
    )
    await writeTo(await openWriter(), batch({ failures }))
    const client = openClient(namespace.config)
    const inPages = new ElasticsearchReader(client, namespace.names, 'here', new Searches(client, 'here', 120))
    try {
      const window = { fromMs: NOON, toMs: NOON + MINUTE_MS, stepMs: MINUTE_MS, params: {} }
      const groups = counted('failure', {
        by: [{ as: 'id', field: 'event.id' }],
        measures: [
          { as: 'n', count: true },
          { as: 'first', min: 'event.id' }
        ],
        sort: [{ by: 'id', order: 'descending' }],
        limit: 1_000
      })
      expect(await inPages.table(groups, window)).toEqual(failures.map(({ id }) => ({ id, n: 1, first: id })).reverse())
      // More of them share the last place than come along at once, and only their text tells them apart.
      const columns = [
        { as: 'status', field: 'http.response.status_code' },
        { as: 'message', field: 'message' }
      ]
      const ties = listed('failure', columns, { sort: [{ by: 'status', order: 'ascending' }], limit: 2 })
      const documents = failures.map(({ document }) => document)
      expect(await inPages.table(ties, window)).toEqual(tableOfDocuments(ties, window, documents))
      expect(await inPages.table({ ...ties, limit: 400 }, window)).toEqual(
        tableOfDocuments({ ...ties, limit: 400 }, window, documents)
      )
    } finally {
      await inPages.close()
    }
  })
})
