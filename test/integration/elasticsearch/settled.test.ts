/** What the cluster says of a failure is searchable in a real node: by the mapping of the templates, whole words only. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { diagnose } from '../../../src/diagnose/diagnose.ts'
import { inputOfDocument } from '../../../src/failureInput.ts'
import type { Query } from '../../../src/store/elasticsearch/filterQuery.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { rejudged } from '../../../src/store/rejudged.ts'
import { T } from '../../store/examples.ts'
import { batch, EVERYTHING } from '../../store/failures.ts'
import { failure, shop, stateAt } from '../../support/settlerBed.ts'
import { nodeUrl, TestNamespace } from './node.ts'

const LABELS = ['app', 'app.kubernetes.io/version']

function settled(partition: number) {
  const { document } = failure({ path: `/${partition}`, partition })
  const diagnosis = diagnose(inputOfDocument(document), stateAt(T + 60_000))
  return rejudged(document, { isKnown: true, diagnosis }, LABELS)!
}

describe.skipIf(nodeUrl() === null)('on a real node', () => {
  let namespace: TestNamespace

  beforeEach(async () => {
    namespace = new TestNamespace()
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    const writer = await openElasticsearchWriter({
      config: namespace.config,
      clusterName: 'prod',
      keepRejects: null,
      notify: () => {}
    })
    const other = failure({ path: '/other', partition: 2, ingestedMs: T + 500 })
    await writer.write(batch({ failures: [settled(0), settled(1), other] }))
    await writer.close()
  })
  afterEach(() => namespace.remove())

  const index = (): string => `why5xx-failure-${namespace.names.namespace}-*`

  async function found(query: Query): Promise<unknown[]> {
    await namespace.client.indices.refresh({ index: index() })
    const { hits } = await namespace.client.search<{ url: { path: string } }>({ index: index(), query, size: 9 })
    return hits.hits.map(hit => hit._source!.url.path).toSorted()
  }

  test.each<[string, string, unknown]>([
    ['a label', 'labels.app', 'cart'],
    ['a label whose name has dots and slashes', 'labels.app_kubernetes_io_version', '2.4.1'],
    ['the root cause', 'why5xx.root_cause.kind', 'oom_killed'],
    ['the object at fault', 'why5xx.root_cause.ref', `Pod shop/${shop.pods[0]!.metadata.name}`],
    ['when it began', 'why5xx.root_cause.at', new Date(T - 1_000).toISOString()],
    ['how sure it is', 'why5xx.root_cause.label', 'high'],
    ['a step on the way', 'why5xx.root_cause.chain', 'oom_killed']
  ])('%s: %s', async (_name, field, value) => {
    expect(await found({ term: { [field]: value } as Record<string, string> })).toEqual(['/0', '/1'])
  })

  test.each([
    ['the workload', 'kubernetes.deployment.name', 'cart'],
    ['the version of the workload', 'service.version', '2.4.1'],
    ['the pod', 'kubernetes.pod.name', shop.pods[0]!.metadata.name]
  ])('%s of all, whatever happened to it: %s', async (_name, field, value) => {
    expect(await found({ term: { [field]: value } })).toEqual(['/0', '/1', '/other'])
  })

  test('a part of a label is none', async () => {
    expect(await found({ term: { 'labels.app_kubernetes_io_version': '2.4' } })).toEqual([])
  })

  test('the partition is indexed, and nothing else of where it was read', async () => {
    expect(await found({ term: { 'why5xx.origin.partition': 1 } })).toEqual(['/1'])
    expect(await found({ range: { 'why5xx.origin.partition': { gte: 1 } } })).toEqual(['/1', '/other'])
    for (const field of ['why5xx.origin.access.topic', 'why5xx.origin.access.partition'])
      expect(await found({ exists: { field } })).toEqual([])
    const names = Object.values(await namespace.client.indices.getMapping({ index: index() }))
    expect(names.length).toBeGreaterThan(0)
    for (const { mappings } of names) {
      const labels = (mappings.properties!.labels as { properties: object }).properties
      expect(labels).toEqual({
        app: { type: 'keyword', ignore_above: 1_024 },
        app_kubernetes_io_version: { type: 'keyword', ignore_above: 1_024 }
      })
    }
  })

  test('a search by when they were written finds exactly them', async () => {
    const reader = openElasticsearchReader(namespace.config)
    for (const [fromMs, toMs, want] of [
      [T + 500, T + 500, ['/other']],
      [T + 501, T + 1_000, ['/0', '/1']],
      [T, T + 499, []]
    ] as const) {
      const filter = { ...EVERYTHING, ingested: { fromMs, toMs } }
      const { rows } = await reader.search(filter, { limit: 9, order: 'oldest', after: null })
      expect(new Set(rows.map(({ path }) => path))).toEqual(new Set(want))
    }
    await reader.close()
  })

  test('a search by partitions finds exactly them', async () => {
    const reader = openElasticsearchReader(namespace.config)
    for (const [partitions, want] of [
      [
        [0, 2],
        ['/0', '/other']
      ],
      [[1], ['/1']],
      [[3], []]
    ] as const) {
      const { rows } = await reader.search({ ...EVERYTHING, partitions }, { limit: 9, order: 'oldest', after: null })
      expect(new Set(rows.map(({ path }) => path))).toEqual(new Set(want))
    }
    await reader.close()
  })
})
