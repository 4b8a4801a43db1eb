/** Messages of a partition: what is a line, where it stands, what tells it from others. */
import { expect, test } from 'vitest'
import { MessageReader, type SentLine } from '../../parsers/messageReader.ts'
import { NameTable } from '../../parsers/nameTable.ts'
import type { RecordLine } from '../../parsers/reader.ts'
import { accessLine, at, cri, errorLine } from '../support/lines.ts'
import { batchOf, fluentBit, logPath, tellMessages } from '../support/messages.ts'

const T = at('10:02:11')
const LINE = accessLine({ timeMs: T, status: 200, up: '10.0.0.7:80|5|0.001|200' })
const TRACEBACK = errorLine({
  timeMs: T,
  message: 'lua entry thread aborted: runtime error: a.lua:1: boom',
  client: null
})

interface Told {
  kind: string
  number?: number
  line?: RecordLine
  code?: string
}

const told = (values: (string | null)[], firstOffset = 0): Told[] =>
  tellMessages([batchOf(values, firstOffset)]).slice(0, -1) as Told[]

test('position, number and identity of a line are those of its message', () => {
  const lines = told(
    [LINE, `${LINE}\n${LINE}\r\n`, '', `${cri(T, 'stdout', LINE)}\n`, fluentBit(T, 'stdout', LINE)],
    41
  )
  expect(lines.map(({ kind, line }) => [kind, line!.byteOffset, line!.number, line!.written])).toEqual([
    ['access', 41, 42, '41.0'],
    ['access', 42, 43, '42.0'],
    ['access', 42, 43, '42.1'],
    ['access', 44, 45, '2026-11-21T10:02:11.000000000Z'],
    ['access', 45, 46, '2026-11-21T10:02:11.000000000Z']
  ])
  expect(lines.every(({ line }) => line!.raw === LINE)).toBe(true)
})

test.each([
  ['Fluent Bit', { log: LINE, log_offset: 812 }],
  ['Vector', { message: LINE, offset: 812 }],
  ['Filebeat', { message: LINE, log: { offset: 812 } }]
])('without a stamp the offset of %s tells the line from others', (_name, record) => {
  const value = JSON.stringify(record)
  expect(told([value, value]).map(({ line }) => line!.written)).toEqual(['812', '812'])
})

test('a message without a value is a reject of its own, and read', () => {
  expect(tellMessages([batchOf([null], 7)])).toMatchObject([
    { kind: 'reject', code: 'no_value', line: { byteOffset: 7, raw: '' }, value: null },
    { readTo: 8, lines: 1 }
  ])
})

test('pieces come together whether the shipper took their frames off or not', () => {
  const [head, tail] = [LINE.slice(0, 60), LINE.slice(60)]
  const frame = (tag: string, text: string): string => `2026-11-21T10:02:11.1Z stdout ${tag} ${text}`
  for (const values of [
    [frame('P', head), frame('F', tail)],
    [JSON.stringify({ log: frame('P', head), node: 'a' }), JSON.stringify({ log: frame('F', tail), node: 'a' })],
    [JSON.stringify({ log: head, stream: 'stdout' }), JSON.stringify({ log: `${tail}\n`, stream: 'stdout' })]
  ])
    expect(told(values)).toMatchObject([
      { kind: 'access', line: { raw: LINE, byteOffset: 0 }, at: 1 },
      { kind: 'continuation', number: 2 }
    ])
})

test.each([
  ['its own frame', fluentBit(T, 'stdout', LINE, { offset: 5 }), cri(T, 'stdout', LINE).length + 1],
  [
    'a frame inside',
    JSON.stringify({ log: cri(T, 'stdout', LINE), log_path: 'a', log_offset: 5, node: 'n' }),
    cri(T, 'stdout', LINE).length + 1
  ],
  ['bytes that are no UTF-8', fluentBit(T, 'stdout', `${LINE}\xe0`, { offset: 5 }), null],
  ['two-byte characters', fluentBit(T, 'stdout', `${LINE}\xc3\xa9`, { offset: 5 }), null],
  ['put together from pieces', fluentBit(T, 'stdout', LINE, { offset: 5, more: { _p: 'P' } }), null],
  [
    'no stamp of the runtime',
    JSON.stringify({ '@timestamp': '2026-11-21T10:02:11Z', log: LINE, log_path: 'a', log_offset: 5, node: 'n' }),
    null
  ]
])('a shipper is asked with the length of the line in its file: %s', (_name, value, bytes) => {
  const sent = tellMessages([batchOf([LINE, value, value, value])]).filter(one => (one as Told).kind === 'sent')
  expect(sent.map(one => (one as SentLine).bytes)).toEqual([bytes, bytes, bytes])
})

test.each([
  ['a kubelet path', logPath('ctl-a'), 'n1', logPath('ctl-a')],
  ['the other kubelet path', '/var/log/pods/in_ctl-a_0f-1234-56/controller/0.log', null, null],
  ['another path', '/var/log/nginx/access.log', 'n1', 'n1:/var/log/nginx/access.log']
])('a shipper is asked with a name that one file has: %s', (_name, path, node, asked) => {
  const value = JSON.stringify({ log: LINE, log_path: path, log_offset: 5, ...(node !== null && { node }) })
  const sent = tellMessages([batchOf([value, value])]).filter(one => (one as Told).kind === 'sent')
  expect(sent.map(one => (one as SentLine).path)).toEqual([asked ?? path, asked ?? path])
})

test('a shipper that names a file of which every node has one is not asked', () => {
  const value = JSON.stringify({ log: LINE, log_path: '/var/log/nginx/access.log', log_offset: 5 })
  expect(tellMessages([batchOf([value, value])]).filter(one => (one as Told).kind === 'sent')).toEqual([])
})

test('lines that an earlier run has read are not asked for', () => {
  const value = fluentBit(T, 'stdout', LINE, { offset: 5 })
  const sent = tellMessages([batchOf([value, value, value], 10)], { from: 10, readTo: 12 })
  expect(sent.filter(one => (one as Told).kind === 'sent')).toHaveLength(1)
})

test('when nothing comes, nothing is referred to any more', () => {
  const ignore = (): void => {}
  const visitor = { access: ignore, record: ignore, continuation: ignore, reject: ignore }
  const start = { from: 0, readTo: 0, resends: null, learnsShapes: true }
  const reader = new MessageReader(visitor, new NameTable(), null, start)
  reader.pushMessages(batchOf([fluentBit(T, 'stdout', LINE), fluentBit(T, 'stderr', TRACEBACK)], 5))
  expect([...reader.openLines()].map(line => line.byteOffset)).toEqual([6])
  expect([...reader.context(100)].map(line => line.byteOffset)).toEqual([5])
  reader.flush()
  expect([...reader.openLines(), ...reader.context(100)]).toEqual([])
  expect(reader.lookBack('203.0.113.9', 'GET /cart HTTP/1.1', 'ctl-a', 0)).toBeNull()
})

test('pods and streams that come interleaved are read in place', () => {
  const reader = new MessageReader(
    { access() {}, record() {}, continuation() {}, reject() {} },
    new NameTable(),
    null,
    { from: 0, readTo: 0, resends: null, learnsShapes: true }
  )
  const pods = Array.from({ length: 20 }, (_, i) => `ctl-${i}`)
  const values = Array.from({ length: 400 }, (_, i) =>
    fluentBit(T + i, i % 3 === 0 ? 'stderr' : 'stdout', LINE, { pod: pods[(i * 7) % 20]!, offset: i * 300 })
  )
  reader.pushMessages(batchOf(values))
  // Each pair of pod and stream is learned once.
  expect(reader.readInPlace).toBe(400 - 40)
})
