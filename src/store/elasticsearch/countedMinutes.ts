/** Which minutes of a container were counted from other streams: asked before old files are counted again. */

import type { Client } from '@elastic/elasticsearch'
import type { Patience } from './patience.ts'
import { refresh } from './requests.ts'

const CONTAINERS_AT_ONCE = 1_000
const BUCKETS_AT_ONCE = 5_000

type AfterKey = Record<string, string | number>

interface Bucket {
  key: { minute: number; container: string }
}

/** As `StoreWriter.countedMinutes`; `index`: the pattern of all totals. */
export async function countedMinutes(
  client: Client,
  patience: Patience,
  index: string,
  containers: readonly string[],
  stream: string
): Promise<Set<string>> {
  const counted = new Set<string>()
  if (containers.length === 0) return counted
  await refresh(client, patience, index)
  for (let from = 0; from < containers.length; from += CONTAINERS_AT_ONCE) {
    const wanted = new Set(containers.slice(from, from + CONTAINERS_AT_ONCE))
    for (let after: AfterKey | undefined; ; ) {
      const { buckets, next } = await patience.ask(() => page(client, index, [...wanted], stream, after))
      // A document of a wanted container may name others beside it.
      for (const { key } of buckets) if (wanted.has(key.container)) counted.add(`${key.container}\n${key.minute}`)
      if (next === undefined) break
      after = next
    }
  }
  return counted
}

async function page(
  client: Client,
  index: string,
  containers: string[],
  stream: string,
  after: AfterKey | undefined
): Promise<{ buckets: Bucket[]; next: AfterKey | undefined }> {
  const answer = await client.search({
    index,
    ignore_unavailable: true,
    allow_no_indices: true,
    allow_partial_search_results: false,
    size: 0,
    query: {
      bool: {
        filter: [{ terms: { 'why5xx.rollup.containers': containers } }],
        must_not: [{ term: { 'why5xx.rollup.stream': stream } }]
      }
    },
    aggs: {
      minutes: {
        composite: {
          size: BUCKETS_AT_ONCE,
          sources: [
            { minute: { terms: { field: '@timestamp' } } },
            { container: { terms: { field: 'why5xx.rollup.containers' } } }
          ],
          ...(after !== undefined && { after })
        }
      }
    }
  })
  const minutes = answer.aggregations?.minutes as { buckets: Bucket[]; after_key?: AfterKey } | undefined
  return { buckets: minutes?.buckets ?? [], next: minutes?.after_key }
}
