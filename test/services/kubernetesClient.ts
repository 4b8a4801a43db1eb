/** A client of a test's own: what it does to a cluster, and its own record of that. */
import { writeFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { eventually } from './latch.ts'

type Json = Record<string, unknown>

export interface ApiObject {
  kind?: string
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; deletionTimestamp?: string }
  spec?: { nodeName?: string }
  status?: { podIP?: string; phase?: string; conditions?: { type: string; status: string }[] }
  items?: ApiObject[]
}

export interface RoleRule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

const ANSWER_MS = 30_000

export class KubernetesClient {
  readonly #url: string
  readonly #options: RequestOptions

  readonly #kubeconfig: string

  private constructor(kubeconfig: string, url: string, options: RequestOptions) {
    this.#kubeconfig = kubeconfig
    this.#url = url
    this.#options = options
  }

  static async of(kubeconfig: string): Promise<KubernetesClient> {
    const config = new KubeConfig()
    config.loadFromFile(kubeconfig)
    const login: RequestOptions = {}
    await config.applyToHTTPSOptions(login)
    const { ca, cert, key, headers } = login
    return new KubernetesClient(kubeconfig, config.getCurrentCluster()!.server, {
      headers,
      agent: new Agent({ keepAlive: true, ca, cert, key })
    } as RequestOptions)
  }

  /** The way to the same server with a token: writes the file and gives its name. */
  kubeconfigWith(folder: string, token: string): string {
    const config = new KubeConfig()
    config.loadFromFile(this.#kubeconfig)
    const cluster = config.getCurrentCluster()!
    config.loadFromClusterAndUser({ ...cluster }, { name: 'user', token })
    const file = join(folder, 'kubeconfig')
    writeFileSync(file, config.exportConfig(), { mode: 0o600 })
    return file
  }

  get(path: string): Promise<ApiObject> {
    return this.#send('GET', path)
  }

  async list(path: string): Promise<ApiObject[]> {
    return (await this.#send('GET', path)).items ?? []
  }

  create(path: string, object: Json): Promise<ApiObject> {
    return this.#send('POST', path, object)
  }

  /** A merge patch: null removes. */
  patch(path: string, change: Json): Promise<ApiObject> {
    return this.#send('PATCH', path, change, 'application/merge-patch+json')
  }

  /** Server-side, as `kubectl apply --server-side`: made when it is not there, and no field may be unknown. */
  apply(path: string, object: Json, options: { dryRun?: boolean } = {}): Promise<ApiObject> {
    const dryRun = options.dryRun ? '&dryRun=All' : ''
    const query = `fieldManager=why5xx-test&force=true&fieldValidation=Strict${dryRun}`
    return this.#send('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml')
  }

  delete(path: string): Promise<ApiObject> {
    return this.#send('DELETE', path)
  }

  async makeNamespace(name: string): Promise<string> {
    await this.create('/api/v1/namespaces', { metadata: { name } })
    return name
  }

  /** Gives the token of a service account that may do this, everywhere or in its own namespace alone, and no more. */
  async makeServiceAccount(
    namespace: string,
    name: string,
    rules: RoleRule[],
    scope: 'everywhere' | 'namespace' = 'everywhere'
  ): Promise<string> {
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
    const role = `${namespace}-${name}`
    await this.create(accounts, { metadata: { name } })
    await this.create(`${rbac}/clusterroles`, { metadata: { name: role }, rules })
    const binding = scope === 'everywhere' ? 'clusterrolebindings' : `namespaces/${namespace}/rolebindings`
    await this.create(`${rbac}/${binding}`, {
      metadata: { name: role },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', namespace, name }]
    })
    const answer = (await this.create(`${accounts}/${name}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600 }
    })) as { status?: { token?: string } }
    return answer.status!.token!
  }

  /** The object once it is as wanted. */
  until(path: string, isSo: (object: ApiObject) => boolean, what: string, timeoutMs = 60_000): Promise<ApiObject> {
    return eventually(
      async () => {
        const object = await this.get(path).catch(() => undefined)
        return object !== undefined && isSo(object) ? object : undefined
      },
      what,
      timeoutMs
    )
  }

  #send(method: string, path: string, body?: Json, type = 'application/json'): Promise<ApiObject> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(this.#options.headers as Record<string, string>),
        ...(body ? { 'content-type': type } : {})
      }
      const sent = request(`${this.#url}${path}`, { ...this.#options, method, headers, timeout: ANSWER_MS })
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)))
      sent.on('error', reject)
      sent.on('response', response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (response.statusCode! >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          else resolve((text.startsWith('{') ? JSON.parse(text) : {}) as ApiObject)
        })
      })
      sent.end(body && JSON.stringify(body))
    })
  }
}
