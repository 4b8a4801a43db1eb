/** What several files, windows of time, clocks and odd formats do to a join, through the whole engine. */
import { afterAll, expect, test } from 'vitest'
import { accessLine, at, errorLine } from './support/lines.ts'
import { Folder, why5xxHere } from './support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const REFUSED = 'connect() failed (111: Connection refused) while connecting to upstream'
const refusedLine = (timeMs: number, request = 'GET /cart HTTP/1.1') =>
  errorLine({ timeMs, message: REFUSED, upstream: '10.0.0.7:80', request })
const failedLine = (timeMs: number, request = 'GET /cart HTTP/1.1') =>
  accessLine({ timeMs, status: 502, request, up: '10.0.0.7:80|0|0.001|502' })

async function documents(files: string[], ...flags: string[]): Promise<Record<string, Record<string, unknown>>[]> {
  const run = await why5xxHere(['explain', '--format', 'ndjson', ...files, ...flags])
  expect(run.stderr).toBe('')
  return run.stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

test('files of two pods are two controllers: nothing joins across them, and the document names its own', async () => {
  const id = '0'.repeat(64)
  const cri = (stream: string, line: string) => `2026-11-21T10:00:00.100000000Z ${stream} F ${line}\n`
  const a = folder.write(`ctl-a_ingress-nginx_controller-${id}.log`, cri('stderr', refusedLine(at('10:00:00'))))
  const b = folder.write(`ctl-b_ingress-nginx_controller-${id}.log`, cri('stdout', failedLine(at('10:00:00'))))
  expect(await documents([a, b])).toMatchObject([
    { why5xx: { join: { state: 'access_only' }, controller: { pod: { name: 'ctl-b' }, namespace: 'ingress-nginx' } } }
  ])
})

test('mixed files are controllers of their own; access.log and error.log are one', async () => {
  const quiet = accessLine({
    timeMs: at('09:59:00'),
    status: 200,
    request: 'GET /x HTTP/1.1',
    up: '10.0.0.7:80|9|0.001|200'
  })
  const mixedErrors = folder.write('mixed-errors.log', `${quiet}\n${refusedLine(at('10:00:00'))}\n`)
  const mixedAccess = folder.write(
    'mixed-access.log',
    `${refusedLine(at('09:58:00'), 'GET /y HTTP/1.1')}\n${failedLine(at('10:00:00'))}\n`
  )
  expect(await documents([mixedErrors, mixedAccess])).toMatchObject([{ why5xx: { join: { state: 'access_only' } } }])
  const errors = folder.write('error.log', `${refusedLine(at('10:00:00'))}\n`)
  const access = folder.write('access.log', `${failedLine(at('10:00:00'))}\n`)
  expect(await documents([access, errors])).toMatchObject([
    { why5xx: { join: { state: 'joined' }, cause: 'connection_refused' } }
  ])
})

test('a window of time keeps the error lines of its first requests', async () => {
  const access = accessLine({ timeMs: at('10:01:00'), status: 502, time: '60.000', up: '10.0.0.7:80|0|0.001|502' })
  const slow = access.replace('0.001 502 ', '60.000 502 ').replace(' 0.001 ', ' 60.000 ')
  const file = folder.write('window.log', `${refusedLine(at('10:00:59'))}\n${slow}\n`)
  expect(await documents([file], '--from', '2026-11-21T10:01:00Z')).toMatchObject([
    { why5xx: { join: { state: 'joined' } } }
  ])
})

test('the very first error line is in the local time of the access lines behind it', async () => {
  const local = refusedLine(at('11:00:00'))
  const file = folder.write(
    'local.log',
    `${local}\n${failedLine(at('10:00:00')).replace('10:00:00 +0000', '11:00:00 +0100')}\n`
  )
  expect(await documents([file])).toMatchObject([
    { '@timestamp': '2026-11-21T10:00:00.000Z', why5xx: { join: { state: 'joined' } } }
  ])
})

test.each([
  ['method and URI, no version', { request_method: 'GET', request_uri: '/cart', remote_addr: '203.0.113.9' }],
  ['no client', { request: 'GET /cart HTTP/1.1', host: 'shop.example.com' }]
])('a JSON format with %s joins', async (_name, fields) => {
  const line = {
    time: '2026-11-21T10:00:00+00:00',
    status: 502,
    request_time: 0.001,
    upstream_addr: '10.0.0.7:80',
    upstream_status: '502',
    upstream_response_time: '0.000',
    ...fields
  }
  const file = folder.write('json.log', `${refusedLine(at('10:00:00'))}\n${JSON.stringify(line)}\n`)
  expect(await documents([file])).toMatchObject([
    { why5xx: { join: { state: 'joined' }, cause: 'connection_refused' } }
  ])
})

test('two lines about one cut answer, before and behind its access line, make one document', async () => {
  const cut = (message: string) => errorLine({ timeMs: at('10:00:00'), message, upstream: '10.0.0.7:80' })
  const stamped = (ms: string, stream: string, line: string) => `2026-11-21T10:00:00.${ms}Z ${stream} F ${line}\n`
  const file = folder.write(
    'cut.log',
    stamped('100', 'stderr', cut('upstream prematurely closed connection while reading upstream')) +
      stamped(
        '101',
        'stdout',
        accessLine({ timeMs: at('10:00:00'), status: 200, bytes: 10, up: '10.0.0.7:80|10|0.001|200' })
      ) +
      stamped('110', 'stderr', cut('recv() failed (104: Connection reset by peer) while reading upstream'))
  )
  const [document, ...others] = await documents([file])
  expect(others).toEqual([])
  expect(document).toMatchObject({ why5xx: { cause: 'premature_close', join: { state: 'joined' } } })
})

test('one line of a far future closes no window', async () => {
  const future = accessLine({ timeMs: Date.parse('2099-01-01T00:00:00Z'), status: 200, up: '10.0.0.7:80|9|0.001|200' })
  const file = folder.write('future.log', [refusedLine(at('10:00:00')), future, failedLine(at('10:00:01'))].join('\n'))
  expect(await documents([file])).toMatchObject([{ why5xx: { join: { state: 'joined' } } }])
})

test('error lines without requests are handed on while record time stands still', async () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => refusedLine(at('10:00:00'), `GET /${i} HTTP/1.1`))
  const file = folder.write('error-flood.log', lines.join('\n'))
  const run = await why5xxHere(['explain', '--format', 'json', file])
  expect(JSON.parse(run.stdout)).toMatchObject({ requests: 0, errorOnly: 0, join: { errorOnly: 30_000 } })
})
