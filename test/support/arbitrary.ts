import fc from 'fast-check'
import { seconds, timeVariables, type UpstreamState, upstreamVariables, type Variables } from './nginxRender.ts'

export const byte: fc.Arbitrary<string> = fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code))
const visible = fc.integer({ min: 0x21, max: 0x7e }).map(code => String.fromCharCode(code))

/** What clients send: mostly plain text, now and then any byte, quotes, brackets and things that look like fields. */
export const clientText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.string({ unit: visible, maxLength: 8 }) },
      { weight: 1, arbitrary: fc.string({ unit: byte, maxLength: 6 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(' ', '"', '\\', '" 200 0 "', '] [', '\\x22', ' - ', ', ', ' : ', '502, 200')
      }
    ),
    { maxLength: 4 }
  )
  .map(parts => parts.join(''))

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map(parts => parts.join('.'))
const ipv6 = fc.constantFrom('2001:db8::1', '::1', '::ffff:192.0.2.1', 'fe80::1:2:3:4')
export const client = fc.oneof({ weight: 5, arbitrary: ipv4 }, ipv6, fc.constant('unix:'))
const port = fc.integer({ min: 1, max: 65_535 })
export const peer = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(ipv4, port).map(([address, at]) => `${address}:${at}`) },
  fc.tuple(ipv6, port).map(([address, at]) => `[${address}]:${at}`),
  fc.constantFrom('unix:/tmp/app.sock', 'upstream_balancer')
)

const timeMs = fc.oneof(fc.nat(100), fc.nat(200_000))
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 })

const attempt: fc.Arbitrary<UpstreamState> = fc.record({
  peer,
  status: orNull(fc.constantFrom(101, 200, 204, 301, 404, 499, 500, 502, 503, 504, 599)),
  responseTimeMs: orNull(timeMs),
  responseBytes: fc.oneof(fc.constant(0), fc.nat(10_000_000)),
  connectTimeMs: orNull(timeMs),
  headerTimeMs: orNull(timeMs)
})
const peerless: UpstreamState = {
  peer: null,
  status: null,
  responseTimeMs: 0,
  responseBytes: 0,
  connectTimeMs: null,
  headerTimeMs: null
}
/** Attempts, borders between groups, and attempts without a peer. */
export const states = fc.oneof(
  { weight: 4, arbitrary: fc.array(attempt, { maxLength: 1 }) },
  fc.array(fc.oneof({ weight: 4, arbitrary: attempt }, fc.constant(peerless)), { maxLength: 6 })
)

export const method = fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'M-SEARCH', 'LOCK')
/** A path: begins with `/`, ends visibly, has no `?`. */
const path = clientText.map(text => `/${text.replaceAll('?', '')}x`)
const query = fc.option(
  clientText.map(text => `${text}y`),
  { nil: null }
)
const version = fc.constantFrom('1.0', '1.1', '2.0')
const name = fc.oneof(
  fc.constantFrom('', '-', 'upstream-default-backend', 'internal'),
  fc
    .tuple(
      fc.constantFrom('shop', 'a-b', 'kube-system'),
      fc.constantFrom('cart', 'x-y-z'),
      fc.constantFrom('80', 'http')
    )
    .map(parts => parts.join('-'))
)
const requestId = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.string({
        unit: fc.integer({ min: 0, max: 15 }).map(digit => digit.toString(16)),
        minLength: 32,
        maxLength: 32
      })
    },
    clientText
  )
  // `502 : 200` of a client that sends `X-Request-ID: : 200` cannot be told from two groups.
  .filter(text => !text.startsWith(': '))

/** What one request made nginx know: the raw values, and the variables as the log module sees them. */
export interface Request {
  client: string
  user: string | null
  timeMs: number
  method: string
  path: string
  query: string | null
  version: string
  host: string | null
  status: number
  bodyBytes: number
  referrer: string | null
  userAgent: string | null
  requestLength: number
  requestTimeMs: number
  upstreamName: string
  alternativeName: string
  states: UpstreamState[]
  requestId: string | null
  connection: number
  namespace: string | null
  ingress: string | null
  service: string | null
  variables: Variables
}

const second = fc.integer({ min: 1_400_000_000, max: 2_000_000_000 })
const zoneMinutes = fc.constantFrom(0, 0, 60, -210, 345, 840)

export const request: fc.Arbitrary<Request> = fc
  .record({
    client,
    // `[a] - b` would be an older format's second address.
    user: fc.option(
      clientText.filter(text => !text.startsWith('[')),
      { nil: null, freq: 2 }
    ),
    second,
    millisecond: fc.nat(999),
    zoneMinutes,
    method,
    path,
    query,
    version,
    host: fc.option(fc.oneof(fc.constantFrom('shop.example.com', 'shop.example.com:8443'), clientText), { nil: null }),
    status: fc.oneof(fc.constantFrom(0, 9, 200, 404, 499, 502, 504), fc.nat(999)),
    bodyBytes: fc.nat(10_000_000),
    referrer: fc.option(clientText, { nil: null }),
    userAgent: fc.option(clientText, { nil: null }),
    requestLength: fc.nat(100_000),
    requestTimeMs: timeMs,
    upstreamName: name,
    alternativeName: fc.constantFrom('', '', 'shop-cart-canary-80'),
    states,
    requestId: fc.option(requestId, { nil: null, freq: 8 }),
    connection: fc.nat(10_000_000),
    namespace: fc.constantFrom('shop', null),
    ingress: fc.constantFrom('cart-ingress', null),
    service: fc.constantFrom('cart', null)
  })
  .map(({ second: at, millisecond, zoneMinutes: zone, ...given }) => {
    const uri = given.query === null ? given.path : `${given.path}?${given.query}`
    const variables: Variables = {
      ...timeVariables(at * 1000 + millisecond, zone),
      ...upstreamVariables(given.states),
      remote_addr: given.client,
      remote_user: given.user,
      request: `${given.method} ${uri} HTTP/${given.version}`,
      request_method: given.method,
      request_uri: uri,
      uri: given.path,
      args: given.query,
      server_protocol: `HTTP/${given.version}`,
      host: given.host,
      http_host: given.host,
      status: String(given.status).padStart(3, '0'),
      body_bytes_sent: String(given.bodyBytes),
      bytes_sent: String(given.bodyBytes + 200),
      http_referer: given.referrer,
      http_user_agent: given.userAgent,
      http_x_forwarded_for: null,
      request_length: String(given.requestLength),
      request_time: seconds(given.requestTimeMs),
      proxy_upstream_name: given.upstreamName,
      proxy_alternative_upstream_name: given.alternativeName,
      req_id: given.requestId,
      connection: String(given.connection),
      namespace: given.namespace,
      ingress_name: given.ingress,
      service_name: given.service,
      x_forwarded: given.client
    }
    return { ...given, timeMs: at * 1000 + millisecond, variables }
  })
