/** An HTTP proxy in front of one server: answers come late, are cut, or are given in its place. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * `slow`: the answer waits; `busy`, `unavailable`: 429 and 503, and the server hears nothing of it; `cut`: the server has
 * done what was asked, and the connection ends in the middle of its answer; `lost`: before the answer.
 */
export type ProxyFault = 'none' | 'slow' | 'busy' | 'unavailable' | 'cut' | 'lost'

const SLOW_MS = 1_500

export class FaultyProxy {
  /** Asked for every request. */
  faultOf: (path: string) => ProxyFault = () => 'none'
  readonly #target: URL
  readonly #server: Server

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((incoming, response) => {
      this.#answer(incoming, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  static async start(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming)
    const fault = this.faultOf(incoming.url!.split('?')[0]!)
    if (fault === 'busy' || fault === 'unavailable') {
      const status = fault === 'busy' ? 429 : 503
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch'
      })
      response.end(JSON.stringify({ error: { type: 'made_up_exception', reason: fault }, status }))
      return
    }
    const { host: _, ...headers } = incoming.headers
    const asked = request(new URL(incoming.url!, this.#target), { method: incoming.method!, headers })
    asked.end(body)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const bytes = await bodyOf(answer)
    if (fault === 'lost') return void response.destroy()
    const { 'transfer-encoding': _chunked, ...answered } = answer.headers
    response.writeHead(answer.statusCode!, { ...answered, 'content-length': bytes.length })
    if (fault === 'cut') response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
    else if (fault === 'slow') setTimeout(() => response.end(bytes), SLOW_MS)
    else response.end(bytes)
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
