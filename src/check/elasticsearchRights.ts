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

/** Rights on some indices. Each is asked for on each of the names. */
interface Right {
  names: string[]
  privileges: string[]
}

/** `roles`: of the process that is asked about; a role alert by itself writes incidents and nothing else. */
export async function checkPrivileges(
  client: Client,
  names: IndexNames,
  { lifecycle }: Pick<ElasticsearchConfig, 'lifecycle'>,
  roles: ReadonlySet<Role>
): Promise<Finding> {
  const needed = neededRights(names, lifecycle, roles.has('worker'))
  const asked = needed.map(right => ({
    names: right.names,
    privileges: right.privileges.flatMap(name => (name === CREATE ? [CREATE, CREATE_OTHERWISE] : [name]))
  }))
  let username: string
  let held: Record<string, Record<string, boolean>>
  try {
    const answer = await client.security.hasPrivileges({ index: asked as never })
    username = answer.username
    held = answer.index
  } catch (error) {
    // A cluster without security has no such question.
    if (error instanceof errors.ResponseError)
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
    return ok(LOGIN, `${username} may read ${indices}, and write ${roles.has('worker') ? 'them' : names.incident}`)
  const text = `${username} lacks ${lacking.map(textOf).join('; ')}`
  const isNeeded = lacking.some(({ privileges }) => privileges.some(name => name !== 'maintenance'))
  if (!isNeeded)
    return hint(LOGIN, `${text}: what was just written is found some seconds late`, 'give its role this privilege too')
  const file = roles.has('worker') ? 'why5xx-writer.json' : 'why5xx-alert.json'
  return problem(LOGIN, text, `give its role these index privileges, as in deploy/elasticsearch/${file}`)
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
