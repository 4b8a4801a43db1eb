/** The roles of deploy/elasticsearch/, for a namespace of a test, as the README's line with `sed` makes them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../../src/clusterOptions.ts'

const FOLDER = join(import.meta.dirname, '../../deploy/elasticsearch')
export const ROLE_NAMES = ['setup', 'writer', 'files', 'retention', 'alert', 'reader'] as const
export type ShippedRole = (typeof ROLE_NAMES)[number]

export interface RoleBody {
  cluster?: string[]
  indices?: { names: string[]; privileges: string[] }[]
}

/** `why5xx-writer.json`, for another namespace than `default`. */
export function shippedFile<T = RoleBody>(file: string, namespace = 'default'): T {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8').replaceAll('-default', `-${namespace}`)) as T
}

export function shippedRole(name: ShippedRole, namespace?: string): RoleBody {
  return shippedFile(`why5xx-${name}.json`, namespace)
}

/** The same without a privilege, wherever it stands. */
export function without({ cluster = [], indices = [] }: RoleBody, privilege: string): RoleBody {
  const left = indices.map(({ names, privileges }) => ({
    names,
    privileges: privileges.filter(name => name !== privilege)
  }))
  return {
    cluster: cluster.filter(name => name !== privilege),
    indices: left.filter(({ privileges }) => privileges.length > 0)
  }
}

const PASSWORD = 'correct-horse-battery'

/** Makes users with roles of their own, and gives the configuration with which one of them works. */
export class Logins {
  readonly #client: Client
  readonly #config: ElasticsearchConfig

  /** `client` may manage users; `config` is its own. */
  constructor(client: Client, config: ElasticsearchConfig) {
    this.#client = client
    this.#config = config
  }

  /** Called again with the same name it changes what the user may. */
  async user(username: string, namespace: string, ...roles: RoleBody[]): Promise<ElasticsearchConfig> {
    const names: string[] = []
    for (const [i, role] of roles.entries()) {
      const name = `${username}-${i}`
      await this.#client.security.putRole({ name, ...(role as object) })
      names.push(name)
    }
    await this.#client.security.putUser({ username, password: PASSWORD, roles: names })
    return { ...this.#config, namespace, username, password: PASSWORD }
  }

  /** A key made from a body as it is shipped. */
  async key(body: object, namespace: string): Promise<ElasticsearchConfig> {
    const { encoded } = await this.#client.security.createApiKey(body)
    return { ...this.#config, namespace, username: null, password: null, apiKey: encoded }
  }
}
