/** An HTTP server that people's alerts are sent to: answers, hangs, cuts and redirects as it is told. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Posted {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export class HookServer {
  readonly posted: Posted[] = []
  readonly #server: Server
  /** Takes everything by default. Without an answer it hangs. */
  answer: (response: ServerResponse, posted: Posted) => void = response => void response.end('ok')

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { method, url, headers } = request
        const posted = { method: method!, path: url!, headers, body: Buffer.concat(chunks).toString('utf8') }
        this.posted.push(posted)
        this.answer(response, posted)
      })
    })
  }

  static async start(): Promise<HookServer> {
    const started = new HookServer()
    await new Promise<void>(resolve => started.#server.listen(0, '127.0.0.1', resolve))
    return started
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `http://${this.host}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
