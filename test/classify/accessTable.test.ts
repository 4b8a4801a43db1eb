import { describe, expect, test } from 'vitest'
import type { Cause } from '../../parsers/causes.ts'
import { classifyAccess, isCountedFailure, isFailedAttempt } from '../../src/classify/accessTable.ts'
import { accessRecord, attempts, type Given } from './accessRecord.ts'

const THREE = '10.0.0.7:80, 10.0.0.8:80, 10.0.0.9:80|0, 0, 0'
const SAME = '10.0.0.7:80, 10.0.0.7:80, 10.0.0.7:80|0, 0, 0'
const AT_ONCE = '0.000, 0.001, 0.002|502, 502, 502'
const own502 = (up: string, more: Given = {}): Given => ({ status: 502, bodyBytes: 150, up, ...more })
const own504 = (up: string, more: Given = {}): Given => ({ status: 504, bodyBytes: 160, up, ...more })

// biome-ignore format: a table, one case a line.
const TABLE: [row: string, name: string, given: Given, cause: Cause | null, confidence: number, alternatives: Cause[]][] = [
  ['0', 'mirror answered', { status: 200, bodyBytes: 0, requestLength: 0, upstreamName: '-', up: '10.0.0.7:80|2|0.001|200' }, null, 0, []],
  ['42', 'mirror refused, page of 124 bytes', { status: 502, bodyBytes: 124, requestLength: 0, upstreamName: '-', up: `${SAME}|${AT_ONCE}` }, 'connection_refused', 0.7, ['premature_close', 'connection_reset', 'upstream_tls_handshake']],
  ['0a', 'auth subrequest refused', { status: 401, requestLength: 0, up: '10.0.0.7:80|0|0.053|401' }, 'auth_failure', 0.8, []],
  ['0b', 'combined 503', { status: 503, bodyBytes: 190, up: null, upstreamName: null }, 'upstream_error', 0.3, ['no_endpoints', 'rate_limited', 'controller_config', 'lua_error', 'dns_failure']],
  ['0b', 'combined 504', { status: 504, bodyBytes: 569, up: null, upstreamName: null }, 'upstream_error', 0.3, ['read_timeout', 'connect_timeout', 'send_timeout', 'upstream_tls_handshake']],
  ['0b', 'combined 499', { status: 499, up: null, upstreamName: null }, 'client_closed', 0.9, []],
  ['1', 'no peer chosen', own502('0.0.0.1:80|0|0.000|502'), 'no_endpoints', 0.75, ['lua_error', 'controller_config']],
  ['1', 'no peer chosen, kernel waits', own504('0.0.0.1:80|0|5.001|504'), 'no_endpoints', 0.75, ['lua_error', 'controller_config']],
  ['41', 'row 2: first group of two', { status: 404, bodyBytes: 146, upstreamName: 'upstream-default-backend', up: '10.0.0.7:80, 10.0.0.8:80, 10.0.0.9:80 : 10.0.1.5:8080|0, 0, 0 : 146|0.000, 0.001, 0.000 : 0.002|502, 502, 502 : 404' }, 'connection_refused', 0.75, ['premature_close', 'connection_reset', 'upstream_error']],
  ['30a', 'row 2: intercepted 503 of the application', { status: 404, bodyBytes: 146, upstreamName: 'upstream-default-backend', up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 146|0.010 : 0.002|503 : 404' }, 'upstream_error', 0.97, []],
  ['2', 'intercepted single 502', { status: 404, bodyBytes: 146, upstreamName: 'upstream-default-backend', up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 146|0.010 : 0.002|502 : 404' }, 'upstream_error', 0.6, ['header_too_big', 'invalid_response', 'premature_close', 'connection_refused']],
  ['3', 'catch-all', { status: 404, bodyBytes: 146, upstreamName: 'upstream-default-backend', up: '127.0.0.1:8181|146|0.001|404' }, 'no_route', 0.9, ['controller_config']],
  ['3', 'catch-all, Chrome', { status: 404, bodyBytes: 548, upstreamName: 'upstream-default-backend', up: '127.0.0.1:8181|548|0.001|404' }, 'no_route', 0.9, ['controller_config']],
  ['4', 'own default backend', { status: 404, bodyBytes: 21, upstreamName: 'upstream-default-backend', up: '10.0.1.5:8080|21|0.001|404' }, 'no_route', 0.7, ['controller_config', 'no_endpoints', 'rate_limited']],
  ['4', 'own default backend repeats 503', { status: 503, bodyBytes: 21, upstreamName: 'upstream-default-backend', up: '10.0.1.5:8080|21|0.001|503' }, 'upstream_error', 0.7, ['no_endpoints', 'rate_limited', 'controller_config']],
  ['5', 'default backend of the Ingress', { status: 503, bodyBytes: 21, upstreamName: 'custom-default-backend-shop-cart', up: '10.0.1.5:8080|21|0.001|503' }, 'no_endpoints', 0.7, ['rate_limited', 'controller_config']],
  ['6', 'left during retries', { status: 499, up: '10.0.0.7:80, 10.0.0.8:80|0, 0|60.001, 12.000|504, -', requestTimeMs: 72_001 }, 'read_timeout', 0.7, ['client_closed', 'connect_timeout']],
  ['6', 'gRPC storm', { status: 499, method: 'POST', up: `${SAME}|${AT_ONCE}` }, 'connection_refused', 0.7, ['client_closed', 'upstream_tls_handshake', 'local_port_exhausted']],
  ['7', 'client gives up at 30 s', { status: 499, up: '10.0.0.7:80|0|29.998|-', requestTimeMs: 29_999 }, 'client_closed', 0.8, ['read_timeout']],
  ['8', 'client left', { status: 499, up: '10.0.0.7:80|0|2.100|-', requestTimeMs: 2_100 }, 'client_closed', 0.9, []],
  ['8', "application's own 499", { status: 499, up: '10.0.0.7:80|10|0.100|499' }, null, 0, []],
  ['9', 'no headers in time', { status: 408, upstreamName: '' }, 'client_timeout', 0.95, []],
  ['10', 'no body in time', { status: 408, method: 'POST' }, 'client_timeout', 0.95, []],
  ['10', 'no body in time, unbuffered', { status: 408, method: 'POST', up: '10.0.0.7:80|12|60.001|-' }, 'client_timeout', 0.95, ['upstream_error']],
  ['11', "application's 408", { status: 408, bodyBytes: 12, up: '10.0.0.7:80|12|0.100|408' }, null, 0, []],
  ['12', 'closed in the request line', { status: 400, upstreamName: '', request: 'GET /x' }, 'client_closed', 0.85, ['client_timeout']],
  ['13', 'closed in the body', { status: 400, method: 'POST' }, 'client_closed', 0.85, []],
  ['13', 'closed in the body, unbuffered', { status: 400, method: 'POST', up: '10.0.0.7:80|0|0.100|-' }, 'client_closed', 0.85, []],
  ['14', 'bad request line', { status: 400, bodyBytes: 150, upstreamName: '' }, 'bad_request', 0.95, []],
  ['14', 'TLS on the HTTP port', { status: 400, bodyBytes: 150, upstreamName: '', request: '\\x16\\x03\\x01\\x00\\xA5' }, 'bad_request', 0.95, ['client_tls_failure']],
  ['14', 'HEAD has no page', { status: 400, method: 'HEAD', upstreamName: '' }, 'bad_request', 0.95, []],
  ['15', 'header too large', { status: 400, bodyBytes: 628, upstreamName: '' }, 'bad_request', 0.97, []],
  ['16', 'bad client certificate', { status: 400, bodyBytes: 208, upstreamName: '' }, 'client_tls_failure', 0.97, []],
  ['16', 'no client certificate', { status: 400, bodyBytes: 632, upstreamName: '' }, 'client_tls_failure', 0.97, []],
  ['17', 'HTTP on the TLS port', { status: 400, bodyBytes: 248, upstreamName: '' }, 'client_tls_failure', 0.97, []],
  ['18', 'body too large', { status: 413, bodyBytes: 176, upstreamName: '-', method: 'POST' }, 'body_too_large', 0.97, []],
  ['19', 'URI too long', { status: 414, bodyBytes: 170, upstreamName: '' }, 'bad_request', 0.95, []],
  ['19', 'HTTP/3.0', { status: 505, bodyBytes: 180, upstreamName: '' }, 'bad_request', 0.95, []],
  ['19', 'TRACE', { status: 405, bodyBytes: 150, upstreamName: '', method: 'TRACE' }, 'bad_request', 0.95, []],
  ['20', 'misdirected', { status: 421, bodyBytes: 568 }, 'client_tls_failure', 0.9, []],
  ['21', 'no credentials', { status: 401, bodyBytes: 172 }, 'auth_failure', 0.95, []],
  ['22', 'refused by nginx', { status: 403, bodyBytes: 146 }, 'auth_failure', 0.9, []],
  ['22', 'whole host refused', { status: 403, bodyBytes: 146, upstreamName: '-' }, 'controller_config', 0.6, ['auth_failure']],
  ['23', 'certificate CN', { status: 403, bodyBytes: 31, upstreamName: '-' }, 'auth_failure', 0.95, []],
  ['24', 'limited', { status: 429, bodyBytes: 564 }, 'rate_limited', 0.97, []],
  ['25', 'no endpoints', { status: 503, bodyBytes: 190 }, 'no_endpoints', 0.7, ['rate_limited', 'controller_config', 'dns_failure']],
  ['25', 'no endpoints, HEAD', { status: 503, method: 'HEAD' }, 'no_endpoints', 0.7, ['rate_limited', 'controller_config', 'dns_failure']],
  ['26', 'external auth broken', { status: 500, bodyBytes: 170 }, 'auth_failure', 0.5, ['lua_error', 'redirect_cycle', 'controller_overload', 'controller_config']],
  ['27', 'no connection left', { status: 500, bodyBytes: 170, up: '|0|0.000|-' }, 'controller_overload', 0.6, ['lua_error']],
  ['28', 'ngx.exit in the balancer', { status: 503, bodyBytes: 190, up: '|0|0.000|-' }, 'lua_error', 0.5, ['controller_overload']],
  ['28', 'trailing peerless group', own502('127.0.0.1:9010 : |0 : |0.000 : |502 : '), 'lua_error', 0.5, ['controller_overload', 'connection_refused']],
  ['29', 'host of a variable', { status: 502, bodyBytes: 150 }, 'dns_failure', 0.8, []],
  ['30', 'all servers down', own502('cart_upstream|0|0.000|502'), 'no_live_upstreams', 0.95, []],
  ['30a', 'empty 503 of the application', { status: 503, up: '10.0.0.7:80|0|0.010|503' }, 'upstream_error', 0.97, []],
  ['30a', 'status 520', { status: 520, bodyBytes: 9, up: '10.0.0.7:80|9|0.010|520' }, 'upstream_error', 0.97, []],
  ['31', "application's 502", { status: 502, bodyBytes: 61, up: '10.0.0.7:80|61|0.010|502' }, 'upstream_error', 0.97, []],
  ['31', "another nginx's page behind ours", { status: 502, bodyBytes: 150, up: '10.0.0.7:80|150|0.010|502' }, 'upstream_error', 0.97, []],
  ['31', 'HEAD with header time', { status: 502, method: 'HEAD', up: '10.0.0.7:80|0|0.010|502', connect: '0.001', header: '0.009' }, 'upstream_error', 0.97, []],
  ['32', 'empty 502', { status: 502, up: '10.0.0.7:80|0|0.010|502' }, 'upstream_error', 0.85, ['header_too_big', 'invalid_response', 'premature_close', 'connection_refused']],
  ['32', 'HEAD, one attempt', { status: 502, method: 'HEAD', up: '10.0.0.7:80|0|0.010|502' }, 'upstream_error', 0.6, ['header_too_big', 'invalid_response', 'premature_close', 'connection_refused']],
  ['42', 'HEAD, three attempts', { status: 502, method: 'HEAD', up: `${SAME}|${AT_ONCE}` }, 'connection_refused', 0.7, ['premature_close', 'connection_reset', 'upstream_tls_handshake', 'upstream_error']],
  ['33', 'three times 5 s', own504(`${THREE}|5.001, 5.000, 5.004|504, 504, 504`), 'connect_timeout', 0.9, ['upstream_tls_handshake', 'read_timeout']],
  ['34', 'three times 60 s', own504(`${SAME}|60.001, 60.060, 60.004|504, 504, 504`), 'read_timeout', 0.9, ['connect_timeout']],
  ['34', 'three times 7 s', own504(`${SAME}|7.001, 7.001, 7.004|504, 504, 504`), 'read_timeout', 0.9, ['connect_timeout']],
  ['34', 'one time 60 s, upload', own504('10.0.0.7:80|0|60.001|504', { method: 'POST', requestLength: 900_000 }), 'read_timeout', 0.9, ['send_timeout', 'connect_timeout']],
  ['34', 'connect time set', own504('10.0.0.7:80|0|5.001|504', { connect: '0.001', header: '-' }), 'read_timeout', 0.9, ['connect_timeout']],
  ['33', 'connect time missing', own504(`${SAME}|2.001, 2.001, 2.001|504, 504, 504`, { connect: '-, -, -' }), 'connect_timeout', 0.9, ['upstream_tls_handshake', 'read_timeout']],
  ['35', 'POST three times 2 s', own504(`${THREE}|2.001, 2.000, 2.001|504, 504, 504`, { method: 'POST' }), 'connect_timeout', 0.95, []],
  ['36', 'POST once, no round time', own504('10.0.0.7:80|0|60.730|504', { method: 'PATCH', requestLength: 90_000, requestTimeMs: 60_730, up: '10.0.0.7:80|0|64.730|504' }), 'read_timeout', 0.9, ['send_timeout']],
  ['37', 'ARP', own502(`${THREE}|3.070, 3.070, 3.068|502, 502, 502`), 'host_unreachable', 0.85, []],
  ['38', 'refused, connect time missing', own502(`${THREE}|${AT_ONCE}`, { connect: '-, -, -' }), 'connection_refused', 0.85, ['local_port_exhausted', 'host_unreachable']],
  ['39', 'closed, connect time set', own502(`${THREE}|${AT_ONCE}`, { connect: '0.000, 0.000, 0.001' }), 'premature_close', 0.6, ['connection_reset', 'invalid_response']],
  ['40', 'POST', own502(`${THREE}|${AT_ONCE}`, { method: 'POST' }), 'connection_refused', 0.85, ['upstream_tls_handshake', 'local_port_exhausted']],
  ['41', 'GET, three pods', own502(`${THREE}|${AT_ONCE}`), 'connection_refused', 0.75, ['premature_close', 'connection_reset']],
  ['41', 'Chrome', own502(`${THREE}|${AT_ONCE}`, { bodyBytes: 552 }), 'connection_refused', 0.75, ['premature_close', 'connection_reset']],
  ['42', 'GET, one pod', own502(`${SAME}|${AT_ONCE}`), 'connection_refused', 0.7, ['premature_close', 'connection_reset', 'upstream_tls_handshake']],
  ['43', 'GET, 0.1 s', own502(`${SAME}|0.100, 0.001, 0.000|502, 502, 502`), 'premature_close', 0.45, ['connection_reset', 'upstream_tls_handshake', 'upstream_tls_verify']],
  ['43', 'POST, TLS port', own502('10.0.0.7:8443, 10.0.0.8:8443|0, 0|0.010, 0.012|502, 502', { method: 'POST' }), 'upstream_tls_handshake', 0.5, ['upstream_tls_verify', 'connection_refused']],
  ['44', 'GET once', own502('10.0.0.7:80|0|0.010|502'), 'header_too_big', 0.45, ['invalid_response', 'premature_close', 'connection_refused']],
  ['45', 'POST once, at once', own502('10.0.0.7:80|0|0.001|502', { method: 'POST' }), 'premature_close', 0.6, ['connection_reset', 'header_too_big']],
  ['46', 'POST once, later', own502('10.0.0.7:80|0|1.401|502', { method: 'POST' }), 'premature_close', 0.5, ['connection_reset', 'header_too_big', 'invalid_response']],
  ['47', 'mixed, last refused', own502(`${THREE}|0.000, 60.001, 0.001|502, 504, 502`), 'connection_refused', 0.65, ['read_timeout', 'premature_close', 'connection_reset']],
  ['47', 'mixed, last silent', own504(`${THREE}|0.000, 0.001, 60.001|502, 502, 504`), 'read_timeout', 0.8, ['connection_refused', 'connect_timeout']],
  ['48', 'no HTTP header', { status: 9, bodyBytes: 12, up: '10.0.0.7:80|12|0.001|200' }, 'invalid_response', 0.9, []],
  ['48', 'no status', { status: 0, bodyBytes: 12, up: '10.0.0.7:80|12|0.001|-' }, 'invalid_response', 0.9, []],
  ['49', 'saved by another pod', { status: 200, bodyBytes: 61, up: '10.0.0.7:80, 10.0.0.8:80|0, 61|0.001, 0.100|502, 200' }, 'connection_refused', 0.75, ['premature_close', 'connection_reset']],
  ['49', 'saved by the same pod', { status: 200, bodyBytes: 61, up: '10.0.0.7:80, 10.0.0.7:80|0, 61|0.000, 0.100|502, 200' }, 'premature_close', 0.6, ['connection_reset', 'connection_refused']],
  ['49', 'saved after a timeout', { status: 302, up: '10.0.0.7:80, 10.0.0.8:80|0, 0|5.001, 0.100|504, 302' }, 'connect_timeout', 0.9, ['upstream_tls_handshake', 'read_timeout']],
  ['51', 'WebSocket', { status: 101, bodyBytes: 900, up: '10.0.0.7:80|900|600.001|101', requestTimeMs: 600_001 }, null, 0, []],
  ['52', "application's 404", { status: 404, bodyBytes: 20, up: '10.0.0.7:80|20|0.001|404' }, null, 0, []],
  ['52', "application's 413", { status: 413, bodyBytes: 176, up: '10.0.0.7:80|176|0.001|413' }, null, 0, []],
  ['none', 'answered', { status: 200, bodyBytes: 20, up: '10.0.0.7:80|20|0.001|200' }, null, 0, []],
  ['none', 'gzip', { status: 200, bodyBytes: 765, up: '10.0.0.7:80|2740|0.008|200' }, null, 0, []],
  ['none', 'redirect by nginx', { status: 308, bodyBytes: 164 }, null, 0, []],
  ['none', 'return 444', { status: 444 }, null, 0, []],
  ['unclassified', 'nginx failed at a peer', { status: 500, bodyBytes: 170, up: '10.0.0.7:80|0|0.000|-' }, 'lua_error', 0.3, ['controller_overload', 'controller_config']],
  ['unclassified', 'a 504 nobody made', { status: 504, bodyBytes: 160 }, 'unclassified', 0.1, ['read_timeout', 'connect_timeout', 'send_timeout', 'upstream_tls_handshake']]
]

test.each(TABLE)('row %s: %s', (row, _name, given, cause, confidence, alternatives) => {
  const verdict = classifyAccess(accessRecord(given))
  expect(verdict).toMatchObject({ cause, confidence, alternatives, rule: `access.${row}` })
})

describe('which attempt is blamed', () => {
  test.each<[name: string, given: Given, blamed: number | null]>([
    [
      'last of the first group',
      own502('10.0.0.7:80, 10.0.0.8:80 : 10.0.1.5:80|0, 0 : 9|0.000, 0.000 : 0.001|502, 502 : 502'),
      1
    ],
    ['the placeholder', own502('0.0.0.1:80|0|0.000|502'), 0],
    [
      'the failed one, not the one that saved',
      { status: 200, up: '10.0.0.7:80, 10.0.0.8:80|0, 6|0.001, 0.1|502, 200' },
      0
    ],
    [
      'the failed one, not the one that was left',
      { status: 499, up: '10.0.0.7:80, 10.0.0.8:80|0, 0|5.001, 1|504, -' },
      0
    ],
    ['the state without a peer', { status: 500, bodyBytes: 170, up: '10.0.0.7:80 : |0 : |0.000 : |502 : ' }, 1],
    ['none when nothing failed', { status: 200, bodyBytes: 6, up: '10.0.0.7:80|6|0.001|200' }, null],
    ['none without upstream', { status: 503, bodyBytes: 190 }, null]
  ])('%s', (_name, given, blamed) => {
    expect(classifyAccess(accessRecord(given)).blamedAttempt).toBe(blamed)
  })
})

describe('masked', () => {
  test.each<[name: string, given: Given, masked: boolean]>([
    ['a retry saved it', { status: 200, up: '10.0.0.7:80, 10.0.0.8:80|0, 6|0.001, 0.1|502, 200' }, true],
    ['a retry saved a WebSocket', { status: 101, up: '10.0.0.1:443, 10.0.0.2:443|0, 0|0.100, 143.757|502, 101' }, true],
    [
      'the default backend stood in',
      { status: 200, bodyBytes: 9, upstreamName: 'custom-default-backend-shop-cart', up: '10.0.1.5:80|9|0.001|200' },
      true
    ],
    [
      'an error page that answers 200',
      { status: 200, bodyBytes: 9, up: '10.0.0.7:80 : 10.0.1.5:80|0 : 9|0.010 : 0.001|503 : 200' },
      true
    ],
    ['the client saw it', own502('10.0.0.7:80|0|0.010|502'), false],
    ['a body cut short', { status: 200, bodyBytes: 0, up: '10.0.0.7:80|2|0.001|200' }, false],
    [
      'the application tried again with success',
      { status: 200, bodyBytes: 9, up: '10.0.0.7:80, 10.0.0.8:80|61, 100|0.100, 0.004|200, 203' },
      false
    ],
    [
      'a second attempt without values',
      { status: 200, bodyBytes: 61, up: '10.0.0.7:80, 10.0.0.8:80|61, -|0.100, -|200, -' },
      false
    ]
  ])('%s', (_name, given, masked) => {
    expect(classifyAccess(accessRecord(given)).masked).toBe(masked)
  })
})

describe('subrequests', () => {
  test.each<[name: string, given: Given, subrequest: string | null, cause: Cause | null]>([
    [
      'mirror',
      { status: 504, bodyBytes: 134, requestLength: 0, upstreamName: '-', up: '10.0.0.7:80|0|60.001|504' },
      'mirror',
      'read_timeout'
    ],
    [
      'mirror, 009',
      { status: 9, bodyBytes: 12, requestLength: 0, upstreamName: '-', up: '10.0.0.7:80|12|0.001|200' },
      'mirror',
      'invalid_response'
    ],
    ['auth service failed', { status: 500, requestLength: 0, up: '10.0.0.7:80|0|0.010|500' }, 'auth', 'upstream_error'],
    [
      'auth service refused connections',
      { status: 502, requestLength: 0, up: `${SAME}|${AT_ONCE}` },
      'auth',
      'connection_refused'
    ],
    ['auth service allowed', { status: 200, requestLength: 0, up: '10.0.0.7:80|0|0.010|200' }, 'auth', null],
    [
      'bad request line has read nothing either',
      { status: 400, bodyBytes: 150, requestLength: 0, upstreamName: '' },
      null,
      'bad_request'
    ]
  ])('%s', (_name, given, subrequest, cause) => {
    expect(classifyAccess(accessRecord(given))).toMatchObject({ subrequest, cause })
  })
})

describe('two groups', () => {
  test.each<[name: string, given: Given, cause: Cause | null, rule: string]>([
    [
      'auth refused, error page',
      {
        status: 404,
        requestLength: 0,
        upstreamName: 'upstream-default-backend',
        up: '10.0.0.7:443 : 10.0.1.5:8080|0 : 0|0.053 : 0.003|401 : 404'
      },
      'auth_failure',
      'access.0a'
    ],
    [
      "application's 404, intercepted",
      {
        status: 404,
        bodyBytes: 20,
        upstreamName: 'upstream-default-backend',
        up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 20|0.053 : 0.003|404 : 404'
      },
      null,
      'access.52'
    ],
    [
      "application's 404, the error backend fails",
      {
        status: 503,
        bodyBytes: 20,
        upstreamName: 'upstream-default-backend',
        up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 20|0.053 : 0.003|404 : 503'
      },
      'upstream_error',
      'access.30a'
    ],
    [
      'refused, error backend unknown',
      {
        status: 502,
        bodyBytes: 150,
        upstreamName: 'upstream-default-backend',
        up: '10.0.0.7:80, 10.0.0.7:80 : 0.0.0.1:80|0, 0 : 0|0.000, 0.000 : 0.000|502, 502 : 502'
      },
      'connection_refused',
      'access.42'
    ],
    [
      'X-Accel-Redirect to a silent pod',
      { status: 504, bodyBytes: 160, up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 0|0.010 : 60.001|200 : 504' },
      'read_timeout',
      'access.34'
    ],
    [
      'intercepted read timeout of a single try',
      { status: 404, bodyBytes: 9, up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 9|60.001 : 0.001|504 : 404' },
      'read_timeout',
      'access.34'
    ],
    [
      'intercepted POST',
      { status: 404, method: 'POST', bodyBytes: 9, up: '10.0.0.7:80 : 10.0.1.5:8080|0 : 9|0.001 : 0.001|502 : 404' },
      'premature_close',
      'access.45'
    ],
    [
      'no peer, then an error page',
      { status: 404, bodyBytes: 9, up: ' : 127.0.0.1:8181|0 : 9|0.000 : 0.001|- : 404' },
      'controller_overload',
      'access.27'
    ]
  ])('%s', (_name, given, cause, rule) => {
    expect(classifyAccess(accessRecord(given))).toMatchObject({ cause, rule })
  })
})

describe('lines that are cut or short of fields', () => {
  const cut = { truncated: true, attemptsUncertain: true }
  test.each<[name: string, given: Given, cause: Cause | null]>([
    [
      'cut in the list of lengths',
      { ...cut, ...own504(`${SAME.split('|')[0]}|0`), requestTimeMs: 15_004 },
      'connect_timeout'
    ],
    [
      'cut in the list of statuses',
      {
        ...cut,
        status: 500,
        bodyBytes: 208,
        up: '10.0.1.11:8082, 10.0.1.12:8082, 10.0.1.13:8082|0, 0, 208|120.007, 71.153, 0.462|504'
      },
      'upstream_error'
    ],
    [
      'no size',
      { ...cut, status: 404, bodyBytes: null, upstreamName: 'upstream-default-backend', up: '127.0.0.1:8181' },
      'no_route'
    ],
    [
      'no attempts, catch-all',
      { ...cut, status: 404, bodyBytes: null, upstreamName: 'upstream-default-backend', up: null },
      'no_route'
    ],
    ['no attempts, 503 page', { ...cut, status: 503, bodyBytes: 190, up: null }, 'no_endpoints'],
    ['no head', { ...cut, status: null, bodyBytes: null, up: '10.0.0.7:80|58|0.056|200' }, null],
    [
      'no head, failed',
      { ...cut, status: null, bodyBytes: null, method: null, up: `${SAME}|${AT_ONCE}` },
      'connection_refused'
    ],
    ['only half of a success', { ...cut, status: 200, bodyBytes: 148, upstreamName: null, up: null }, null],
    ['no statuses in the format', own502(`${THREE}|0.000, 0.001, 0.001`), 'connection_refused'],
    ['only times in the format', own502('||0.001|', { upstreamName: null }), 'upstream_error']
  ])('%s', (_name, given, cause) => {
    expect(classifyAccess(accessRecord(given)).cause).toBe(cause)
  })
})

test('an empty first group counts although its element is missing', () => {
  const record = accessRecord({ status: 404, bodyBytes: 9, upstreamName: 'upstream-default-backend' })
  const [errorPage] = attempts('127.0.0.1:8181|9|0.001|404')
  const verdict = classifyAccess({ ...record, attempts: [{ ...errorPage!, group: 1 }] })
  expect(verdict).toMatchObject({ cause: 'controller_overload', rule: 'access.27', blamedAttempt: null })
})

test('a storm of retries costs linear time', () => {
  const one = attempts('10.0.0.7:80|0|0.000|502')[0]!
  const storm = {
    ...accessRecord({ status: 499, method: 'POST' }),
    attempts: Array.from({ length: 200_000 }, () => ({ ...one }))
  }
  expect(classifyAccess(storm)).toMatchObject({ cause: 'connection_refused', rule: 'access.6', blamedAttempt: 199_999 })
})

test('counted failures are 5xx, 000 and 009', () => {
  expect([0, 9, 200, 404, 499, 500, 502, 599, 600, null].filter(isCountedFailure)).toEqual([0, 9, 500, 502, 599])
})

test('a failed attempt has a status of 5xx', () => {
  const given = attempts('10.0.0.7:80, 10.0.0.7:80, 10.0.0.7:80, 10.0.0.7:80|0, 0, 9, 0|0, 0, 0, 0|502, 504, 503, -')
  expect(given.map(isFailedAttempt)).toEqual([true, true, true, false])
})
