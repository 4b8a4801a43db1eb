/** Whether Elasticsearch can be reached, is one we can use, and lets us write and read. Nothing is changed there. */

import { type Client, errors } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../clusterOptions.ts'
import { Why5xxError } from '../errors.ts'
import { checkVersion, openClient, sentenceOf } from '../store/elasticsearch/connection.ts'
import { IndexNames } from '../store/elasticsearch/names.ts'
import { type Finding, hint, ok, problem, wrongSetting } from './finding.ts'
import { checkTemplates } from './templates.ts'

const NODES = 'sink.elasticsearch.nodes'
const LOGIN = 'sink.elasticsearch.username'
const NAMESPACE = 'sink.elasticsearch.namespace'
/** A person waits. */
const ANSWER_MS = 5_000
/** Of the indices of our namespace: what a worker does with them. */
const WRITE_PRIVILEGES = ['create_index', 'index', 'read', 'view_index_metadata']

export async function checkElasticsearch(config: ElasticsearchConfig): Promise<Finding[]> {
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
      await checkPrivileges(reached, names),
      ...(await checkTemplates(reached, config)),
      ...(await checkAutoCreation(reached, names))
    ]
  } finally {
    await Promise.all(clients.map(client => client.close()))
  }
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

async function checkPrivileges(client: Client, names: IndexNames): Promise<Finding> {
  const pattern = `why5xx-*-${names.namespace}*`
  try {
    const answer = await client.security.hasPrivileges({ index: [{ names: [pattern], privileges: WRITE_PRIVILEGES }] })
    const held = Object.values(answer.index)[0] ?? {}
    const missing = WRITE_PRIVILEGES.filter(privilege => held[privilege] !== true)
    if (missing.length === 0) return ok(LOGIN, `${answer.username} may write and read ${pattern}`)
    return problem(
      LOGIN,
      `${answer.username} lacks ${missing.join(', ')} on ${pattern}`,
      `give its role the index privileges ${WRITE_PRIVILEGES.join(', ')} and maintenance on why5xx-*`
    )
  } catch (error) {
    // A cluster without security has no such question.
    if (error instanceof errors.ResponseError)
      return ok(LOGIN, 'the cluster asks nobody for a login: whoever reaches it may read and delete')
    return problem(LOGIN, `the rights of our user cannot be asked: Elasticsearch ${sentenceOf(error)}`, mendFor(error))
  }
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
