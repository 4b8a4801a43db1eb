/** Equal requests in flight, the windows, what never waits, what is too much: design §6. */
import { describe, expect, test } from 'vitest'
import { failureOf, runEngine, verdictOf } from '../support/engineRun.ts'
import { accessLine, at, cri, errorLine, MESSAGES as M } from '../support/lines.ts'

const T = at('10:00:00')

const failed = (status: number, up: string, more: Partial<Parameters<typeof accessLine>[0]> = {}): string =>
  accessLine({ timeMs: T, status, up, ...more })
const error = (message: string, upstream?: string, more: Partial<Parameters<typeof errorLine>[0]> = {}): string =>
  errorLine({ timeMs: T, message, ...(upstream === undefined ? {} : { upstream }), ...more })

describe('equal requests in flight', () => {
  const first = failed(502, '10.0.0.7:80|0|0.001|502', { id: 'a'.repeat(32) })
  const second = failed(502, '10.0.0.8:80|0|0.001|502', { id: 'b'.repeat(32) })

  test('told apart by address', () => {
    const { failures } = runEngine([
      error(M.reset, '10.0.0.8:80', { connection: 2 }),
      error(M.refused, '10.0.0.7:80', { connection: 1 }),
      first,
      second
    ])
    expect(verdictOf(failureOf(failures, 'a'.repeat(32)))).toMatchObject({
      cause: 'connection_refused',
      join: 'joined'
    })
    expect(verdictOf(failureOf(failures, 'b'.repeat(32)))).toMatchObject({ cause: 'connection_reset', join: 'joined' })
  })

  test('not to be told apart: said, and no line twice', () => {
    const twin = failed(502, '10.0.0.7:80|0|0.001|502', { id: 'b'.repeat(32) })
    const { failures } = runEngine([
      error(M.refused, '10.0.0.7:80', { connection: 1 }),
      error(M.prematureClose, '10.0.0.7:80', { connection: 2 }),
      first,
      twin
    ])
    const [one, two] = ['a', 'b'].map(id => failureOf(failures, id.repeat(32))!)
    expect(one!.join).toBe('ambiguous')
    expect([...one!.errors, ...two!.errors].map(({ line }) => line.number)).toEqual([1, 2])
  })

  test('`$connection` in the format makes it exact', () => {
    const json = (connection: number, id: string) =>
      JSON.stringify({
        time: '2026-11-21T10:00:00+00:00',
        remote_addr: '203.0.113.9',
        request: 'GET /cart HTTP/1.1',
        connection,
        status: '502',
        upstream_addr: '10.0.0.7:80',
        upstream_status: '502',
        upstream_response_length: '0',
        request_time: '0.001',
        req_id: id
      })
    const { failures } = runEngine([
      error(M.refused, '10.0.0.7:80', { connection: 1 }),
      error(M.prematureClose, '10.0.0.7:80', { connection: 2 }),
      json(2, 'b'),
      json(1, 'a')
    ])
    expect(verdictOf(failureOf(failures, 'a'))).toMatchObject({ join: 'joined', cause: 'connection_refused' })
    expect(verdictOf(failureOf(failures, 'b'))).toMatchObject({ join: 'joined', cause: 'premature_close' })
  })

  test('told apart by time where stamps are fine', () => {
    const twin = accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502', id: 'b'.repeat(32) })
    const { failures } = runEngine([
      cri(T + 100, 'stderr', error(M.refused, '10.0.0.7:80', { connection: 1 })),
      cri(T + 100.5, 'stdout', first),
      cri(T + 900, 'stderr', error(M.prematureClose, '10.0.0.7:80', { connection: 2 })),
      cri(T + 900.5, 'stdout', twin)
    ])
    expect(verdictOf(failureOf(failures, 'a'.repeat(32)))).toMatchObject({
      join: 'joined',
      cause: 'connection_refused'
    })
    expect(verdictOf(failureOf(failures, 'b'.repeat(32)))).toMatchObject({ join: 'joined', cause: 'premature_close' })
  })
})

describe('windows', () => {
  const access = failed(502, '10.0.0.7:80|0|0.001|502')
  const later = (ms: number) => accessLine({ timeMs: T + ms, status: 200, request: 'GET /other HTTP/1.1' })

  test('an error line delivered just behind its access line', () => {
    const { failures } = runEngine([access, error(M.refused, '10.0.0.7:80')])
    expect(failures.map(verdictOf)).toMatchObject([{ join: 'joined', deciding: 2 }])
  })

  test('not after `accessWaitMs`', () => {
    const { failures } = runEngine([access, later(3_000), error(M.refused, '10.0.0.7:80')])
    expect(failures.map(verdictOf)).toMatchObject([{ join: 'access_only' }])
  })

  test('an error line waits `errorWaitMs`, not longer', () => {
    const slow = (timeMs: number) =>
      accessLine({ timeMs, status: 504, up: '10.0.0.7:80|0|180.000|504', time: '180.000', bytes: 160 })
    const wait = (ms: number) =>
      runEngine([error(M.readTimeout, '10.0.0.7:80'), later(ms - 2_000), slow(T + ms)], { errorWaitMs: 190_000 })
    expect(wait(1_000).failures.map(failure => failure.join)).toEqual(['joined'])
    expect(wait(200_000).failures.map(failure => failure.join)).toEqual(['access_only'])
    expect(wait(200_000).engine.counts.errorsAlone).toBe(1)
  })

  test('an answer that was cut: its line comes before or just behind the access line, which is a success', () => {
    const cut = error(M.cutBody, '10.0.0.7:80')
    const success = accessLine({ timeMs: T, status: 200, bytes: 900, up: '10.0.0.7:80|900|0.100|200', time: '0.100' })
    for (const lines of [
      [cri(T + 10, 'stderr', cut), cri(T + 10.2, 'stdout', success)],
      [cri(T + 10, 'stdout', success), cri(T + 40, 'stderr', cut)]
    ]) {
      const { failures, engine } = runEngine(lines)
      expect(failures.map(verdictOf)).toMatchObject([{ cause: 'premature_close', join: 'joined' }])
      expect(failures[0]).toMatchObject({ masked: false, counted: false })
      expect(engine.totals).toMatchObject({ requests: 1, failures: 0 })
    }
  })
})

test('kinds without an access line do not wait', () => {
  const lines = [
    errorLine({ timeMs: T, level: 'crit', message: M.tlsHandshake, request: null, host: null, server: '0.0.0.0:443' }),
    errorLine({
      timeMs: T,
      level: 'alert',
      connection: null,
      message: '16384 worker_connections are not enough',
      client: null
    })
  ]
  const { failures } = runEngine(lines)
  expect(failures.map(failure => [failure.cause, failure.join])).toEqual([
    ['client_tls_failure', 'error_only'],
    ['controller_overload', 'error_only']
  ])
})

test('too many waiting: the oldest is given up, and counted', () => {
  const lines = Array.from({ length: 30 }, (_, i) => error(M.refused, '10.0.0.7:80', { request: `GET /${i} HTTP/1.1` }))
  for (let i = 0; i < 30; i++) lines.push(failed(502, '10.0.0.7:80|0|0.001|502', { request: `GET /${i} HTTP/1.1` }))
  const { engine, failures } = runEngine(lines, { errorsHeldMax: 10 })
  expect(engine.overflow).toBe(20)
  expect(engine.counts.errorsAlone).toBe(20)
  expect(failures.filter(failure => failure.join === 'joined').map(failure => failure.access!.record.path)).toEqual(
    Array.from({ length: 10 }, (_, i) => `/${i + 20}`)
  )
})

test('controllers do not share lines', () => {
  const { failures, engine } = runEngine([
    `[pod/one/controller] ${error(M.refused, '10.0.0.7:80')}`,
    `[pod/two/controller] ${failed(502, '10.0.0.7:80|0|0.001|502')}`
  ])
  expect(failures.filter(failure => failure.access).map(failure => failure.join)).toEqual(['access_only'])
  expect([...engine.pods]).toEqual(['one', 'two'])
})
