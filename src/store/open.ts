import type { Config } from '../optionTable.ts'
import type { StoreReader } from './store.ts'

/**
 * Opens the store that the configuration names, for reading; `path`: that folder instead (--store). Its client is loaded
 * only now. Throws Why5xxError `WHY5XX_STORE` where there is none.
 */
export async function openReader({ sink, clusterName }: Config, path?: string): Promise<StoreReader> {
  if (sink.kind === 'elasticsearch') {
    const { openElasticsearchReader } = await import('./elasticsearch/openReader.ts')
    return openElasticsearchReader(sink.elasticsearch)
  }
  const { openEmbeddedReader } = await import('./embedded/reader.ts')
  return openEmbeddedReader(path ?? sink.embedded.path, clusterName)
}
