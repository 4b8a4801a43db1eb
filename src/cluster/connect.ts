/**
 * The way to an API server: whose kubeconfig, which context, as whom. `@kubernetes/client-node` reads the files and runs the
 * credential plugins; the requests are ours (apiRequest.ts), because its own parse every object into classes and dates, and
 * we keep what the server wrote.
 */
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent, type RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { type Connection, type Credentials, getJson } from './apiRequest.ts'

export interface ConnectOptions {
  /** `in-cluster`: the service account of the pod we run in. */
  api: 'kubeconfig' | 'in-cluster'
  /** This file alone; default: those of `$KUBECONFIG`, else `~/.kube/config`. */
  file?: string | undefined
  /** Default: the current context of the files. */
  context?: string | undefined
  /** Impersonated user and groups, as `kubectl --as`. */
  as?: string | undefined
  asGroups?: readonly string[] | undefined
  environment?: NodeJS.ProcessEnv
}

/** The service account's files, and the two variables that every pod has. */
const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const PROBE_MS = 10_000

/** Asks nobody yet. Throws Why5xxError `WHY5XX_CONFIG`: no kubeconfig, no such context, not in a pod. */
export function connect(options: ConnectOptions): Connection {
  const environment = options.environment ?? process.env
  const config = options.api === 'in-cluster' ? podConfig(environment) : fileConfig(options, environment)
  const context = selectContext(config, options)
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new Why5xxError('WHY5XX_CONFIG', `context ${context.name}: there is no cluster "${context.cluster}"`)
  let server: URL
  try {
    server = new URL(cluster.server)
  } catch (cause) {
    throw new Why5xxError('WHY5XX_CONFIG', `cluster ${cluster.name}: "${cluster.server}" is no URL`, { cause })
  }
  return {
    server,
    context: context.name,
    namespace: context.namespace || 'default',
    credentials: new Login(config, options).credentials
  }
}

/** Throws Why5xxError `WHY5XX_KUBERNETES` when nobody answers or nobody knows us; gives the version, as `v1.36.3`. */
export async function serverVersion(connection: Connection, signal?: AbortSignal): Promise<string> {
  const answer = await getJson(connection, '/version', {}, { silentMs: PROBE_MS, signal })
  const version = (answer as { gitVersion?: unknown }).gitVersion
  return typeof version === 'string' ? version : 'unknown'
}

function podConfig(environment: NodeJS.ProcessEnv): KubeConfig {
  if (!environment.KUBERNETES_SERVICE_HOST || !environment.KUBERNETES_SERVICE_PORT)
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      'not in a pod of a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig instead of in-cluster'
    )
  // The client takes a missing token for none at all, and every request would be answered 401.
  try {
    readFileSync(TOKEN_FILE)
  } catch (cause) {
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `${TOKEN_FILE}: ${systemErrorText(cause)}; the pod needs a service account with automountServiceAccountToken`,
      { cause }
    )
  }
  const config = new KubeConfig()
  config.loadFromCluster()
  return config
}

/** As kubectl does it: what a file of the list says first wins, and files of the list that do not exist are passed over. */
function fileConfig(options: ConnectOptions, environment: NodeJS.ProcessEnv): KubeConfig {
  const listed = (environment.KUBECONFIG ?? '').split(delimiter).filter(file => file !== '')
  const home = join(environment.HOME || homedir(), '.kube', 'config')
  const files = options.file !== undefined ? [options.file] : listed.length > 0 ? listed : [home]
  const loaded: KubeConfig[] = []
  const missing: string[] = []
  for (const file of files) {
    try {
      const config = new KubeConfig()
      config.loadFromFile(file)
      loaded.push(config)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && options.file === undefined) missing.push(file)
      else throw new Why5xxError('WHY5XX_CONFIG', `kubeconfig ${file}: ${firstLine(systemErrorText(cause))}`, { cause })
    }
  }
  if (loaded.length === 0)
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `no kubeconfig: there is no ${missing.join(', no ')}; name one with --kubeconfig or KUBECONFIG`
    )
  const merged = new KubeConfig()
  merged.loadFromOptions({
    clusters: firstOfName(loaded.flatMap(config => config.getClusters())),
    contexts: firstOfName(loaded.flatMap(config => config.getContexts())),
    users: firstOfName(loaded.flatMap(config => config.getUsers())),
    currentContext: loaded.map(config => config.getCurrentContext()).find(Boolean)
  })
  return merged
}

function selectContext(config: KubeConfig, options: ConnectOptions) {
  const names = config.getContexts().map(context => context.name)
  const known = names.length > 0 ? `there are: ${names.join(', ')}` : 'the kubeconfig has none'
  const wanted = options.context ?? config.getCurrentContext()
  if (!wanted) throw new Why5xxError('WHY5XX_CONFIG', `the kubeconfig has no current context: name one (${known})`)
  config.setCurrentContext(wanted)
  const context = config.getContextObject(wanted)
  if (context === null) throw new Why5xxError('WHY5XX_CONFIG', `there is no context "${wanted}" (${known})`)
  return context
}

/** What goes with every request: fresh tokens, and one agent as long as the certificates stay the same. */
class Login {
  readonly #config: KubeConfig
  readonly #as: ConnectOptions
  #agent: { key: string; agent: HttpAgent } | null = null

  constructor(config: KubeConfig, as: ConnectOptions) {
    const cluster = config.getCurrentCluster()!
    const user = config.getCurrentUser()
    // The client leaves out the authority when there is no user, and refuses `http:` unless TLS is off.
    this.#config = new KubeConfig()
    this.#config.loadFromClusterAndUser(
      { ...cluster, skipTLSVerify: cluster.skipTLSVerify || cluster.server.startsWith('http:') },
      { ...(user ?? { name: 'anonymous' }), ...(as.as === undefined ? {} : { impersonateUser: as.as }) }
    )
    this.#as = as
  }

  readonly credentials = async (): Promise<Credentials> => {
    const options: RequestOptions = {}
    try {
      await this.#config.applyToHTTPSOptions(options)
    } catch (cause) {
      const why = firstLine(systemErrorText(cause))
      throw new Why5xxError('WHY5XX_KUBERNETES', `credentials of the kubeconfig: ${why}`, { cause })
    }
    const headers = { ...(options.headers as Record<string, string> | undefined) }
    const groups = [...(this.#as.asGroups ?? [])]
    return {
      headers: groups.length > 0 ? { ...headers, 'Impersonate-Group': groups } : headers,
      ...(options.auth ? { auth: options.auth } : {}),
      agent: this.#agentFor(options)
    }
  }

  /** The client makes a new agent for every request, which would be a handshake for every page of a list. */
  #agentFor(options: RequestOptions): HttpAgent {
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }
    const made = JSON.stringify(tls)
    if (this.#agent?.key === made) return this.#agent.agent
    const { server, proxyUrl } = this.#config.getCurrentCluster()!
    const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
    const agent = proxyUrl
      ? (options.agent as HttpAgent)
      : server.startsWith('http:')
        ? new HttpAgent({ keepAlive: true })
        : new Agent({ ...given, keepAlive: true })
    this.#agent = { key: made, agent }
    return agent
  }
}

function firstOfName<T extends { name: string }>(entries: T[]): T[] {
  const byName = new Map<string, T>()
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry)
  return [...byName.values()]
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300)
}
