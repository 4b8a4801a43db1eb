/** In front of a real API server: logs of pods come from the test, because kwok's pods write none; all else passes through. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { makeServerFolder } from '../../services/serverProcess.ts'

const LOG = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/

export interface AskedLog {
  pod: string
  parameters: URLSearchParams
}

export class LogProxy {
  /** Paths of everything that was asked for. */
  readonly paths: string[] = []
  readonly logs: AskedLog[] = []
  /** The log of a pod; null: the API server answers itself. */
  logOf: (asked: AskedLog) => string | null = () => null
  readonly #server: Server
  readonly #target: URL
  readonly #agent: Agent
  readonly #config = new KubeConfig()

  private constructor(kubeconfig: string) {
    this.#config.loadFromFile(kubeconfig)
    const cluster = this.#config.getCurrentCluster()!
    this.#target = new URL(cluster.server)
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
    this.#server = createServer((incoming, response) => {
      this.#answer(incoming, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  static async start(kubeconfig: string): Promise<LogProxy> {
    const proxy = new LogProxy(kubeconfig)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** A kubeconfig through the proxy; contexts by name, each with a token. */
  kubeconfig(tokens: Record<string, string>, current: string): string {
    const file = join(makeServerFolder('kubeconfig'), 'config')
    const names = Object.keys(tokens)
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    writeFileSync(
      file,
      JSON.stringify({
        'current-context': current,
        clusters: [{ name: 'proxy', cluster: { server } }],
        users: names.map(name => ({ name, user: { token: tokens[name] } })),
        contexts: names.map(name => ({ name, context: { cluster: 'proxy', user: name } }))
      }),
      { mode: 0o600 }
    )
    return file
  }

  /** Token of the administrator. */
  get token(): string {
    return this.#config.getCurrentUser()!.token!
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url!, this.#target)
    this.paths.push(url.pathname)
    const [, namespace, pod] = LOG.exec(url.pathname) ?? []
    if (pod !== undefined) {
      // Whoever may not read it is refused: the server is asked, and by it the log itself is not to be had.
      const log = { pod, parameters: url.searchParams }
      const isAllowed = await this.#mayRead(namespace!, incoming.headers)
      const text = isAllowed ? this.logOf(log) : null
      if (isAllowed) this.logs.push(log)
      if (text !== null) response.writeHead(200, { 'content-type': 'text/plain' }).end(text)
      else sendStatus(response, isAllowed ? 400 : 403, `pods "${pod}" has no log here`)
      return
    }
    const { host: _, ...headers } = incoming.headers
    const asked = request(url, { method: incoming.method!, headers, agent: this.#agent })
    incoming.pipe(asked)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const { 'transfer-encoding': _chunked, ...answered } = answer.headers
    response.writeHead(answer.statusCode!, answered)
    answer.pipe(response)
  }

  async #mayRead(namespace: string, { authorization, ...others }: IncomingMessage['headers']): Promise<boolean> {
    const url = new URL('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', this.#target)
    const impersonation = Object.fromEntries(Object.entries(others).filter(([name]) => name.startsWith('impersonate-')))
    const asked = request(url, {
      method: 'POST',
      headers: { authorization: authorization!, ...impersonation, 'content-type': 'application/json' },
      agent: this.#agent
    })
    const resourceAttributes = { namespace, verb: 'get', resource: 'pods', subresource: 'log' }
    asked.end(
      JSON.stringify({
        kind: 'SelfSubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        spec: { resourceAttributes }
      })
    )
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const review = JSON.parse(Buffer.concat(chunks).toString()) as { status?: { allowed?: boolean } }
    return review.status?.allowed === true
  }
}

function sendStatus(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }))
}
