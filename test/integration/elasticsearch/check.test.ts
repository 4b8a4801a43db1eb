/** The commands of a person, on a real node: `check`, `failures`, `timeline`. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkElasticsearch } from '../../../src/check/elasticsearch.ts'
import type { FailureDocument } from '../../../src/store/document.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import type { Timeline } from '../../../src/timeline/model.ts'
import { batchOf } from '../../support/memoryReader.ts'
import { why5xxHere } from '../../support/program.ts'
import { nodeUrl, TestNamespace } from './node.ts'

const LOG = join(import.meta.dirname, '../../../samples/incidents/oom-during-load/controller.log')
const WINDOW = ['--from', '2026-11-21T10:00Z', '--to', '2026-11-21T10:20Z']

describe.skipIf(nodeUrl() === null)('on a real node', () => {
  let namespace: TestNamespace
  let flags: string[]
  beforeEach(() => {
    namespace = new TestNamespace()
    // To the program every name that begins like its own is an option.
    for (const variable of Object.keys(process.env).filter(known => known.startsWith('WHY5XX_TEST_')))
      vi.stubEnv(variable, undefined)
    const { nodes, namespace: name } = namespace.config
    flags = ['sink.kind=elasticsearch', `sink.elasticsearch.nodes=${nodes[0]}`, `sink.elasticsearch.namespace=${name}`]
    flags = flags.flatMap(setting => ['--set', setting])
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await namespace.remove()
  })

  test('check finds it as setup has left it', async () => {
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    const findings = await checkElasticsearch({ ...namespace.config, lifecycle: 'own' })
    expect(findings.slice(0, 2).map(({ about, state }) => [about, state])).toEqual([
      ['sink.elasticsearch.nodes', 'ok'],
      ['sink.elasticsearch.username', 'ok']
    ])
    // Others set up the same cluster, some with lifecycle policies.
    expect(findings.slice(2)).toEqual([
      expect.objectContaining({ about: 'sink.elasticsearch', state: expect.stringMatching(/^(?:ok|hint)$/) as string })
    ])
    expect(await namespace.indices()).toEqual([])
  })

  test('failures and timeline read it by sink.kind', async () => {
    const empty = await why5xxHere(['failures', ...flags])
    expect(empty).toMatchObject({ code: 0, stdout: 'The store is empty.\n', stderr: '' })
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    const { config } = namespace
    const writer = await openElasticsearchWriter({ config, clusterName: 'prod', keepRejects: null, notify: () => {} })
    const given = batchOf([LOG])
    await writer.write(given)
    await writer.close()
    const found = await why5xxHere(['failures', ...flags, '--format', 'ndjson', '--order', 'oldest'])
    const documents = found.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as FailureDocument)
    const byId = (a: FailureDocument, b: FailureDocument): number => (idOf(a) < idOf(b) ? -1 : 1)
    expect(documents.sort(byId)).toEqual(given.failures.map(({ document }) => document).sort(byId))
    const timeline = await why5xxHere(['timeline', ...flags, ...WINDOW, '--format', 'json'])
    expect(JSON.parse(timeline.stdout) as Timeline).toMatchObject({ requests: 2_416, failed: 97 })
  })
})

function idOf({ event }: FailureDocument): string {
  return (event as { id: string }).id
}
