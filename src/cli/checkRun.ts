/** `why5xx check` of what a run needs: where lines come from, where they go, an address to listen on. */

import type { Finding } from '../check/finding.ts'
import { checkSinkFolder } from '../check/sinkFolder.ts'
import { checkSource } from '../check/sourceFiles.ts'
import { checkWeb } from '../check/web.ts'
import { type Role, rolesOf } from '../kubernetesOptions.ts'
import type { Config } from '../optionTable.ts'
import { RUN_OPTIONS } from '../runOptions.ts'
import { styleFor } from '../terminal.ts'
import { safeText } from '../text.ts'

/**
 * null: nobody asked. Who names files asks about these, unless options of a run are set as well; who names none asks
 * about the run.
 */
export async function checkRun(
  files: string[],
  config: Config,
  origins: ReadonlyMap<string, string>
): Promise<Finding[] | null> {
  const isAsked = files.length === 0 || RUN_OPTIONS.some(({ path }) => origins.has(path))
  if (!isAsked) return null
  const roles = rolesOf(config)
  return [
    ...(await checkLines(config, roles)),
    ...(await checkStore(config.sink, roles)),
    ...(await checkWeb(config.web)),
    ...(roles.has('alert') ? await receiversOf(config) : [])
  ]
}

/** Clients of servers are loaded only where there are servers. */
async function checkLines({ source, kubernetes, alerts }: Config, roles: ReadonlySet<Role>): Promise<Finding[]> {
  if (source.kind !== 'kafka') return checkSource(source)
  const { checkKafka } = await import('../check/kafka.ts')
  return checkKafka(source.kafka, { roles, clusterTopic: kubernetes.topic, incidentTopic: alerts.topic })
}

async function checkStore(sink: Config['sink'], roles: ReadonlySet<Role>): Promise<Finding[]> {
  // A watch writes to its record alone.
  if (!roles.has('worker') && !roles.has('alert')) return []
  if (sink.kind !== 'elasticsearch') return checkSinkFolder(sink.embedded, Date.now())
  const { checkElasticsearch } = await import('../check/elasticsearch.ts')
  return checkElasticsearch(sink.elasticsearch, roles)
}

/** Templates of messages are compiled for it. */
async function receiversOf(config: Config): Promise<Finding[]> {
  const { checkReceivers } = await import('../check/receivers.ts')
  return checkReceivers(config)
}

/** Anything to mend. */
export function hasProblem(findings: Finding[] | null): boolean {
  return findings?.some(({ state }) => state === 'problem') ?? false
}

export function runText(findings: Finding[], title = 'run'): string {
  const style = styleFor(process.stdout, true)
  const paint = { ok: style.green, hint: style.yellow, problem: style.red }
  const width = Math.max(...findings.map(({ about }) => about.length))
  const lines = findings.flatMap(({ about, state, text, mend }) => [
    `  ${paint[state](state.padEnd(7))}  ${about.padEnd(width)}  ${safeText(text)}`,
    ...(mend === null ? [] : [`${' '.repeat(width + 13)}${safeText(mend)}`])
  ])
  return `${style.bold(title)}\n${lines.join('\n')}\n`
}
