/** The HTTP listener: health, readiness and metrics. It reads what others keep and changes nothing. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { type ListenAddress, listenText } from '../listenOption.ts'
import { listenError, missingToken } from './listenAdvice.ts'

export interface ServerParts {
  listen: ListenAddress
  /** Opens everything. null: there is none. */
  token: string | null
  /** Opens /metrics alone. null: there is none. */
  metricsToken: string | null
  /** Why the process should be started again, one sentence each; empty: it is well. */
  health: () => string[]
  /** Why it does not do its work yet, or just now; empty: it does. */
  ready: () => string[]
  metrics: MetricsText
  /** Told of what made an answer 500. */
  onError?: (error: unknown) => void
}

/** What /metrics answers. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

export interface RunningServer {
  /** Where it is reached: `http://127.0.0.1:43121`. */
  readonly address: string
  /** Ends within two seconds, whatever its clients do. */
  close(): Promise<void>
}

/** A client that has not sent its request by then, or does not take its answer, makes room for others. */
const REQUEST_MS = 10_000
const SILENT_MS = 15_000
/** Between two scrapes a connection may stay open for a while; it costs a few KiB. */
const KEEP_ALIVE_MS = 20_000
const CONNECTIONS_MAX = 500
/** How long `close` lets answers under way come to their end. */
const CLOSING_MS = 1_000

/** Answers to programs: nothing in them is to be shown, framed, cached or guessed at by a browser. */
const HEADERS: Record<string, string> = {
  server: 'why5xx',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** Throws Why5xxError `WHY5XX_LISTEN` when the address cannot be had. */
export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const server = createAdaptorServer({
    fetch: application(parts).fetch,
    // The global Request and Response stay Node's: other libraries use them too.
    overrideGlobalObjects: false,
    serverOptions: {
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: 8_192
    }
  }) as Server
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(SILENT_MS)
  await bind(server, parts.listen)
  const bound = server.address() as AddressInfo
  return { address: addressText(parts.listen, bound), close: () => closeServer(server) }
}

function application({ listen, token, metricsToken, health, ready, metrics, onError }: ServerParts): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value)
    // A body that nobody asked for is not read on for the sake of the connection.
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') context.header('connection', 'close')
  })
  app.get('/healthz', context => {
    const reasons = health()
    return reasons.length === 0 ? context.text('ok\n') : context.json({ healthy: false, reasons }, 503)
  })
  app.get('/readyz', context => {
    const reasons = ready()
    return context.json({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503)
  })
  // Scrapes at the same moment share one text.
  let collecting: Promise<string> | null = null
  app.get('/metrics', async context => {
    const refused = refusal(context, listen, [token, metricsToken])
    if (refused) return refused
    collecting ??= metrics.text().finally(() => {
      collecting = null
    })
    return context.body(await collecting, 200, { 'content-type': metrics.contentType })
  })
  app.notFound(context => context.json({ error: 'there are /healthz, /readyz and /metrics here' }, 404))
  app.onError((error, context) => {
    onError?.(error)
    return context.json({ error: 'why5xx could not answer; this is a fault of its own' }, 500)
  })
  return app
}

/** Who may read what is not open to everyone: who has a token; without any token, who is on this machine. */
function refusal(context: Context, listen: ListenAddress, tokens: (string | null)[]): Response | null {
  const accepted = tokens.filter(token => token !== null)
  if (accepted.length === 0) {
    const missing = missingToken(listen, accepted.length)
    if (missing !== null) return context.json({ error: missing }, 403)
    // A page in a browser on this machine may have its name resolved to 127.0.0.1, but cannot hide that name.
    if (!isLocalHost(context.req.header('host') ?? ''))
      return context.json({ error: 'without a token only localhost and addresses are answered, no other names' }, 403)
    return null
  }
  const given = /^Bearer +(\S+) *$/i.exec(context.req.header('authorization') ?? '')?.[1]
  if (given !== undefined && accepted.map(token => isEqual(given, token)).includes(true)) return null
  context.header('www-authenticate', 'Bearer realm="why5xx"')
  return context.json({ error: 'this needs the header Authorization: Bearer TOKEN' }, 401)
}

/** In a time that tells nothing of the token, not even its length. */
function isEqual(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

function isLocalHost(host: string): boolean {
  return /^(?:localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(host)
}

function bind(server: Server, listen: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays: later errors are connections that could not be accepted (too many open files); they come again.
    server.on('error', error => reject(listenError(listen, error)))
    server.listen({ port: listen.port, ...(listen.host !== null && { host: listen.host }) }, () => resolve())
  })
}

/** With every address of the machine: one that works on the machine itself. */
function addressText({ host }: ListenAddress, bound: AddressInfo): string {
  const name = host === null || host === '::' ? 'localhost' : host === '0.0.0.0' ? '127.0.0.1' : bound.address
  return `http://${listenText({ host: name, port: bound.port })}`
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  const force = setTimeout(() => server.closeAllConnections(), CLOSING_MS)
  await closed
  clearTimeout(force)
}
