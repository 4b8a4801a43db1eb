/** The real node of the tests, with a namespace of a test's own. */
import { randomUUID } from 'node:crypto'
import type { Client } from '@elastic/elasticsearch'
import { inject } from 'vitest'
import type { ElasticsearchConfig } from '../../../src/clusterOptions.ts'
import { openClient } from '../../../src/store/elasticsearch/connection.ts'
import { IndexNames } from '../../../src/store/elasticsearch/names.ts'
import { configOf } from '../../store/elasticsearch/config.ts'

/** null: there is none; whoever needs one is skipped. */
export function nodeUrl(): string | null {
  return inject('elasticsearch')?.url ?? null
}

export class TestNamespace {
  readonly names = new IndexNames(`es${randomUUID().replaceAll('-', '')}`)
  readonly config: ElasticsearchConfig
  readonly client: Client

  constructor(url = nodeUrl()!) {
    this.config = configOf(url, { namespace: this.names.namespace })
    this.client = openClient(this.config)
  }

  /** Every index of the namespace. */
  async indices(): Promise<string[]> {
    const found = await this.client.indices.get({ index: `why5xx-*-${this.names.namespace}*`, allow_no_indices: true })
    return Object.keys(found).sort()
  }

  /** Every document of a kind, by id, as it is now. */
  async documents(pattern: string): Promise<Map<string, { version: number; source: Record<string, unknown> }>> {
    await this.client.indices.refresh({ index: pattern, ignore_unavailable: true, allow_no_indices: true })
    const { hits } = await this.client.search<Record<string, unknown>>({
      index: pattern,
      ignore_unavailable: true,
      allow_no_indices: true,
      size: 10_000,
      version: true
    })
    return new Map(hits.hits.map(hit => [hit._id!, { version: hit._version!, source: hit._source! }]))
  }

  async remove(): Promise<void> {
    for (const index of await this.indices()) await this.client.indices.delete({ index })
    await this.client.close()
  }
}
