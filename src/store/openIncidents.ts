import type { Config } from '../optionTable.ts'
import type { IncidentWriter } from './store.ts'

export interface IncidentWriterOptions {
  /** A sentence for the log. */
  notify: (text: string) => void
}

/**
 * Opens the store that the configuration names, for writing incidents; of an embedded one behind `openSink`, where this
 * process writes failures too. A cluster that is away shows at the first `put`. Throws Why5xxError `WHY5XX_CONFIG`, and what
 * opening a folder throws.
 */
export async function openIncidentWriter(config: Config, { notify }: IncidentWriterOptions): Promise<IncidentWriter> {
  const { sink, clusterName } = config
  if (sink.kind === 'elasticsearch') {
    const { openElasticsearchIncidents } = await import('./elasticsearch/incidentWriter.ts')
    return openElasticsearchIncidents({ config: sink.elasticsearch, clusterName, notify })
  }
  const { path, retention } = sink.embedded
  const { openEmbeddedIncidents } = await import('./embedded/openIncidents.ts')
  return openEmbeddedIncidents(path, { retention, notify })
}
