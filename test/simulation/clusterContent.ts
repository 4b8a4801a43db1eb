/** What a cluster has kept, in a form that two of them can be compared in. */
import type { Cluster } from './clusterWorker.ts'

export interface ClusterContent {
  /** Failures, controller lines and gaps, rejects: whole, by index and id. */
  documents: Map<string, unknown>
  /** Sums per minute × upstream, every column. */
  totals: Map<string, Record<string, number>>
  /** Messages of the reject topic, each once. */
  kept: string[]
}

const COUNTED = /^(?:requests|failures|masked|client_closed|status_\d+|duration_ms_sum)$/

export function contentOf({ elasticsearch, kept }: Pick<Cluster, 'elasticsearch' | 'kept'>): ClusterContent {
  const documents = new Map<string, unknown>()
  for (const kind of ['failure', 'controller', 'reject'])
    for (const [key, source] of elasticsearch.sources(`why5xx-${kind}-`)) documents.set(...comparable(key, source))
  const totals: ClusterContent['totals'] = new Map()
  for (const [, source] of elasticsearch.sources('why5xx-rollup-')) {
    const { upstream, rollup } = source.why5xx as { upstream: { name: string }; rollup: Record<string, number> }
    const key = `${String(source['@timestamp']).slice(0, 16)} ${upstream.name}`
    const sum = totals.get(key) ?? {}
    for (const [column, count] of Object.entries(rollup))
      if (COUNTED.test(column)) sum[column] = (sum[column] ?? 0) + count
    totals.set(key, sum)
  }
  return { documents: sorted(documents), totals: sorted(totals), kept: [...kept].sort() }
}

/** How often a document was tried, when it was written and when a gap was noticed says nothing about them. */
function comparable(key: string, source: Record<string, unknown>): [string, unknown] {
  const { reject, gap } = source.why5xx as { reject?: { attempts?: number }; gap?: object }
  if (gap !== undefined) return [`gap ${String(source.message)}`, gap]
  if (reject !== undefined) delete reject.attempts
  delete (source.event as { ingested?: string }).ingested
  return [key, source]
}

function sorted<T>(map: Map<string, T>): Map<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}
