import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { quoteForShell } from '../text.ts'

/** Throws Why5xxError `WHY5XX_USAGE` when `--store` names a folder and the configuration another store. */
export function checkStoreFlag({ sink }: Config, folder: string | undefined): void {
  if (folder === undefined || sink.kind === 'embedded') return
  throw new Why5xxError(
    'WHY5XX_USAGE',
    `--store ${folder} names a folder, and sink.kind is ${sink.kind}: leave --store out, or add --set sink.kind=embedded`
  )
}

/** What people call the store of the configuration. */
export function storeName({ sink }: Config): string {
  if (sink.kind === 'embedded') return sink.embedded.path
  return `${sink.elasticsearch.nodes.join(', ')}, namespace ${sink.elasticsearch.namespace}`
}

/** The flag that makes another command read it, with a blank in front; '' where its defaults or the configuration do. */
export function storeFlag({ sink }: Config): string {
  const isDefault = sink.kind !== 'embedded' || sink.embedded.path === './why5xx-data'
  return isDefault ? '' : ` --store ${quoteForShell(sink.embedded.path)}`
}
