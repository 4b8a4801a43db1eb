import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  looksLikeErrorMessage,
  matchControllerMessage,
  matchErrorMessage,
  printedCause
} from '../../parsers/errorMessage.ts'
import type { Level } from '../../parsers/record.ts'

describe('matchErrorMessage', () => {
  test.each<[string, Level | null, string | null]>([
    // errno by number
    ['connect() failed (113: No route to host) while connecting to upstream', 'error', 'host_unreachable'],
    [
      'connect() to 10.0.0.1:80 failed (110: Connection timed out) while connecting to upstream',
      'crit',
      'connect_timeout'
    ],
    [
      'connect() failed (99: Cannot assign requested address) while connecting to upstream',
      'error',
      'local_port_exhausted'
    ],
    ['recv() failed (113: No route to host) while sending request to upstream', 'error', 'host_unreachable'],
    ['recv() failed (104: Connection reset by peer) while resolving, resolver: 10.96.0.10:53', 'error', 'dns_failure'],
    ['connect() failed (111: Connection refused) while resolving, resolver: 10.96.0.10:53', 'crit', 'dns_failure'],
    ['send() failed (111: Connection refused)', 'error', 'dns_failure'],
    ['open() "/tmp/nginx/proxy/1" failed (2: No such file or directory)', 'crit', 'controller_overload'],
    ['open() "/usr/share/nginx/html/favicon.ico" failed (2: No such file or directory)', 'error', 'no_route'],
    [
      'open() "/etc/nginx/x.conf" failed (2: No such file or directory) in /etc/nginx/nginx.conf:12',
      'emerg',
      'controller_config'
    ],
    // the address decides
    ['connect() to 0.0.0.1:80 failed (22: Invalid argument) while connecting to upstream', 'crit', 'no_endpoints'],
    ['connect() to 0.0.0.1:80 failed (113: Host is unreachable) while connecting to upstream', 'error', 'no_endpoints'],
    [
      'connect() to 0.0.0.1:1234 failed (101: Network is unreachable) while connecting to upstream',
      'error',
      'no_endpoints'
    ],
    // one text, two sides
    ['recv() failed (104: Connection reset by peer) while sending to client', 'info', 'client_closed'],
    ['recv() failed (104: Connection reset by peer) while sending to client', 'error', 'connection_reset'],
    ['writev() failed (32: Broken pipe) while sending to client', 'info', 'client_closed'],
    ['sendfile() failed (32: Broken pipe) while sending to client', 'info', 'client_closed'],
    ['SSL_write() failed (SSL:) (32: Broken pipe) while sending to client', 'info', 'client_closed'],
    ['SSL_write() failed (SSL:) (32: Broken pipe) while sending request to upstream', 'error', 'connection_reset'],
    ['connect() failed (111: Connection refused), context: ngx.timer', 'error', 'none'],
    ['connect() failed (111: Connection refused)', null, 'connection_refused'],
    // phases
    [
      'upstream timed out (110: Connection timed out) while SSL handshaking to upstream',
      'error',
      'upstream_tls_handshake'
    ],
    ['upstream timed out (110: Operation timed out) while sending request to upstream', 'error', 'send_timeout'],
    ['upstream timed out (110: Operation timed out) while reading response hea', 'error', 'read_timeout'],
    ['upstream timed out (110: Operation timed out) while sending to client', 'error', 'read_timeout'],
    ['upstream timed out (110: Operation timed out)', 'error', null],
    // OpenSSL
    [
      'SSL_do_handshake() failed (SSL: error:1408F10B:SSL routines:ssl3_get_record:wrong version number) while SSL handshaking to upstream',
      'error',
      'upstream_tls_handshake'
    ],
    [
      'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking',
      'info',
      'client_tls_failure'
    ],
    [
      'SSL_do_handshake() failed (SSL: error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed) while SSL handshaking to upstream',
      'error',
      'upstream_tls_verify'
    ],
    [
      'SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert number 40) while SSL handshaking to upstream',
      'error',
      'upstream_tls_handshake'
    ],
    [
      'SSL_read() failed (SSL: error:0A000412:SSL routines::sslv3 alert bad certificate:SSL alert number 42) while waiting for request',
      'info',
      'client_tls_failure'
    ],
    // Lua
    [
      '[lua] balancer.lua:348: balance(): no peer was returned, balancer: round_robin while connecting to upstream',
      'warn',
      'no_endpoints'
    ],
    ['[lua] balancer.lua:718: redistributeIndices(): [ringbalancer 4] redistributed indices, size=10000', 'warn', null],
    [
      'stream [lua] tcp_udp_balancer.lua:1: no peer was returned, balancer: round_robin while connecting to upstream',
      'warn',
      'no_endpoints'
    ],
    [
      'connect() to unix:/tmp/prometheus-nginx.socket failed (111: Connection refused), context: ngx.timer',
      'error',
      'none'
    ],
    // heads and tails cut off
    ['failed (111: Connection refused) while connecting to upstream', null, 'connection_refused'],
    ['d out (110: Connection timed out) while connecting to upstream', null, 'connect_timeout'],
    ['Connection refused) while connecting to upstream', null, 'connection_refused'],
    ['328#328: 32768 worker_connections are not enough', null, 'controller_overload'],
    [
      '38 SSL_do_handshake() failed (SSL: error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown:SSL alert number 46) while SSL handshaking',
      null,
      'client_tls_failure'
    ],
    ['an upstream response is buffered to a', 'warn', 'none'],
    ['upstream timed out (110: Operation ti', 'error', null],
    ['upstream prematurely clo', 'error', 'premature_close'],
    ['client SSL certificate verify error: (40:proxy certificates', 'info', 'client_tls_failure'],
    // texts that begin with a value
    ['site.example.com could not be resolved (3: Host not found)', 'error', 'dns_failure'],
    ['"/etc/nginx/html/x" is not found (2: No such file or directory)', 'error', 'no_route'],
    ['"^/a b" does not match "/x while connecting to upstream"', 'notice', 'none'],
    ['cache manager process 33 exited on signal 9', 'alert', 'controller_overload'],
    // a dry run counts and refuses nothing
    ['limiting requests, dry run, excess: 1.061 by zone "x"', 'error', 'none'],
    ['limiting connections by zone "x"', 'warn', 'rate_limited'],
    // new texts
    [
      'frobnicate() failed (104: Connection reset by peer) while reading response header from upstream',
      'error',
      'connection_reset'
    ],
    ['frobnicate() failed (104: Connection reset by peer) while reading client request line', 'info', 'client_closed'],
    ['nginx: [emerg] host not found in upstream "x" in /etc/nginx/nginx.conf:12', null, 'controller_config'],
    ['nginx: configuration file /tmp/nginx-cfg1 test failed', null, 'controller_config'],
    ['something else while connecting to upstream', 'error', null],
    ['http proxy status 302 "302 Moved Temporarily"', 'debug', null],
    ['', 'error', null]
  ])('%s [%s]', (message, level, cause) => {
    expect(matchErrorMessage(message, level, false)?.cause ?? null).toBe(cause)
  })

  test('a stream line takes the stream row, and a timeout there ends no http request', () => {
    expect(
      matchErrorMessage('upstream timed out (110: Operation timed out) while connecting to upstream', 'error', true)?.id
    ).toBe('stream-upstream-timeout-connect')
    expect(
      matchErrorMessage('upstream timed out (110: Operation timed out) while connecting to upstream', 'error', false)
        ?.id
    ).toBe('upstream-timeout-connect')
  })

  test('says whether a request can end with the message', () => {
    const ends = (message: string) => matchErrorMessage(message, 'error', false)?.endsRequest
    expect(ends('upstream timed out (110: Operation timed out) while reading response header from upstream')).toBe(true)
    expect(ends('upstream timed out (110: Operation timed out) while reading upstream')).toBe(false)
    expect(ends('upstream sent no valid HTTP/1.0 header while reading response header from upstream')).toBe(true)
    expect(ends('a client request body is buffered to a temporary file /tmp/x')).toBe(false)
  })

  test('the memo of one level or side does not answer for another', () => {
    const message = 'recv() failed (104: Connection reset by peer) while proxying upgraded connection'
    expect(matchErrorMessage(message, 'info', false)?.cause).toBe('client_closed')
    expect(matchErrorMessage(message, 'error', false)?.cause).toBe('connection_reset')
    expect(matchErrorMessage(message, 'info', false)?.cause).toBe('client_closed')
  })
})

describe('matchControllerMessage', () => {
  test.each<[string, Level, string | null]>([
    ['"Backend successfully reloaded"', 'info', 'config_reload'],
    ['Backend successfully reloaded.', 'info', 'config_reload'],
    ['Backend successfully reloaded', 'info', 'config_reload'],
    ['Backend successfully reloaded took="1s" pid=7', 'info', 'config_reload'],
    ['"requeuing" key="shop/cart" err="exit status 1" extra=1', 'error', 'controller_config'],
    ['requeuing shop/cart, err exit status 1', 'error', 'controller_config'],
    ['Service "shop/cart" does not have any active Endpoint.', 'warning', 'no_endpoints'],
    ['Service "shop/cart" does not have any active End', 'warning', 'no_endpoints'],
    ['Dynamic reconfiguration failed: unexpected error code: 413', 'warning', 'config_reload'],
    ['"New wording" err="service \\"shop/cart\\" does not exist" key="x"', 'error', 'controller_config'],
    ['New wording: unexpected error code: 500', 'error', 'config_reload'],
    ['open /var/x: too many open files', 'error', 'controller_overload'],
    ['"Dropping watch" a="b"', 'info', null],
    ['Watching for ingress class: nginx', 'info', null]
  ])('%s', (message, level, cause) => {
    expect(matchControllerMessage(message, level)?.cause ?? null).toBe(cause)
  })
})

test('printedCause hides what is no failure', () => {
  expect(printedCause('none', 'error')).toBeNull()
  expect(printedCause('cancelled', 'alert')).toBeNull()
  expect(printedCause(null, 'error')).toBeNull()
  for (const mark of ['config_reload', 'controller_config', 'controller_overload', 'no_route'] as const) {
    expect(['notice', 'info', 'debug'].map(level => printedCause(mark, level as Level))).toEqual([null, null, null])
    expect(printedCause(mark, 'warn')).toBe(mark)
    expect(printedCause(mark, null)).toBe(mark)
  }
  expect(printedCause('client_closed', 'info')).toBe('client_closed')
})

describe('looksLikeErrorMessage', () => {
  test.each([
    'SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::x) while SSL handshaking, client: 10.0.0.4, server: 0.0.0.0:8888',
    'not allowed, please set the appropriate flag) while reading client request headers, client',
    '32768 worker_connections are not enough',
    'no live upstreams while connecting to upstream, client: 100.64.0.2',
    'limiting requests, excess: 0.5 by zone "x", client: 1.2.3.4',
    '[lua] balancer.lua:203: balance(): anything at all',
    'upstream prematurely clo'
  ])('yes: %s', text => expect(looksLikeErrorMessage(text)).toBe(true))

  test.each([
    'Error: exit status 1',
    'unexpected error code: 413',
    'exit',
    'Failed while reading upstream config',
    'I was waiting while connecting to upstream servers',
    '10.0.0.1 - - [21/Nov/2026:02:31:07 +0000] "GET / HTTP/1.1" 502 150 "-" "x while connecting to upstream" 82 0.001 [a] [] 10.0.0.7:80 0 0.001 502 a1',
    'GET / HTTP/1.1" 502 150 "-" "x while sending to client',
    '{"message":"upstream timed out while connecting to upstream"}',
    '<html> while reading upstream',
    'goroutine 1 [running]:',
    ''
  ])('no: %s', text => expect(looksLikeErrorMessage(text)).toBe(false))
})

// ---- real lines (samples/README.md of the reference) ----

interface RealLine {
  id: string
  line: string
  kind: string
  expect: { acceptable_causes: (string | null)[] }
}

/** Cause of a line, its frame taken off just far enough for a test. */
function causeOfLine({ line, kind }: RealLine): string | null {
  const klog = /([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.]+:\d+\] (.*)$/.exec(line)
  if (klog || kind === 'controller') {
    const level = klog ? ({ I: 'info', W: 'warning', E: 'error', F: 'fatal' }[klog[1]] as Level) : null
    return printedCause(matchControllerMessage(klog ? klog[2] : line, level)?.cause ?? null, level)
  }
  const dated = /\[(emerg|alert|crit|error|warn|notice|info|debug)\] (?:\d+#\d+: )?(?:\*\d+ )?(.*)$/.exec(line)
  const message = (dated ? dated[2] : line.replace(/^.*\]: /, '')).split(', client:')[0]
  const level = dated ? (dated[1] as Level) : null
  return printedCause(matchErrorMessage(message, level, message.startsWith('stream '))?.cause ?? null, level)
}

const realLines: RealLine[] = readFileSync(new URL('../../samples/real-lines.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line))

test.each(realLines.filter(one => ['error', 'lua', 'controller', 'other'].includes(one.kind)))(
  'real line $id gets an acceptable cause',
  real => expect(real.expect.acceptable_causes).toContain(causeOfLine(real))
)

test('no real access line looks like an error message', () => {
  const access = realLines.filter(one => one.kind === 'access' || one.kind === 'stream-access')
  expect(access.filter(one => looksLikeErrorMessage(one.line)).map(one => one.id)).toEqual([])
})
