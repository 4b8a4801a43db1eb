/** Options that are right by themselves and wrong together. */

import { impossibleAlerts } from './alertCombinations.ts'
import type { Config } from './optionTable.ts'

/**
 * One sentence for each combination that cannot work; it names both paths and what is allowed. `origins` tells where the
 * values come from that are not defaults: file, name in the environment, `--set`.
 */
export function impossibleCombinations(config: Config, origins: ReadonlyMap<string, string>): string[] {
  const named = (path: string): string => {
    const origin = origins.get(path)
    return `${path} (${origin ?? 'default'})`
  }
  const problems: string[] = []
  const { source, sink, web, kubernetes, kibana } = config
  if (source.kind === 'stdin' && origins.has('source.files.paths'))
    problems.push(
      `${named('source.kind')} is stdin, and ${named('source.files.paths')} names files: leave the paths out, or take source.kind files`
    )
  if (source.kind === 'files' && source.files.paths.length === 0)
    problems.push(
      `${named('source.kind')} is files, and ${named('source.files.paths')} is an empty list: name at least one path or pattern, or take source.kind stdin`
    )
  if (config.roles?.includes('watch') && kubernetes.api === 'none')
    problems.push(
      `${named('roles')} has watch, and ${named('kubernetes.api')} is none: set kubernetes.api to in-cluster or kubeconfig, or leave watch out of the roles`
    )
  if (config.roles?.includes('alert') && !config.roles.includes('worker') && source.kind !== 'kafka')
    problems.push(
      `${named('roles')} has alert without worker, and ${named('source.kind')} is ${source.kind}: only a topic can be read by two processes; add worker to the roles, or take source.kind kafka`
    )
  if (kubernetes.api !== 'kubeconfig' && (kubernetes.kubeconfig ?? kubernetes.context) !== null)
    problems.push(
      `${named('kubernetes.api')} is ${kubernetes.api}, and ${named(kubernetes.kubeconfig === null ? 'kubernetes.context' : 'kubernetes.kubeconfig')} is given: set kubernetes.api to kubeconfig, or leave it out`
    )
  const { tls, sasl, brokers } = source.kafka
  const { elasticsearch } = sink
  for (const [path, value, file] of [
    ['web.token', web.token, web.tokenFile],
    ['web.metricsToken', web.metricsToken, web.metricsTokenFile],
    ['alerts.alertmanager.password', config.alerts.alertmanager.password, config.alerts.alertmanager.passwordFile],
    [
      'alerts.alertmanager.bearerToken',
      config.alerts.alertmanager.bearerToken,
      config.alerts.alertmanager.bearerTokenFile
    ],
    ['source.kafka.sasl.password', sasl.password, sasl.passwordFile],
    ['sink.elasticsearch.apiKey', elasticsearch.apiKey, elasticsearch.apiKeyFile],
    ['sink.elasticsearch.password', elasticsearch.password, elasticsearch.passwordFile],
    ['kibana.apiKey', kibana.apiKey, kibana.apiKeyFile],
    ['kibana.password', kibana.password, kibana.passwordFile]
  ] as const)
    if (value !== null && file !== null)
      problems.push(
        `${named(path)} and ${named(`${path}File`)} are both given: give the ${path.split('.').at(-1)} or its file, not both`
      )
  if (sasl.mechanism !== 'none' && (sasl.username === null || (sasl.password ?? sasl.passwordFile) === null))
    problems.push(
      `${named('source.kafka.sasl.mechanism')} needs source.kafka.sasl.username and source.kafka.sasl.password (or passwordFile)`
    )
  if ((tls.certFile === null) !== (tls.keyFile === null))
    problems.push('source.kafka.tls.certFile and source.kafka.tls.keyFile go together: give both, or none')
  if (source.kind === 'kafka' && brokers.length === 0)
    problems.push(`${named('source.kind')} is kafka, and ${named('source.kafka.brokers')} is an empty list`)
  for (const [path, login] of [
    ['sink.elasticsearch', elasticsearch],
    ['kibana', kibana]
  ] as const) {
    const hasKey = (login.apiKey ?? login.apiKeyFile) !== null
    const hasPassword = (login.password ?? login.passwordFile) !== null
    if (hasKey && login.username !== null) problems.push(`${path} has an API key and a username: give one of them`)
    if (!hasKey && (login.username !== null) !== hasPassword)
      problems.push(`${path}.username and ${path}.password (or passwordFile) go together`)
  }
  if (sink.kind === 'elasticsearch' && elasticsearch.nodes.length === 0)
    problems.push(`${named('sink.kind')} is elasticsearch, and ${named('sink.elasticsearch.nodes')} is an empty list`)
  if (!/^[a-z0-9_]+$/.test(elasticsearch.namespace))
    problems.push(
      `${named('sink.elasticsearch.namespace')} is "${elasticsearch.namespace}": small letters, digits and _ only, because it is part of index names and - separates them`
    )
  if (!/^[a-z0-9_-]+$/.test(kibana.space))
    problems.push(
      `${named('kibana.space')} is "${kibana.space}": small letters, digits, _ and - only, as in the URLs of Kibana`
    )
  return [...problems, ...impossibleAlerts(config.alerts)]
}
