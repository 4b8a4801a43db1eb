import { Why5xxError } from '../errors.ts'
import { checkVersion, openClient } from '../store/elasticsearch/connection.ts'
import { lifecycleOf } from '../store/elasticsearch/open.ts'
import { type SetupResult, setUp } from '../store/elasticsearch/setup.ts'
import { jsonText, plural, safeText } from '../text.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'

export interface SetupFlags {
  dryRun?: boolean
  format?: string
}

/** Puts templates and lifecycle policies into the cluster of `sink.elasticsearch`, or says what it would do. */
export async function runSetup(flags: SetupFlags, common: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  const { elasticsearch } = (await common.load()).config.sink
  const isDryRun = flags.dryRun === true
  const client = openClient(elasticsearch)
  try {
    const version = await checkVersion(client)
    const lifecycle = elasticsearch.lifecycle === 'ilm' ? lifecycleOf(elasticsearch) : null
    const result = await setUp(client, { lifecycle, isDryRun })
    await writeOut(
      format === 'json' ? `${jsonText({ version, dryRun: isDryRun, ...result })}\n` : setupText(result, isDryRun)
    )
    return 0
  } finally {
    await client.close()
  }
}

function setupText({ steps, notes }: SetupResult, isDryRun: boolean): string {
  const changed = steps.filter(({ outcome }) => outcome !== 'unchanged').length
  const out = steps.map(({ type, name, outcome }) => `${outcome.padEnd(10)} ${type} ${safeText(name)}`)
  out.push(...notes.map(note => `note: ${note}`))
  if (changed === 0) out.push('Everything was there already; nothing changed.')
  else if (isDryRun) out.push(`${plural(changed, 'thing')} would change; nothing was written (--dry-run).`)
  else out.push(`${plural(changed, 'thing')} changed.`)
  return `${out.join('\n')}\n`
}
