/** As much of a Kubernetes API server as a watch needs: lists, and streams that a test writes to. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const NOT_SERVED = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }

export class ScriptedApiServer {
  /** By the last part of the path: `pods`. What is not here is served without an object. */
  readonly items = new Map<string, object[]>()
  readonly #server: Server
  readonly #streams = new Map<string, Set<ServerResponse>>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<ScriptedApiServer> {
    const server = createServer((request, response) => api.#answer(new URL(request.url!, 'http://localhost'), response))
    const api = new ScriptedApiServer(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return api
  }

  /** A kubeconfig that leads here. */
  get kubeconfig(): string {
    const { port } = this.#server.address() as AddressInfo
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      users: [{ name: 'test', user: {} }]
    })
  }

  /** Somebody watches that resource. */
  isWatched(resource: string): boolean {
    return (this.#streams.get(resource)?.size ?? 0) > 0
  }

  tell(resource: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: object): void {
    for (const stream of this.#streams.get(resource) ?? []) stream.write(`${JSON.stringify({ type, object })}\n`)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #answer({ pathname, searchParams }: URL, response: ServerResponse): void {
    response.setHeader('content-type', 'application/json')
    const resource = pathname.split('/').at(-1)!
    if (pathname === '/version') response.end(JSON.stringify({ gitVersion: 'v1.36.0' }))
    else if (pathname.startsWith('/apis/metrics.k8s.io')) {
      response.statusCode = 404
      response.end(JSON.stringify(NOT_SERVED))
    } else if (searchParams.has('watch')) {
      const streams = this.#streams.get(resource) ?? new Set()
      this.#streams.set(resource, streams.add(response))
      response.on('close', () => streams.delete(response))
      response.flushHeaders()
    } else
      response.end(
        JSON.stringify({ metadata: { resourceVersion: '10' }, items: this.items.get(resource) ?? [], kind: 'List' })
      )
  }
}
