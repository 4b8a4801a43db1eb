import type { Config } from '../optionTable.ts'
import type { StoreReader } from './store.ts'

/**
 * Opens the store that the configuration names, for reading; `path`: another one (--store). Its client is loaded only now.
 * Throws Why5xxError `WHY5XX_STORE` where there is none.
 */
export async function openReader(config: Config, path = config.sink.embedded.path): Promise<StoreReader> {
  const { openEmbeddedReader } = await import('./embedded/reader.ts')
  return openEmbeddedReader(path)
}
