import type { ElasticsearchConfig } from '../clusterOptions.ts'
import { Why5xxError } from '../errors.ts'
import { Kibana } from '../kibana/client.ts'
import { type KibanaPlan, planKibana } from '../kibana/setup.ts'
import type { KibanaConfig } from '../kibanaOptions.ts'
import type { Outcome } from '../ownership.ts'
import { checkVersion, openClient } from '../store/elasticsearch/connection.ts'
import { lifecycleOf } from '../store/elasticsearch/open.ts'
import { type SetupResult, setUp } from '../store/elasticsearch/setup.ts'
import { jsonText, plural, safeText } from '../text.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'

export interface SetupFlags {
  dryRun?: boolean
  format?: string
  kibana?: boolean
  /** false: `--no-elasticsearch`. */
  elasticsearch?: boolean
}

type Told = { version: string } & Pick<SetupResult, 'notes'> & {
    steps: readonly { type: string; name: string; outcome: Outcome }[]
  }

/**
 * Puts templates and lifecycle policies into the cluster of `sink.elasticsearch`, with `--kibana` dashboards and more into Kibana;
 * or says what it would do. Kibana is looked at before anything is written to either.
 */
export async function runSetup(flags: SetupFlags, common: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  const isDryRun = flags.dryRun === true
  const hasCluster = flags.elasticsearch !== false
  if (!hasCluster && flags.kibana !== true)
    throw new Why5xxError('WHY5XX_USAGE', '--no-elasticsearch leaves nothing to set up without --kibana')
  const { config } = await common.load()
  const kibana = flags.kibana === true ? Kibana.open(config.kibana) : null
  try {
    const plan = kibana === null ? null : await planKibana(kibana)
    const cluster = hasCluster ? await setUpCluster(config.sink.elasticsearch, isDryRun) : null
    if (!isDryRun) await plan?.apply()
    const told = plan === null ? null : toldOf(plan, config.kibana)
    await writeOut(
      format === 'json'
        ? `${jsonText({ dryRun: isDryRun, ...cluster, ...(told !== null && { kibana: told }) })}\n`
        : setupText([cluster, told], isDryRun)
    )
    return 0
  } finally {
    await kibana?.close()
  }
}

async function setUpCluster(config: ElasticsearchConfig, isDryRun: boolean): Promise<Told> {
  const client = openClient(config)
  try {
    const version = await checkVersion(client)
    const lifecycle = config.lifecycle === 'ilm' ? lifecycleOf(config) : null
    return { version, ...(await setUp(client, { lifecycle, isDryRun })) }
  } finally {
    await client.close()
  }
}

function toldOf({ version, steps, notes }: KibanaPlan, { space }: KibanaConfig): Told & { space: string } {
  return { version, space, steps, notes }
}

function setupText(parts: readonly (Told | null)[], isDryRun: boolean): string {
  const steps = parts.flatMap(part => part?.steps ?? [])
  const changed = steps.filter(({ outcome }) => outcome !== 'unchanged').length
  const out = steps.map(({ type, name, outcome }) => `${outcome.padEnd(10)} ${type} ${safeText(name)}`)
  out.push(...parts.flatMap(part => part?.notes ?? []).map(note => `note: ${note}`))
  if (changed === 0) out.push('Everything was there already; nothing changed.')
  else if (isDryRun) out.push(`${plural(changed, 'thing')} would change; nothing was written (--dry-run).`)
  else out.push(`${plural(changed, 'thing')} changed.`)
  return `${out.join('\n')}\n`
}
