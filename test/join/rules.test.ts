/** Which error lines belong to a request, and which of them says why it failed: the rules of design §6, one by one. */
import { describe, expect, test } from 'vitest'
import { failureOf, runEngine, verdictOf } from '../support/engineRun.ts'
import { accessLine, at, errorLine, MESSAGES as M } from '../support/lines.ts'

const T = at('10:00:00')
const THREE = '10.0.0.7:80, 10.0.0.8:80, 10.0.0.9:80'

interface Case {
  name: string
  lines: string[]
  cause: string
  join?: string
  /** Line numbers, from 1. */
  deciding: number | null
  errors: number[]
  alternatives?: string[]
}

const failed = (status: number, up: string, more: Partial<Parameters<typeof accessLine>[0]> = {}): string =>
  accessLine({ timeMs: T, status, up, ...more })
const error = (message: string, upstream?: string, more: Partial<Parameters<typeof errorLine>[0]> = {}): string =>
  errorLine({ timeMs: T, message, ...(upstream === undefined ? {} : { upstream }), ...more })

const cases: Case[] = [
  {
    name: 'the last attempt of three decides',
    lines: [
      error(M.refused, '10.0.0.7:80'),
      error(M.prematureClose, '10.0.0.8:80'),
      error(M.reset, '10.0.0.9:80'),
      failed(502, `${THREE}|0, 0, 0|0.001, 0.001, 0.001|502, 502, 502`)
    ],
    cause: 'connection_reset',
    deciding: 3,
    errors: [1, 2, 3]
  },
  {
    name: 'an early refusal, then two read timeouts 120 s later',
    lines: [
      error(M.refused, '10.0.0.7:80', { timeMs: T - 120_000 }),
      error(M.readTimeout, '10.0.0.8:80', { timeMs: T - 60_000 }),
      error(M.readTimeout, '10.0.0.9:80'),
      failed(504, `${THREE}|0, 0, 0|0.001, 60.000, 60.000|502, 504, 504`, { time: '120.001', bytes: 160 })
    ],
    cause: 'read_timeout',
    deciding: 3,
    errors: [1, 2, 3]
  },
  {
    name: 'the last attempt left no line: an earlier one tells, with the table beside it',
    lines: [error(M.refused, '10.0.0.7:80'), failed(502, '10.0.0.7:80, 10.0.0.8:80|0, 0|0.001, 0.001|502, 502')],
    cause: 'connection_refused',
    deciding: 1,
    errors: [1]
  },
  {
    name: 'a retry saved it: the attempt that failed tells',
    lines: [
      error(M.refused, '10.0.0.7:80'),
      accessLine({ timeMs: T, status: 200, bytes: 61, up: '10.0.0.7:80, 10.0.0.8:80|0, 61|0.001, 0.010|502, 200' })
    ],
    cause: 'connection_refused',
    deciding: 1,
    errors: [1]
  },
  {
    name: 'a custom error page: the first group decides',
    lines: [
      error(M.refused, '10.0.0.7:80'),
      failed(502, '10.0.0.7:80 : 10.0.1.5:8080|0 : 146|0.001 : 0.002|502 : 404', {
        status: 404,
        bytes: 146,
        name: 'upstream-default-backend'
      })
    ],
    cause: 'connection_refused',
    deciding: 1,
    errors: [1]
  },
  {
    name: 'a broken error page does not decide either',
    lines: [
      error(M.readTimeout, '10.0.0.7:80'),
      error(M.refused, '10.0.1.5:8080'),
      failed(502, '10.0.0.7:80 : 10.0.1.5:8080|0 : 0|60.000 : 0.001|504 : 502', {
        time: '60.001',
        name: 'upstream-default-backend'
      })
    ],
    cause: 'read_timeout',
    deciding: 1,
    errors: [1, 2]
  },
  {
    name: "a subrequest's line never decides",
    lines: [
      error(M.refused, '10.0.2.2:4180', { subrequest: '/_external-auth-Lw-Prefix' }),
      failed(502, '10.0.0.7:80|812|0.020|502', { bytes: 812 })
    ],
    cause: 'upstream_error',
    deciding: null,
    errors: [1]
  },
  {
    name: "`auth request unexpected status` decides, the subrequest's cause is the alternative",
    lines: [
      error(M.refused, '10.0.2.2:4180', { subrequest: '/_external-auth-Lw-Prefix' }),
      error(M.authStatus),
      failed(500, '-|-|-|-', { bytes: 170 })
    ],
    cause: 'auth_failure',
    deciding: 2,
    errors: [1, 2],
    alternatives: ['connection_refused']
  },
  {
    name: '`temporarily disabled` never decides',
    lines: [
      error(M.prematureClose, '10.0.0.7:80'),
      error(M.disabled, '10.0.0.7:80', { level: 'warn' }),
      failed(502, '10.0.0.7:80|0|0.001|502')
    ],
    cause: 'premature_close',
    deciding: 1,
    errors: [1, 2]
  },
  {
    name: '`temporarily disabled` alone leaves it to the table',
    lines: [
      error(M.disabled, '10.0.0.7:80', { level: 'warn' }),
      failed(503, '10.0.0.7:80|47|0.001|503', { bytes: 47 })
    ],
    cause: 'upstream_error',
    deciding: null,
    errors: [1]
  },
  {
    name: 'a buffered body is no failure',
    lines: [error(M.buffered, undefined, { level: 'warn' }), failed(503, '10.0.0.7:80|47|0.001|503', { bytes: 47 })],
    cause: 'upstream_error',
    deciding: null,
    errors: [1]
  },
  {
    name: '499 after failed attempts: the info line says that the client left',
    lines: [
      error(M.readTimeout, '10.0.0.7:80', { timeMs: T - 30_000 }),
      error(M.clientGone, '10.0.0.8:80', { level: 'info' }),
      failed(499, '10.0.0.7:80, 10.0.0.8:80|0, 0|60.000, 30.000|504, -', { time: '90.000', bytes: 0 })
    ],
    cause: 'client_closed',
    deciding: 2,
    errors: [1, 2]
  },
  {
    name: '499 after failed attempts, without the info line: the failed attempts',
    lines: [
      error(M.readTimeout, '10.0.0.7:80', { timeMs: T - 30_000 }),
      failed(499, '10.0.0.7:80, 10.0.0.8:80|0, 0|60.000, 30.000|504, -', { time: '90.000', bytes: 0 })
    ],
    cause: 'read_timeout',
    deciding: 1,
    errors: [1]
  },
  {
    name: '499 of one attempt without a line: the table',
    lines: [failed(499, '10.0.0.7:80|0|3.100|-', { time: '3.100', bytes: 0 })],
    cause: 'client_closed',
    join: 'access_only',
    deciding: null,
    errors: []
  },
  {
    name: '499 over HTTP/2: the line is of the connection, without a request',
    lines: [
      error(M.clientGoneHttp2, undefined, { level: 'info', request: null, host: null }),
      failed(499, '10.0.0.7:80|0|3.100|-', { time: '3.100', bytes: 0 })
    ],
    cause: 'client_closed',
    join: 'access_only',
    deciding: null,
    errors: []
  },
  {
    name: 'without attempts one terminal line is taken',
    lines: [
      error(M.limiting, undefined, { connection: 1 }),
      error(M.limiting, undefined, { connection: 2 }),
      failed(503, '-|-|-|-', { bytes: 190 })
    ],
    cause: 'rate_limited',
    join: 'ambiguous',
    deciding: 1,
    errors: [1]
  },
  {
    name: 'a body too large, told before any upstream',
    lines: [error(M.tooLargeBody), failed(413, '-|-|-|-', { bytes: 176, name: '-' })],
    cause: 'body_too_large',
    deciding: 1,
    errors: [1]
  },
  {
    name: 'the same address twice: one line each',
    lines: [
      error(M.refused, '10.0.0.7:80'),
      error(M.prematureClose, '10.0.0.7:80'),
      failed(502, '10.0.0.7:80, 10.0.0.7:80|0, 0|0.001, 0.001|502, 502')
    ],
    cause: 'premature_close',
    deciding: 2,
    errors: [1, 2]
  },
  {
    name: 'as many lines per address as failed there, not more',
    lines: [
      error(M.prematureClose, '10.0.0.7:80', { timeMs: T - 2_000 }),
      error(M.refused, '10.0.0.7:80', { connection: 900 }),
      failed(502, '10.0.0.7:80|0|0.001|502')
    ],
    cause: 'connection_refused',
    deciding: 2,
    errors: [2]
  },
  {
    name: "an application's own answer is not the proxy's, whatever failed before",
    lines: [
      error(M.refused, '10.0.0.7:80'),
      failed(503, '10.0.0.7:80, 10.0.0.8:80|0, 812|0.001, 0.030|502, 503', { bytes: 812 })
    ],
    cause: 'upstream_error',
    deciding: null,
    errors: [1]
  }
]

test.each(cases)('$name', ({ lines, cause, join = 'joined', deciding, errors, alternatives }) => {
  const { failures } = runEngine(lines)
  const requests = failures.filter(failure => failure.access !== null)
  expect(requests).toHaveLength(1)
  const verdict = verdictOf(requests[0])!
  expect(verdict).toEqual({ cause, join, deciding, errors, alternatives: alternatives ?? verdict.alternatives })
})

describe('lines of others', () => {
  const access = failed(502, '10.0.0.7:80|0|0.001|502')
  test.each([
    ['another client', error(M.refused, '10.0.0.7:80', { client: '203.0.113.10' })],
    ['another request', error(M.refused, '10.0.0.7:80', { request: 'GET /cart/1 HTTP/1.1' })],
    ['another protocol', error(M.refused, '10.0.0.7:80', { request: 'GET /cart HTTP/2.0' })],
    ['another address', error(M.refused, '10.0.0.8:80')],
    ['a timer where the attempt was an error', error(M.readTimeout, '10.0.0.7:80')],
    ['long before the request began', error(M.refused, '10.0.0.7:80', { timeMs: T - 9_000 })],
    ['without a client', error(M.refused, '10.0.0.7:80', { client: null })]
  ])('%s', (_name, other) => {
    const { failures } = runEngine([other, access])
    expect(failureOf(failures, '0123456789abcdef0123456789abcdef')).toMatchObject({ join: 'access_only', errors: [] })
  })

  test('another host', () => {
    const format = (host: string) =>
      JSON.stringify({
        time: '2026-11-21T10:00:00+00:00',
        remote_addr: '203.0.113.9',
        host,
        request: 'GET /cart HTTP/1.1',
        status: '502',
        upstream_addr: '10.0.0.7:80',
        upstream_status: '502',
        request_time: '0.001'
      })
    const joined = runEngine([error(M.refused, '10.0.0.7:80'), format('shop.example.com')]).failures
    const apart = runEngine([error(M.refused, '10.0.0.7:80'), format('other.example.com')]).failures
    expect(joined.map(failure => failure.join)).toEqual(['joined'])
    expect(apart.map(failure => failure.join)).toEqual(['access_only'])
    // `$host` in the access line, the header as it came in the error line.
    for (const header of ['Shop.Example.com', 'shop.example.com:8443', 'shop.example.com.', 'SHOP.example.com.:80']) {
      const { failures } = runEngine([error(M.refused, '10.0.0.7:80', { host: header }), format('shop.example.com')])
      expect(
        failures.map(failure => failure.join),
        header
      ).toEqual(['joined'])
    }
    const ported = runEngine([error(M.refused, '10.0.0.7:80', { host: '[::1]:8443' }), format('[::2]')]).failures
    expect(ported.map(failure => failure.join)).toEqual(['access_only'])
  })

  test('a hundred equal requests in one second, told apart by their connections', () => {
    const messages = [M.refused, M.prematureClose, M.reset, M.tooBigHeader]
    const causes = ['connection_refused', 'premature_close', 'connection_reset', 'header_too_big']
    const serials = Array.from({ length: 100 }, (_, serial) => serial)
    const idOf = (serial: number) => String(serial).padStart(32, '0')
    const errors = serials.map(serial => error(messages[serial % 4]!, '10.0.0.7:80', { connection: serial }))
    // They end in another order.
    const accesses = serials.map(serial => (serial * 37) % 100)
    const lines = accesses.map(
      serial =>
        `${failed(502, '10.0.0.7:80|0|0.001|502', { id: idOf(serial) })} ${serial} shop shop cart 0.001 - "shop.example.com"`
    )
    const { failures } = runEngine([...errors, ...lines])
    for (const serial of serials)
      expect(verdictOf(failureOf(failures, idOf(serial)))).toMatchObject({ cause: causes[serial % 4], join: 'joined' })
  })
})
