/** The contract of stores on a real node. */
import { describe } from 'vitest'
import { openElasticsearchIncidents } from '../../../src/store/elasticsearch/incidentWriter.ts'
import { openElasticsearchWriter } from '../../../src/store/elasticsearch/open.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { type StoreUnderTest, testStore } from '../../store/contract.ts'
import { nodeUrl, TestNamespace } from './node.ts'

async function store(): Promise<StoreUnderTest> {
  const namespace = new TestNamespace()
  const { client, config } = namespace
  await setUp(client, { lifecycle: null, isDryRun: false })
  return {
    openWriter: () => openElasticsearchWriter({ config, clusterName: 'prod', keepRejects: null, notify: () => {} }),
    openReader: async () => openElasticsearchReader(config),
    openIncidents: async () => openElasticsearchIncidents({ config, clusterName: 'prod', notify: () => {} }),
    // What is written stays as it is.
    settle: async () => {},
    remove: () => namespace.remove()
  }
}

describe.skipIf(nodeUrl() === null)('on a real node', () => testStore('Elasticsearch', store))
