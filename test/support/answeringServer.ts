/** An HTTP server that answers as Elasticsearch would, by a function: for answers that no real node gives on demand. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface Asked {
  method: string
  /** Without its parameters. */
  path: string
  parameters: URLSearchParams
  /** Parsed JSON; null: none. */
  body: Record<string, unknown> | null
}

/** null: the connection is cut; otherwise status and JSON. */
export type Answer = [status: number, body: object] | null

export class AnsweringServer {
  readonly asked: Asked[] = []
  readonly #server: Server
  /** Begins without an answer to anything. */
  answer: (asked: Asked) => Answer = () => null

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<AnsweringServer> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const url = new URL(request.url!, 'http://localhost')
        const bytes = Buffer.concat(chunks)
        const text = String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes)
        const asked: Asked = {
          method: request.method!,
          path: decodeURIComponent(url.pathname),
          parameters: url.searchParams,
          body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>)
        }
        started.asked.push(asked)
        const answer = started.answer(asked)
        if (answer === null) return request.socket.destroy()
        response.writeHead(answer[0], {
          'content-type': 'application/vnd.elasticsearch+json; compatible-with=9',
          'x-elastic-product': 'Elasticsearch'
        })
        response.end(JSON.stringify(answer[1]))
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const started = new AnsweringServer(server)
    return started
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
