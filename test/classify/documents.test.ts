/** Which lines get a document, what is counted, and on what evidence: design §5, bullet by bullet. */
import { describe, expect, test } from 'vitest'
import { BackendFacts } from '../../src/classify/backendFacts.ts'
import { runEngine } from '../support/engineRun.ts'
import { accessLine, at, errorLine, MESSAGES as M } from '../support/lines.ts'

const T = at('10:00:00')

function access(status: number, up = '-|-|-|-', more: Partial<Parameters<typeof accessLine>[0]> = {}): string {
  return accessLine({ timeMs: T, status, up, ...more })
}

function error(message: string, more: Partial<Parameters<typeof errorLine>[0]> = {}): string {
  return errorLine({ timeMs: T, message, ...more })
}

function causesOf(...lines: string[]): string[] {
  return runEngine(lines).failures.map(failure => failure.cause)
}

describe('get a document', () => {
  test.each<[string, string[], string]>([
    ['502', [access(502, '10.0.0.7:80|0|0.001|502')], 'header_too_big'],
    ['500 of the application', [access(500, '10.0.0.7:80|812|0.010|500', { bytes: 812 })], 'upstream_error'],
    ['503 without endpoints', [access(503, '-|-|-|-', { bytes: 190 })], 'no_endpoints'],
    ['599', [access(599, '10.0.0.7:80|12|0.010|599', { bytes: 12 })], 'upstream_error'],
    ['000', [access(0, '10.0.0.7:80|900|0.010|200', { bytes: 900 })], 'invalid_response'],
    ['009', [access(9, '10.0.0.7:80|900|0.010|200', { bytes: 900 })], 'invalid_response'],
    [
      'a failure that a retry saved',
      [access(200, '10.0.0.7:80, 10.0.0.8:80|0, 61|0.001, 0.010|502, 200', { bytes: 61 })],
      'connection_refused'
    ],
    ['499', [access(499, '10.0.0.7:80|0|3.100|-', { time: '3.100', bytes: 0 })], 'client_closed'],
    ["nginx's 400", [access(400, '-|-|-|-', { name: '', bytes: 150 })], 'bad_request'],
    ["nginx's 405", [access(405, '-|-|-|-', { name: '', bytes: 150, request: 'TRACE / HTTP/1.1' })], 'bad_request'],
    ["nginx's 408", [access(408, '-|-|-|-', { name: '', bytes: 0 })], 'client_timeout'],
    ["nginx's 413", [access(413, '-|-|-|-', { name: '-', bytes: 176 })], 'body_too_large'],
    ["nginx's 414", [access(414, '-|-|-|-', { name: '', bytes: 170 })], 'bad_request'],
    ["nginx's 421", [access(421, '-|-|-|-', { name: '', bytes: 166 })], 'client_tls_failure'],
    ["nginx's 429", [access(429, '-|-|-|-', { bytes: 162 })], 'rate_limited'],
    [
      "the catch-all's 404",
      [access(404, '127.0.0.1:8181|146|0.001|404', { name: 'upstream-default-backend', bytes: 146 })],
      'no_route'
    ],
    [
      'an error page in place of what failed',
      [
        access(
          404,
          '10.0.0.7:80, 10.0.0.7:80, 10.0.0.7:80 : 10.0.1.5:8080|0, 0, 0 : 146|0.001, 0.000, 0.001 : 0.001|502, 502, 502 : 404',
          { name: 'upstream-default-backend', bytes: 146 }
        )
      ],
      'connection_refused'
    ],
    [
      'a 200 whose answer the upstream cut',
      [error(M.cutBody, { upstream: '10.0.0.7:80' }), access(200, '10.0.0.7:80|900|0.100|200', { bytes: 900 })],
      'premature_close'
    ],
    [
      'a 206 whose answer was reset',
      [error(M.cutByReset, { upstream: '10.0.0.7:80' }), access(206, '10.0.0.7:80|900|0.100|206', { bytes: 900 })],
      'connection_reset'
    ],
    [
      'a 200 that the client left with a short body',
      [
        error('epoll_wait() reported that client prematurely closed connection while sending to client', {
          level: 'info',
          upstream: '10.0.0.7:80'
        }),
        access(200, '10.0.0.7:80|900|0.100|200', { bytes: 400 })
      ],
      'client_closed'
    ],
    ['a TLS handshake', [error(M.tlsHandshake, { level: 'crit', request: null, host: null })], 'client_tls_failure'],
    [
      'a TLS handshake at level info',
      [error(M.tlsHandshake, { level: 'info', request: null, host: null })],
      'client_tls_failure'
    ],
    [
      'worker_connections, without a client',
      [error('16384 worker_connections are not enough', { level: 'alert', connection: null, client: null })],
      'controller_overload'
    ],
    [
      'an HTTP/2 preface that is none',
      [
        error('invalid connection preface while processing HTTP/2 connection', {
          level: 'info',
          request: null,
          host: null
        })
      ],
      'bad_request'
    ]
  ])('%s', (_name, lines, cause) => {
    expect(causesOf(...lines)).toEqual([cause])
  })
})

describe('get none', () => {
  test.each<[string, string[]]>([
    ['200', [access(200, '10.0.0.7:80|61|0.010|200', { bytes: 61 })]],
    ['304', [access(304, '10.0.0.7:80|0|0.010|304', { bytes: 0 })]],
    ['308 of nginx', [access(308, '-|-|-|-', { bytes: 164 })]],
    ['101, however long', [access(101, '10.0.0.7:80|2000|3600.000|101', { bytes: 2000, time: '3600.000' })]],
    ['401 of nginx', [access(401, '-|-|-|-', { bytes: 172 })]],
    ['403 of nginx', [access(403, '-|-|-|-', { bytes: 146 })]],
    [
      '403 by an access rule, with its line',
      [error('access forbidden by rule'), access(403, '-|-|-|-', { bytes: 146 })]
    ],
    ['404 of the application', [access(404, '10.0.0.7:80|90|0.010|404', { bytes: 90 })]],
    ['400 of the application', [access(400, '10.0.0.7:80|90|0.010|400', { bytes: 90 })]],
    ['408 of the application', [access(408, '10.0.0.7:80|90|0.010|408', { bytes: 90 })]],
    ['413 of the application', [access(413, '10.0.0.7:80|90|0.010|413', { bytes: 90 })]],
    ['429 of the application', [access(429, '10.0.0.7:80|90|0.010|429', { bytes: 90 })]],
    ['422', [access(422, '10.0.0.7:80|90|0.010|422', { bytes: 90 })]],
    ['499 of the application itself', [access(499, '10.0.0.7:80|12|0.010|499', { bytes: 12 })]],
    ['444', [access(444, '-|-|-|-', { bytes: 0 })]],
    ['an auth subrequest', [access(502, '10.0.2.2:4180|0|0.001|502', { requestLength: 0 })]],
    ['a mirror subrequest', [access(502, '10.0.2.2:4180|0|0.001|502', { requestLength: 0, name: '-' })]],
    [
      'an error line of the log phase',
      [
        error('failed to run log_by_lua*: log_by_lua(nginx.conf:120):7: bad argument while logging request', {
          upstream: '10.0.0.7:80'
        }),
        access(200, '10.0.0.7:80|61|0.010|200', { bytes: 61 })
      ]
    ],
    [
      'a body that was buffered',
      [error(M.buffered, { level: 'warn' }), access(200, '10.0.0.7:80|61|0.010|200', { bytes: 61 })]
    ],
    [
      'a WebSocket that idled out',
      [
        error('upstream timed out (110: Operation timed out) while proxying upgraded connection', {
          level: 'info',
          upstream: '10.0.0.7:80'
        }),
        access(101, '10.0.0.7:80|2000|60.000|101', { bytes: 2000, time: '60.000' })
      ]
    ],
    ['an error line that found no request', [error(M.refused, { upstream: '10.0.0.7:80' })]],
    [
      'a client that left an idle connection',
      [error('client closed connection while waiting for request', { level: 'info', request: null, host: null })]
    ],
    [
      'a resolver that has nothing to do with a request',
      [
        error('recv() failed (111: Connection refused) while resolving, resolver: 10.96.0.10:53', {
          client: null,
          connection: null
        })
      ]
    ],
    ['reload notices', ['2026/11/21 10:00:00 [notice] 31#31: signal 1 (SIGHUP) received from 7, reconfiguring']],
    ['a TCP session', ['[10.9.8.7] [21/Nov/2026:10:00:00 +0000] TCP 502 0 0 0.001']]
  ])('%s', (_name, lines) => {
    expect(runEngine(lines).failures).toEqual([])
  })
})

describe('counts', () => {
  test('each request once, in the figure that it belongs to', () => {
    const { engine } = runEngine([
      access(200, '10.0.0.7:80|61|0.010|200', { bytes: 61 }),
      access(502, '10.0.0.7:80|0|0.001|502'),
      access(503, '10.0.0.7:80|47|0.010|503', { bytes: 47 }),
      access(9, '10.0.0.7:80|900|0.010|200', { bytes: 900 }),
      access(499, '10.0.0.7:80|0|3.100|-', { time: '3.100', bytes: 0 }),
      access(499, '10.0.0.7:80|12|0.010|499', { bytes: 12 }),
      access(413, '-|-|-|-', { name: '-', bytes: 176 }),
      access(404, '127.0.0.1:8181|146|0.001|404', { name: 'upstream-default-backend', bytes: 146 }),
      access(401, '-|-|-|-', { bytes: 172 }),
      access(200, '10.0.0.7:80, 10.0.0.8:80|0, 61|0.001, 0.010|502, 200', { bytes: 61 }),
      access(502, '10.0.2.2:4180|0|0.001|502', { requestLength: 0 }),
      error(M.tlsHandshake, { level: 'crit', request: null, host: null }),
      error(M.prematureClose, { upstream: '10.0.0.99:80', request: 'GET /nobody HTTP/1.1' })
    ])
    expect(engine.totals).toMatchObject({ requests: 10, failures: 3 })
    expect(engine.counts).toMatchObject({
      clientClosed: 1,
      refusedByNginx: 1,
      masked: 1,
      errorOnly: 1,
      errorsAlone: 2,
      subrequests: 1
    })
    const { names, requestsByName, failuresByName } = engine.totals
    const cart = names.names.indexOf('shop-cart-80')
    expect([requestsByName[cart], failuresByName[cart]]).toEqual([8, 3])
  })

  test('a cut answer is neither failed nor masked', () => {
    const { engine, failures } = runEngine([
      error(M.cutBody, { upstream: '10.0.0.7:80' }),
      access(200, '10.0.0.7:80|900|0.100|200', { bytes: 900 })
    ])
    expect(engine.totals.failures).toBe(0)
    expect(engine.counts.masked).toBe(0)
    expect(failures[0]).toMatchObject({ counted: false, masked: false })
  })

  test('the canary is the service, where there is one', () => {
    const { failures } = runEngine([access(502, '10.0.0.7:80|0|0.001|502', { alternative: 'shop-cart-canary-80' })])
    expect(failures[0]!.upstreamName).toBe('shop-cart-canary-80')
  })
})

describe("the controller's word on 503", () => {
  const klog = (time: string, service: string) =>
    `W1121 ${time}.000000       7 controller.go:1112] Service "${service}" does not have any active Endpoint.`
  const refused = (time: string, name = 'shop-cart-80') =>
    accessLine({ timeMs: at(time), status: 503, bytes: 190, name })
  const dated = accessLine({
    timeMs: at('09:59:00'),
    status: 200,
    up: '10.0.0.9:80|5|0.001|200',
    request: 'GET /b HTTP/1.1'
  })

  test.each([
    ['makes no_endpoints sure', '10:00:00', 'shop/cart', '10:00:05', 'controller.no_endpoints', 0.9],
    ['holds for ten minutes', '10:00:00', 'shop/cart', '10:09:59', 'controller.no_endpoints', 0.9],
    ['not for longer', '10:00:00', 'shop/cart', '10:10:01', 'access.25', 0.7],
    ['is of one service', '10:00:00', 'shop/catalog', '10:00:05', 'access.25', 0.7],
    ['is not of another that begins alike', '10:00:00', 'shop/car', '10:00:05', 'access.25', 0.7]
  ])('%s', (_name, said, service, when, rule, confidence) => {
    const { failures } = runEngine([dated, klog(said, service), refused(when)])
    expect(failures).toMatchObject([{ cause: 'no_endpoints', rule, confidence }])
    expect(failures[0]!.alternatives).not.toContain('no_endpoints')
  })

  test('an error line of the request outdoes it', () => {
    const limited = errorLine({ timeMs: at('10:00:05'), message: M.limiting })
    const { failures } = runEngine([dated, klog('10:00:00', 'shop/cart'), limited, refused('10:00:05')])
    expect(failures).toMatchObject([{ cause: 'rate_limited' }])
  })

  test('an answer of the application is its own', () => {
    const answer = accessLine({ timeMs: at('10:00:05'), status: 503, bytes: 47, up: '10.0.0.7:80|47|0.001|503' })
    expect(runEngine([dated, klog('10:00:00', 'shop/cart'), answer]).failures).toMatchObject([
      { cause: 'upstream_error' }
    ])
  })

  test('names with dashes in service and port', () => {
    const facts = new BackendFacts()
    facts.addNoEndpoints('shop/cart-v2', evidence(1_000))
    // May as well be port `main` of a service `cart-v2-http`.
    expect(facts.noEndpoints('shop-cart-v2-http-main', 2_000)).toBeNull()
    expect(facts.noEndpoints('shop-cart-v2-80', 2_000)).not.toBeNull()
    expect(facts.noEndpoints('shop-cart-80', 2_000)).toBeNull()
    expect(facts.noEndpoints('-', 2_000)).toBeNull()
    expect(facts.noEndpoints('', 2_000)).toBeNull()
  })

  test('said just after the first request that it explains', () => {
    const facts = new BackendFacts()
    facts.addNoEndpoints('shop/cart', evidence(10_000))
    expect(facts.noEndpoints('shop-cart-80', 8_000)).not.toBeNull()
    expect(facts.noEndpoints('shop-cart-80', 7_999)).toBeNull()
  })

  test('said again and again: the first line is the evidence, also for requests before the last', () => {
    const facts = new BackendFacts()
    for (const timeMs of [10_000, 20_000, 30_000]) facts.addNoEndpoints('shop/cart', evidence(timeMs))
    expect(facts.noEndpoints('shop-cart-80', 12_000)).toEqual(evidence(10_000))
    expect(facts.noEndpoints('shop-cart-80', 7_000)).toBeNull()
    expect(facts.noEndpoints('shop-cart-80', 630_001)).toBeNull()
  })
})

function evidence(timeMs: number) {
  return { timeMs, position: { file: 'controller.log', line: timeMs }, text: 'no active Endpoint' }
}
