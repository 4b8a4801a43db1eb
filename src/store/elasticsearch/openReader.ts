import type { ElasticsearchConfig } from '../../clusterOptions.ts'
import { openClient } from './connection.ts'
import { IndexNames } from './names.ts'
import { ElasticsearchReader } from './reader.ts'

/**
 * Opens what workers wrote, for reading. Nothing is asked before the first question: a server that is away is said then.
 * Throws Why5xxError `WHY5XX_CONFIG` for settings that cannot be.
 */
export function openElasticsearchReader(config: ElasticsearchConfig): ElasticsearchReader {
  const names = new IndexNames(config.namespace)
  return new ElasticsearchReader(openClient(config), names, config.nodes.join(', '))
}
