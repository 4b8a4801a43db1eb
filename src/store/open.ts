import { existsSync } from 'node:fs'
import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { quoteForShell } from '../text.ts'
import type { StoreReader } from './store.ts'

/** Where the store lies; `path` is that of --store. */
export function storePath(_config: Config, path?: string): string {
  return path ?? './why5xx-data'
}

/** Opens the store for reading. Throws Why5xxError `WHY5XX_STORE` where there is none. Its client is loaded only now. */
export async function openReader(config: Config, path?: string): Promise<StoreReader> {
  const folder = storePath(config, path)
  if (!existsSync(folder))
    throw new Why5xxError(
      'WHY5XX_STORE',
      `there is no store at ${quoteForShell(folder)}: why5xx run makes one, --store names another`
    )
  const { openEmbeddedReader } = await import('./embedded/reader.ts')
  return openEmbeddedReader(folder)
}
