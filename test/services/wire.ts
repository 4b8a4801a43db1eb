/** A client's connection written and read by hand: most faults of clients are requests no HTTP library would send. */
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { LabRequest } from './labRequest.ts'
import { within } from './latch.ts'

const EXCHANGE_MS_MAX = 20_000

// A user agent that names Chrome gets error pages with 402 bytes of padding.
const USER_AGENTS = [
  'curl/8.5.0',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36',
  'lab/1'
]

export interface Wire {
  socket: Socket
  /** What came so far, one character a byte. */
  text(): string
  /** Waits for text that matches. */
  until(pattern: RegExp): Promise<void>
  /** Waits until the other side has closed; gives all text. */
  closed(): Promise<string>
}

/** Connects from the client address of the request; `tls` asks for a handshake and its options. */
export async function openWire(port: number, client: string, tls?: ConnectionOptions): Promise<Wire> {
  const raw = connect({ port, host: '127.0.0.1', localAddress: client, noDelay: true })
  const socket = tls === undefined ? raw : connectTls({ rejectUnauthorized: false, ...tls, socket: raw })
  let text = ''
  let isClosed = false
  socket.on('data', data => {
    text += data.toString('latin1')
  })
  raw.on('error', () => raw.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    isClosed = true
  })
  // Not `once` of node:events: it rejects on an error, and a reset is an answer like any other here.
  const closed = new Promise(resolve => socket.once('close', resolve))
  const connected = new Promise(resolve => socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve))
  await within(Promise.race([connected, closed]), EXCHANGE_MS_MAX, `no connection to ${port}`)
  return {
    socket,
    text: () => text,
    until: async pattern => {
      const deadline = performance.now() + EXCHANGE_MS_MAX
      while (!pattern.test(text)) {
        if (isClosed || performance.now() > deadline) throw new Error(`no ${pattern} in ${text.slice(0, 200)}`)
        await Promise.race([new Promise(resolve => socket.once('data', resolve)), closed])
      }
    },
    closed: async () => {
      await within(closed, EXCHANGE_MS_MAX, 'nginx did not close the connection')
      return text
    }
  }
}

export interface HeadOptions {
  method?: string
  host?: string
  connection?: string
  headers?: readonly string[]
  body?: string
}

/** The bytes of a request. Each has a query and some a referrer that nobody may ever print. */
export function requestBytes(request: LabRequest, options: HeadOptions = {}): string {
  const { method = 'GET', host = 'lab.test', connection = 'close', headers = [], body } = options
  const serial = request.path.length + Number(/\d+$/.exec(request.path)?.[0] ?? 0)
  return [
    `${method} ${request.path}?q=secret HTTP/1.1`,
    `Host: ${host}`,
    `Connection: ${connection}`,
    `User-Agent: ${USER_AGENTS[serial % USER_AGENTS.length]}`,
    ...(serial % 5 === 0 ? ['Referer: https://shop.test/cart?token=secret'] : []),
    ...(request.id === null ? [] : [`X-Request-ID: ${request.id}`]),
    ...headers,
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
    '',
    body ?? ''
  ].join('\r\n')
}

/** One whole exchange on a connection of its own. */
export async function exchange(
  port: number,
  request: LabRequest,
  bytes: string,
  tls?: ConnectionOptions
): Promise<string> {
  const wire = await openWire(port, request.client, tls)
  wire.socket.write(bytes, 'latin1')
  return await wire.closed()
}
