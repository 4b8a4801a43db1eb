import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UPSTREAMINFO } from '../../parsers/logFormat.ts'
import { byte, request } from '../support/arbitrary.ts'
import { renderAccess } from '../support/nginxRender.ts'
import { bytesOf, type Told, tellAll, tellEach } from '../support/readLog.ts'
import { runs, someOf } from '../support/seed.ts'

const samples = new URL('../../samples/', import.meta.url)
const realLines = readFileSync(new URL('real-lines.jsonl', samples), 'utf8')
  .trim()
  .split('\n')
  .map(line => Buffer.from((JSON.parse(line) as { line: string }).line).toString('latin1'))
const goldenLines = ['access', 'error', 'controller', 'stream_access', 'envelope'].flatMap(kind =>
  readdirSync(new URL(`${kind}/`, samples))
    .filter(name => name.endsWith('.log'))
    .flatMap(name => readFileSync(new URL(`${kind}/${name}`, samples), 'latin1').split('\n'))
)
const lines = [...realLines, ...goldenLines]

const line = fc.constantFrom(...lines)
const cut = fc.tuple(line, fc.nat(400), fc.nat(400)).map(([text, from, to]) => text.slice(from, from + to))
const frame = fc.constantFrom(
  '2026-11-21T10:02:11.123456789Z stdout F ',
  '2026-11-21T10:02:11.123456789Z stdout P ',
  '2026-11-21T10:02:11.123456789Z stderr P ',
  '2026-11-21T10:02:11.2Z stderr F ',
  '2026-11-21T10:02:11Z ',
  '[pod/a-b/controller] ',
  '{"log":"',
  '{"status":502,"request":"',
  'ingress-nginx-controller-6b8f7d5c9-x2x7k controller '
)
const piece = fc.oneof(
  { weight: 6, arbitrary: line.map(text => `${text}\n`) },
  { weight: 2, arbitrary: fc.tuple(frame, line).map(([head, text]) => `${head}${text}\n`) },
  { weight: 1, arbitrary: fc.tuple(frame, cut).map(([head, text]) => `${head}${text}\n`) },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: fc.string({ unit: byte, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\0', '\xff\xfe', '\xe2\x80', '\n\n\n', '"\n') },
  { weight: 1, arbitrary: fc.constantFrom(70_000, 200_000).map(length => `${'a" '.repeat(length / 3)}\n`) }
)
const log = fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join(''))

/** Every physical line is told once: as a record's first line, a continuation or a reject. */
function expectWhole(text: string, told: readonly Told[]): void {
  const feeds = text.split('\n').length - 1
  const count = feeds + (text === '' || text.endsWith('\n') ? 0 : 1)
  expect(told.map(({ number }) => number).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
}

describe('any bytes', () => {
  test('are told line by line, the same in any chunking', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
        const bytes = bytesOf(text)
        const whole = tellAll([bytes])
        expectWhole(text, whole)
        const at = [0, ...cuts.map(cutAt => cutAt % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        const chunks = at.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(at[i], end)))
        expect(tellAll(chunks)).toEqual(whole)
      }),
      runs(400)
    )
  })

  test('byte by byte too', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(line, cut), { maxLength: 4 }), parts => {
        const bytes = bytesOf(parts.join('\n'))
        const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
        expect(tellAll(chunks)).toEqual(tellAll([bytes]))
      }),
      runs(100)
    )
  })

  test('a chunk may be overwritten when push has returned', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 300 }), (parts, size) => {
        const bytes = bytesOf(`${parts.join('\n')}\n`)
        const reused = new Uint8Array(size)
        function* chunks() {
          for (let from = 0; from < bytes.length; from += size) {
            const part = bytes.subarray(from, from + size)
            reused.set(part)
            yield reused.subarray(0, part.length)
            reused.fill(0x22)
          }
        }
        expect(tellAll(chunks())).toEqual(tellAll([bytes]))
      }),
      runs(100)
    )
  })

  test('a line longer than any is skipped to its end, whatever the chunks', () => {
    const long = 'a'.repeat(3 << 20)
    const text = `${lines[0]}\n${long}\n${lines[1]}\n`
    for (const size of [1 << 16, 1 << 18, 700_001]) {
      const bytes = bytesOf(text)
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size)
      )
      const told = tellAll(chunks)
      expectWhole(text, told)
      expect(told[1]).toMatchObject({ number: 2, kind: 'reject', reject: `line_too_long:${1 << 20}` })
      expect(told[1]!.line!.raw).toHaveLength(200)
      expect(told[2]!.line!.byteOffset).toBe(lines[0]!.length + long.length + 2)
    }
  })
})

/** Repeated, and four times as often, up to 1 MB; a quadratic reader takes sixteen times as long. */
describe('hostile lines cost linear time', () => {
  const heads: Record<string, string> = {
    bare: '',
    access: '192.0.2.10 - - [21/Nov/2026:10:02:11 +0000] "GET /',
    error: '2026/11/21 10:02:11 [error] 31#31: *812 ',
    context: '2026/11/21 10:02:11 [error] 31#31: *812 x, client: 192.0.2.10, server: a, request: "',
    lua: '2026/11/21 10:02:11 [error] 31#31: *812 [lua] a.lua:1: ',
    klog: 'E1121 10:02:11.123456       7 a.go:1] ',
    json: '{"status":502,"upstream_addr":"',
    stream: '[192.0.2.10] [',
    cri: '2026-11-21T10:02:11.123456789Z stdout F '
  }
  const repeated = [
    '", upstream: "',
    'client: ',
    ', client: 6.6.6.6, server: ',
    '(((',
    '(1: a',
    ' ',
    '"',
    '{"a":',
    '"a":"b",',
    '\\',
    '\\x',
    ' while ',
    '[',
    '[a] ',
    ', ',
    ' : ',
    '0, ',
    '1.000 ',
    'a ',
    'GET / HTTP/1.1" 200 ',
    'service "a/b" ',
    ': ',
    '="',
    ' HTTP/1.1", host: "',
    '[21/Nov/2026:10:02:11 +0000] ',
    '-'
  ]
  test.each(Object.entries(heads).map(([name, head], i) => [name, head, i] as const))(
    'behind a head: %s',
    (name, head, i) => {
      // Just below the longest line that is read, where that is likeliest to hurt.
      const bytes = name === 'bare' || name === 'context' ? 260_000 : 65_000
      const slow: string[] = []
      for (const part of someOf(repeated, i)) {
        const large = head + part.repeat((4 * bytes) / part.length)
        // What is quadratic takes seconds at these lengths; below some milliseconds a clock says nothing.
        if (bestOf(1, large) < 12 * 40) continue
        const [smallMs, largeMs] = [bestOf(2, head + part.repeat(bytes / part.length)), bestOf(2, large)]
        if (largeMs >= 12 * Math.max(smallMs, 40)) slow.push(`${JSON.stringify(part)}: ${smallMs} ms, ${largeMs} ms`)
      }
      expect(slow).toEqual([])
    }
  )

  /** Milliseconds of this process, whatever else the machine does. */
  function bestOf(times: number, text: string): number {
    const bytes = bytesOf(`${text}\n`)
    let best = Infinity
    for (let i = 0; i < times; i++) {
      const before = process.cpuUsage()
      tellAll([bytes])
      best = Math.min(best, process.cpuUsage(before).user / 1000)
    }
    return best
  }
})

describe('a line cut at any byte', () => {
  const whole = [
    ...realLines.filter((_, i) => i % 5 === 0),
    ...goldenLines
      .filter(text => text.startsWith('192.0.2.10 - ') && text.includes('10.2.3.14'))
      .filter((_, i) => i % 8 === 0)
  ].filter(text => text.length < 1200 && !/ std(?:out|err) P |^\{"log":/.test(text))

  test.each(whole.map(text => [text.slice(0, 60), text] as const))('%s', (_start, text) => {
    const [told] = tellEach([text])
    const isAccess = told!.kind === 'access'
    const status = told!.record?.kind === 'access' ? told!.record.status : null
    const requestAt = text.search(/"[A-Z]+ \/|"-?" \d{3}|"request/)
    const positions = Array.from({ length: text.length - 1 }, (_, i) => i + 1)
    const heads = tellEach(positions.map(at => text.slice(0, at)))
    const tails = tellEach(positions.map(at => text.slice(at)))
    expect([heads.length, tails.length]).toEqual([positions.length, positions.length])
    for (const [i, at] of positions.entries()) {
      for (const { record } of [heads[i]!, tails[i]!])
        if (record?.kind === 'access') expect([null, status]).toContain(record.status)
      const record = tails[i]!.record
      // Without its request nothing is an access line, but for a whole tail from the upstream name's bracket on.
      if (record?.kind === 'access' && isAccess && at > requestAt && requestAt >= 0)
        expect([text.slice(at).trimStart()[0], record.status]).toEqual(['[', null])
    }
  })
})

test('a rendered line of any client is one access record, cut or not', () => {
  fc.assert(
    fc.property(request, fc.nat(), (given, at) => {
      const text = renderAccess(UPSTREAMINFO, given.variables)
      const head = tellAll([bytesOf(text.slice(0, at % text.length))])[0]?.record
      if (head?.kind === 'access') expect([null, given.status]).toContain(head.status)
    }),
    runs(500)
  )
})
