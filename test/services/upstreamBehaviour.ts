/**
 * What a faulty backend does once it has read a request (or, for the TLS ones, the first bytes of a connection).
 *
 * A behaviour never looks at the clock: where a fault needs an order (the client has the first bytes, then the reset), the
 * two sides meet at a `Latch`.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsHttpServer } from 'node:https'
import { createServer, type Server, type Socket } from 'node:net'
import type { Certificate } from './certificate.ts'
import type { Latch } from './latch.ts'

export interface BehaviourContext {
  certificate: Certificate
  /** Opened with the path when a backend has read the request. */
  seen: Latch
  /** Awaited by the behaviours that hold a request. */
  released: Latch
}

type Act = (socket: Socket, path: string, context: BehaviourContext, count: number) => void

const STARTED = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(100)}`
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'
const LAST_ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n'

const ACTS = {
  reset: socket => socket.resetAndDestroy(),
  premature_close: socket => socket.end(),
  hang: () => {},
  premature_body: socket => socket.end(STARTED),
  hang_body: socket => socket.write(STARTED),
  // The reset must find the first bytes already with the client, else the kernel may drop them and nginx answers 502.
  reset_body: (socket, path, { released }) => {
    socket.write(STARTED)
    void released.wait(path).then(() => socket.resetAndDestroy())
  },
  hold: (socket, path, { released }) => {
    void released.wait(path, 60_000).then(() => socket.end(LAST_ANSWER))
  },
  big_header: socket => socket.end(`HTTP/1.1 200 OK\r\nX-Big: ${'b'.repeat(9000)}\r\nContent-Length: 3\r\n\r\nok\n`),
  bad_header: socket => socket.end('HTTP/1.1 200 OK\r\nBad Header: 1\r\nContent-Length: 3\r\n\r\nok\n'),
  duplicate_length: socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nok\n'),
  length_and_chunked: socket =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n'),
  no_http: socket => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'),
  bad_chunk: socket => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n'),
  // One answer a connection, as from a server whose idle timeout ends just when nginx reuses the connection. Only a `_first`
  // request leaves an idle connection behind.
  one_answer: (socket, path, _context, count) => {
    if (count > 1) socket.end()
    else if (path.includes('_first')) socket.write(ANSWER)
    else socket.end(LAST_ANSWER)
  },
  websocket: (socket, path, { released }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.on('data', data => socket.write(data))
    if (path.includes('reset')) void released.wait(path).then(() => socket.resetAndDestroy())
  },
  flood: (socket, _path) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${FLOOD.length}\r\n\r\n${FLOOD}`)
} satisfies Record<string, Act>

/** More than the socket buffers of loopback take, so that a client which stops reading stops nginx too. */
const FLOOD = 'f'.repeat(24 * 1024 * 1024)

/** Behaviours that act on the connection, before or without reading a request. */
const CONNECTIONS = {
  never_reads: socket => socket.pause(),
  reset_upload: (socket, { seen }) => {
    let bytes = 0
    socket.on('data', data => {
      bytes += data.length
      if (bytes === data.length) seen.open(pathOf(data.toString('latin1')))
      if (bytes > 64 * 1024) socket.resetAndDestroy()
    })
  },
  tls_plain: socket => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
  tls_silent: socket => socket.resume(),
  tls_close: socket => socket.once('data', () => socket.end()),
  tls_reset: socket => socket.once('data', () => socket.resetAndDestroy())
} satisfies Record<string, (socket: Socket, context: BehaviourContext) => void>

export type Behaviour =
  | keyof typeof ACTS
  | keyof typeof CONNECTIONS
  | 'application'
  | 'application_tls'
  | 'application_tls13'

export const BEHAVIOURS: readonly Behaviour[] = [
  'application',
  'application_tls',
  'application_tls13',
  ...(Object.keys(ACTS) as (keyof typeof ACTS)[]),
  ...(Object.keys(CONNECTIONS) as (keyof typeof CONNECTIONS)[])
]

/** A server, not listening yet, and a way to cut what it still serves. */
export function createBehaviour(behaviour: Behaviour, context: BehaviourContext): { server: Server; cut: () => void } {
  const sockets = new Set<Socket>()
  const server = createUncut(behaviour, context)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  return {
    server,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    }
  }
}

function createUncut(behaviour: Behaviour, context: BehaviourContext): Server {
  if (behaviour === 'application') {
    // nginx keeps idle connections for 60 s; a shorter time here would make the keepalive race at random.
    return createHttpServer({ keepAliveTimeout: 120_000 }, (request, response) => answer(request, response, context))
  }
  if (behaviour === 'application_tls' || behaviour === 'application_tls13') {
    const { key, cert } = context.certificate
    const oldest = behaviour === 'application_tls13' ? ({ minVersion: 'TLSv1.3' } as const) : {}
    return createTlsHttpServer({ key, cert, ...oldest, keepAliveTimeout: 120_000 }, (request, response) =>
      answer(request, response, context)
    )
  }
  if (behaviour in CONNECTIONS) {
    const act = CONNECTIONS[behaviour as keyof typeof CONNECTIONS]
    return createServer(socket => act(socket, context))
  }
  const act: Act = ACTS[behaviour as keyof typeof ACTS]
  return createServer({ noDelay: true }, socket => {
    let count = 0
    onRequest(socket, path => {
      context.seen.open(path)
      act(socket, path, context, ++count)
    })
  })
}

/** The healthy application: the status is the first three digits after a `/` or `_` of the path, else 200. */
function answer(request: IncomingMessage, response: ServerResponse, { seen, released }: BehaviourContext): void {
  const path = pathOf(`GET ${request.url}`)
  const status = Number(/[/_](\d{3})[/_]/.exec(path)?.[1] ?? 200)
  const bytes = path.includes('empty')
    ? 0
    : 20 + ((path.length * 131 + Number(request.headers['content-length'] ?? 0)) % 3000)
  request.resume()
  request.on('end', () => {
    const send = () => {
      const hasBody = status >= 200 && status !== 204 && status !== 304
      response.writeHead(status, { 'Content-Type': 'text/plain', ...(hasBody ? { 'Content-Length': bytes } : {}) })
      response.end(hasBody ? 'a'.repeat(bytes) : undefined)
    }
    seen.open(path)
    if (path.includes('held')) void released.wait(path).then(send)
    else send()
  })
}

/** Calls `act` once the head and the announced body of a request are read; leftover bytes begin the next request. */
function onRequest(socket: Socket, act: (path: string) => void): void {
  let pending = ''
  socket.on('data', function read(data: Buffer) {
    pending += data.toString('latin1')
    const headEnd = pending.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = pending.slice(0, headEnd)
    const end = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    if (pending.length < end) return
    pending = pending.slice(end)
    act(pathOf(head))
  })
}

function pathOf(head: string): string {
  return (head.split(' ', 2)[1] ?? '').split('?', 1)[0] ?? ''
}
