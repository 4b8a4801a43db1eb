/** Whether our user has the rights on indices that its roles need; deploy/elasticsearch/ has them as files. */

import { type Client, errors } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../clusterOptions.ts'
import type { Role } from '../kubernetesOptions.ts'
import { sentenceOf } from '../store/elasticsearch/connection.ts'
import type { IndexNames } from '../store/elasticsearch/names.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const LOGIN = 'sink.elasticsearch.username'
/** Either lets a first document make its index. */
const CREATE = 'auto_configure'
const CREATE_OTHERWISE = 'create_index'
/** No such question: security is off there, and with it every route of it. Anything else is an answer that we did not get. */
const NO_SECURITY = [400, 404, 405]

/** Rights on some indices. Each is asked for on each of the names. */
interface Right {
  names: string[]
  privileges: string[]
}

/** `roles`: of the process that is asked about; a role alert by itself writes incidents and nothing else. */
export async function checkPrivileges(
  client: Client,
  names: IndexNames,
  { lifecycle, apiKey, apiKeyFile }: Pick<ElasticsearchConfig, 'lifecycle' | 'apiKey' | 'apiKeyFile'>,
  roles: ReadonlySet<Role>
): Promise<Finding> {
  const needed = neededRights(names, lifecycle, roles.has('worker'))
  const asked = needed.map(right => ({
    names: right.names,
    privileges: right.privileges.flatMap(name => (name === CREATE ? [CREATE, CREATE_OTHERWISE] : [name]))
  }))
  const hasKey = (apiKey ?? apiKeyFile) !== null
  let who: string
  let held: Record<string, Record<string, boolean>>
  try {
    const answer = await client.security.hasPrivileges({ index: asked as never })
    // Of a key Elasticsearch names the user who made it, who may do more.
    who = hasKey ? `our API key, made by ${answer.username},` : answer.username
    held = answer.index
  } catch (error) {
    if (error instanceof errors.ResponseError && NO_SECURITY.includes(error.statusCode ?? 0))
      return ok(LOGIN, 'the cluster asks nobody for a login: whoever reaches it may read and delete')
    const mend = 'start it, or let this machine reach it'
    return problem(LOGIN, `the rights of our user cannot be asked: Elasticsearch ${sentenceOf(error)}`, mend)
  }
  const isHeld = (index: string, privilege: string): boolean => {
    const of = new Map(Object.entries(held[index] ?? {}))
    return of.get(privilege) === true || (privilege === CREATE && of.get(CREATE_OTHERWISE) === true)
  }
  const lacking = needed.flatMap(right => {
    const privileges = right.privileges.filter(name => !right.names.every(index => isHeld(index, name)))
    return privileges.length === 0 ? [] : [{ names: right.names, privileges }]
  })
  const indices = names.patterns.join(' and ')
  if (lacking.length === 0)
    return ok(LOGIN, `${who} may read ${indices}, and write ${roles.has('worker') ? 'them' : names.incident}`)
  const text = `${who} lacks ${lacking.map(textOf).join('; ')}`
  const isNeeded = lacking.some(({ privileges }) => privileges.some(name => name !== 'maintenance'))
  const place = hasKey ? 'the role_descriptors of a new key' : 'its role'
  if (!isNeeded)
    return hint(LOGIN, `${text}: what was just written is found some seconds late`, `give ${place} this privilege too`)
  const files = new Set(
    lacking.flatMap(({ privileges }) =>
      privileges.includes('delete_index') ? ['retention'] : [roles.has('worker') ? 'writer' : 'alert']
    )
  )
  const shipped = [...files].map(name => `deploy/elasticsearch/why5xx-${name}.json`).join(' and ')
  return problem(LOGIN, text, `give ${place} these index privileges, as in ${shipped}`)
}

function neededRights(names: IndexNames, lifecycle: ElasticsearchConfig['lifecycle'], isWorker: boolean): Right[] {
  const all = names.patterns
  if (!isWorker)
    return [
      { names: all, privileges: ['read', 'maintenance'] },
      { names: [names.incident], privileges: [CREATE, 'index'] }
    ]
  const writing: Right = { names: all, privileges: [CREATE, 'index', 'read', 'maintenance'] }
  if (lifecycle !== 'own') return [writing]
  return [writing, { names: [all[1]], privileges: ['view_index_metadata', 'delete_index'] }]
}

function textOf({ names, privileges }: Right): string {
  return `${privileges.join(', ')} on ${names.join(' and ')}`
}
