/** The way in place and the way through `JSON.parse` tell the same, whatever is written. */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UPSTREAMINFO } from '../../parsers/logFormat.ts'
import { byte, clientText, request } from '../support/arbitrary.ts'
import { batchOf, logPath, tellMessages } from '../support/messages.ts'
import { renderAccess } from '../support/nginxRender.ts'
import { runs } from '../support/seed.ts'

const samples = new URL('../../samples/', import.meta.url)
const sampleLines = ['access', 'error', 'controller', 'stream_access', 'envelope'].flatMap(kind =>
  readdirSync(new URL(`${kind}/`, samples))
    .filter(name => name.endsWith('.log'))
    .flatMap(name => readFileSync(new URL(`${kind}/${name}`, samples), 'latin1').split('\n'))
)

const usual = fc
  .tuple(fc.nat(999), fc.constantFrom(200, 404, 502), fc.constantFrom('/', '/a?b=c', '/cart'))
  .map(
    ([bytes, status, path]) =>
      `192.0.2.10 - - [21/Nov/2026:10:02:11 +0000] "GET ${path} HTTP/1.1" ${status} ${bytes} "-" "curl/8.7.1" 83 0.004 [shop-cart-80] [] 10.2.3.14:80 612 0.004 ${status} 010024c0de4b1a9d3f00112233445566`
  )
const rendered = request.map(given => renderAccess(UPSTREAMINFO, given.variables))
const cut = fc
  .tuple(fc.oneof(usual, rendered), fc.nat(300), fc.nat(300))
  .map(([text, from, length]) => text.slice(from, from + length))
const spoiled = fc
  .tuple(
    usual,
    fc.nat(250),
    fc.oneof(byte, fc.constantFrom('"', '\\', '\\"', '\\x22', '\\u0022', '\n', '\r', 'é', '€'))
  )
  .map(([text, at, what]) => text.slice(0, at) + what + text.slice(at))
const frame = fc.constantFrom(
  '2026-11-21T10:02:11.123456789Z stdout F ',
  '2026-11-21T10:02:11.123456789Z stdout P ',
  '2026-11-21T10:02:11.2+01:00 stderr F ',
  '2026-11-21T10:02:11Z ',
  '[pod/a-b/controller] ',
  '[pod/a"b/controller] ',
  'ingress-nginx-controller-6b8f7d5c9-x2x7k controller '
)
const anyLine = fc.oneof(
  { weight: 5, arbitrary: usual },
  { weight: 3, arbitrary: rendered },
  { weight: 2, arbitrary: spoiled },
  { weight: 2, arbitrary: fc.constantFrom(...sampleLines) },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: fc.tuple(frame, usual).map(parts => parts.join('')) },
  { weight: 1, arbitrary: clientText }
)
const line = fc.tuple(anyLine, fc.constantFrom('', '', '', '\n', '\r\n', '\r')).map(parts => parts.join(''))

const isoStamp = fc
  .tuple(fc.nat(59), fc.nat(999_999_999), fc.constantFrom(0, 3, 6, 9))
  .map(([second, nano, digits]) => {
    const fraction = digits === 0 ? '' : `.${String(nano).padStart(9, '0').slice(0, digits)}`
    return `2026-11-21T10:02:${String(second).padStart(2, '0')}${fraction}`
  })
const stampText = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(isoStamp, fc.constantFrom('Z', 'Z', '+00:00', '-0330')).map(parts => parts.join(''))
  },
  fc.constantFrom('', 'yesterday', '2026-11-21 10:02:11', '21/Nov/2026:10:02:11 +0000', '2026-13-41T10:02:11Z')
)
const stampNumber = fc.oneof(
  fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }),
  fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }).map(ms => ms / 1000),
  fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  fc.constantFrom(0, -1, 1e21, 1795255331.123456)
)
const logOffset = fc.oneof(fc.nat(), fc.constantFrom(0, 1.5, -3, 1e21, 2 ** 53))
const pod = fc.constantFrom('ctl-a', 'ctl-b')
const stream = fc.constantFrom('stdout', 'stdout', 'stderr')

type Writer = (given: Given) => Record<string, unknown>
interface Given {
  line: string
  time: string
  number: number
  offset: number
  pod: string
  stream: string
  free: string
}
const writers: Writer[] = [
  // Fluent Bit with its cri parser; its docker-like record with the filter's metadata.
  ({ line: log, time, offset, pod: name, stream: of }) => ({
    '@timestamp': time,
    time,
    stream: of,
    _p: 'F',
    log,
    log_path: logPath(name),
    log_offset: offset,
    node: 'n1'
  }),
  ({ line: log, number, pod: name, stream: of }) => ({
    date: number,
    stream: of,
    _p: 'P',
    log,
    kubernetes: { pod_name: name, namespace_name: 'ingress-nginx', labels: { a: 'b' }, count: number }
  }),
  // docker's own.
  ({ line: log, time, stream: of }) => ({ log, stream: of, time }),
  // Fluentd, Vector, Filebeat.
  ({ line: log, time, pod: name, stream: of }) => ({
    log,
    stream: of,
    docker: { container_id: '0f' },
    kubernetes: { pod_name: name, host: 'n1' },
    '@timestamp': time
  }),
  ({ line: message, time, pod: name, stream: of }) => ({
    file: `/var/log/pods/ingress-nginx_${name}_6f1c0a3e-0000-4000-8000-000000000000/controller/0.log`,
    kubernetes: { pod_name: name, pod_namespace: 'ingress-nginx', pod_node_name: 'n1' },
    message,
    stream: of,
    timestamp: time
  }),
  ({ line: message, time, offset, pod: name }) => ({
    '@timestamp': time,
    '@metadata': { beat: 'filebeat', version: '8.15.0' },
    log: { offset, file: { path: logPath(name) } },
    message,
    tags: ['a', 1, null, true, { at: time }]
  }),
  // No stamp, no pod; a frame inside; what changes is no number.
  ({ line: log, offset }) => ({ log, offset, log_path: '/var/log/nginx/access.log' }),
  ({ line: body, free, number }) => ({ free, body, number, '@timestamp': number }),
  ({ line: log, free, time }) => ({ log, message: free, time }),
  ({ line: log, time }) => ({ log, time, status: 200 }),
  ({ time, number }) => ({ log: number, time })
]

const given = fc.record({
  line,
  time: stampText,
  number: stampNumber,
  offset: logOffset,
  pod,
  stream,
  free: clientText
})
/** UTF-8 as Latin-1, or bytes of a raw line just as they are. */
const json = fc
  .tuple(given, fc.nat(writers.length - 1), fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6))
  .map(([of, writer, style]) => {
    const record = writers[writer]!({ ...of, line: style === 1 ? of.line : utf8(of.line) })
    // One shipper in a hundred writes its keys in another order, blanks, other escapes, or a byte that is none.
    const keys = style === 2 ? Object.fromEntries(Object.entries(record).reverse()) : record
    const text = Buffer.from(JSON.stringify(keys, null, style === 3 ? ' ' : undefined)).toString('latin1')
    if (style === 4) return text.replaceAll('/', '\\/')
    if (style === 5) return text.replaceAll('\\"', '\\u0022')
    return style === 6 ? text.replace('GET', 'G\xffET') : text
  })
const value = fc.oneof(
  { weight: 12, arbitrary: json },
  { weight: 1, arbitrary: line },
  { weight: 1, arbitrary: fc.tuple(json, json).map(parts => parts.join('\n')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(json, fc.nat(400), byte)
      .map(([text, at, what]) => text.slice(0, at) + what + text.slice(at + 1))
  },
  { weight: 1, arbitrary: fc.tuple(json, fc.nat(700)).map(([text, at]) => text.slice(0, at)) },
  { weight: 1, arbitrary: fc.constantFrom(null, '', '\n', '{}', '{"log":', '{"log":"a"}\r\n') }
)

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

const values = fc.array(value, { minLength: 1, maxLength: 24 })

test('messages tell the same in place and parsed', () => {
  fc.assert(
    fc.property(values, fc.nat(24), (all, at) => {
      const batches = [batchOf(all.slice(0, at)), batchOf(all.slice(at), at)]
      expect(tellMessages(batches)).toEqual(tellMessages(batches, { learnsShapes: false }))
    }),
    runs(300)
  )
})

test('and where one of them has been read in place before', () => {
  fc.assert(
    fc.property(json, json, fc.integer({ min: 2, max: 5 }), fc.nat(900), byte, (first, second, times, at, what) => {
      const spoilt = first.slice(0, at) + what + first.slice(at + 1)
      const all = [...Array<string>(times).fill(first), second, first, spoilt, first.slice(0, at), second]
      expect(tellMessages([batchOf(all)])).toEqual(tellMessages([batchOf(all)], { learnsShapes: false }))
    }),
    runs(300)
  )
})
