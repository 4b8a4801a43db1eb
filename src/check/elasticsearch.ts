/** Whether Elasticsearch can be reached, is one we can use, and lets us write and read. Nothing is changed there. */

import { type Client, errors } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../clusterOptions.ts'
import { Why5xxError } from '../errors.ts'
import type { Role } from '../kubernetesOptions.ts'
import { checkVersion, openClient } from '../store/elasticsearch/connection.ts'
import { IndexNames } from '../store/elasticsearch/names.ts'
import { checkPrivileges } from './elasticsearchRights.ts'
import { type Finding, hint, isThisMachine, ok, problem, wrongSetting } from './finding.ts'
import { checkTemplates } from './templates.ts'

const NODES = 'sink.elasticsearch.nodes'
const NAMESPACE = 'sink.elasticsearch.namespace'
/** A person waits. */
const ANSWER_MS = 5_000

/** `roles`: of the process that is asked about. */
export async function checkElasticsearch(
  config: ElasticsearchConfig,
  roles: ReadonlySet<Role> = new Set(['worker'])
): Promise<Finding[]> {
  let names: IndexNames
  let clients: Client[]
  try {
    names = new IndexNames(config.namespace)
    clients = config.nodes.map(node => openClient({ ...config, nodes: [node] }).child({ requestTimeout: ANSWER_MS }))
  } catch (error) {
    return [wrongSetting(error)]
  }
  try {
    const nodes = await Promise.all(clients.map((client, i) => checkNode(client, config.nodes[i]!)))
    const reached = clients[nodes.findIndex(({ state }) => state !== 'problem')]
    if (reached === undefined) return nodes
    return [
      // One of several nodes is enough for a run.
      ...nodes.map(finding => (finding.state === 'problem' ? { ...finding, state: 'hint' as const } : finding)),
      ...openLogins(config),
      await checkPrivileges(reached, names, config, roles),
      ...(await checkTemplates(reached, config)),
      ...(await checkAutoCreation(reached, names))
    ]
  } finally {
    await Promise.all(clients.map(client => client.close()))
  }
}

/** Nodes that our login reaches over a network that may be listened to. */
function openLogins({ nodes, apiKey, apiKeyFile, username }: ElasticsearchConfig): Finding[] {
  if ((apiKey ?? apiKeyFile ?? username) === null) return []
  return nodes
    .map(node => new URL(node))
    .filter(({ protocol, hostname }) => protocol === 'http:' && !isThisMachine(hostname))
    .map(({ origin }) =>
      hint(
        NODES,
        `${origin}: our login and all documents go there unencrypted`,
        'take https, and caFile where its authority is your own'
      )
    )
}

async function checkNode(client: Client, node: string): Promise<Finding> {
  let version: string
  try {
    version = await checkVersion(client)
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    return problem(NODES, `${node}: ${error.message}`, mendFor(error.cause))
  }
  const [major, minor, patch] = version.split('.').map(Number)
  if (major === 9 && minor === 4 && patch! < 7)
    return hint(
      NODES,
      `${node}: Elasticsearch ${version} counts wrongly by time (its versions 9.4.0 to 9.4.6)`,
      'update it to 9.4.7 or later; until then why5xx failures works, why5xx timeline and dashboards do not'
    )
  return ok(NODES, `${node}: Elasticsearch ${version}`)
}

function mendFor(cause: unknown): string {
  if (cause instanceof errors.ResponseError && cause.statusCode === 401)
    return 'set sink.elasticsearch.apiKeyFile, or username and passwordFile, to what it accepts'
  if (cause instanceof errors.ResponseError && cause.statusCode === 403)
    return 'give our user the cluster privilege monitor'
  if (cause instanceof errors.ConnectionError && /certificate|self.signed|issuer/i.test(cause.message))
    return 'set sink.elasticsearch.caFile to the authority that signed its certificate'
  return 'start it, or set sink.elasticsearch.nodes to where Elasticsearch 9.0 or later is'
}

/** `action.auto_create_index`: a day's index is made by its first document. */
async function checkAutoCreation(client: Client, names: IndexNames): Promise<Finding[]> {
  const name = 'action.auto_create_index'
  let rule: string
  try {
    const all = await client.cluster.getSettings({ include_defaults: true, flat_settings: true })
    rule = String(all.transient?.[name] ?? all.persistent[name] ?? all.defaults?.[name] ?? 'true')
  } catch {
    // Whoever may not ask finds out by writing; then the run pauses and says so.
    return []
  }
  const index = names.daily('failure', 0)
  if (mayCreate(rule, index)) return []
  return [
    problem(
      NAMESPACE,
      `${name} is ${rule}: the first document of a day cannot make ${index.replace(/[\d.]+$/, '…')}`,
      `let it begin with +why5xx-*`
    )
  ]
}

/** `true`, `false`, or patterns of which the first that fits decides: `+why5xx-*,-*`; what fits none is not made. */
export function mayCreate(rule: string, index: string): boolean {
  if (rule === 'true' || rule === 'false') return rule === 'true'
  for (const part of rule.replace(/^\[|\]$/g, '').split(',')) {
    const [, sign, pattern] = /^\s*([+-]?)(.*?)\s*$/.exec(part)!
    const parts = pattern!.split('*').map(text => text.replace(/[^\w]/g, '\\$&'))
    if (new RegExp(`^${parts.join('.*')}$`).test(index)) return sign !== '-'
  }
  return false
}
