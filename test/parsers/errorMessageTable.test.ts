/** The whole table: generated module, every row rendered, cut messages, hostile bytes. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  looksLikeErrorMessage,
  type MessageMatch,
  matchControllerMessage,
  matchErrorMessage
} from '../../parsers/errorMessage.ts'
import { messageRows } from '../../parsers/errorMessages.generated.ts'
import type { Level } from '../../parsers/record.ts'
import { generateErrorMessages, readTsv, TSV_PATH, type TsvRow } from '../support/generateErrorMessages.ts'
import { runs } from '../support/seed.ts'

const tsv = readFileSync(TSV_PATH, 'utf8')
const rows = readTsv(tsv)

test('the committed module is what the table generates', async () => {
  await expect(generateErrorMessages(tsv)).toMatchFileSnapshot('../../parsers/errorMessages.generated.ts')
  expect(messageRows()).toHaveLength(1211)
})

// ---- every row, rendered ----

/** Numbers without a row of their own and without a rule: what is left for a message's generic `<errno>` row. */
const PLAIN_ERRNOS: [number, string][] = [
  [5, 'I/O error'],
  [5, 'Input/output error'],
  [71, 'Protocol error'],
  [95, 'Not supported']
]
/** log-formats.md §10.6. */
const GLIBC: Record<string, string> = {
  '12': 'Cannot allocate memory',
  '24': 'Too many open files',
  '98': 'Address already in use',
  '99': 'Cannot assign requested address',
  '101': 'Network is unreachable',
  '110': 'Connection timed out',
  '113': 'No route to host'
}

const VALUES: Record<string, string[]> = {
  n: ['0', '3', '1024', '4294967295'],
  nnn: ['061', '943'],
  line: ['1', '203', '1106'],
  text: ['some text', 'x'],
  pid: ['7', '63123'],
  fd: ['12'],
  host: ['auth.shop.svc.cluster.local', 'site.example.com', '10.0.0.1'],
  addr: ['10.244.1.14:8080', '[2001:db8::1]:80', 'unix:/tmp/nginx/x.sock', '10.0.0.9'],
  port: ['80', '8443'],
  file: ['/etc/nginx/nginx.conf', '/tmp/nginx/client-body/0000145434', '/etc/nginx/lua/balancer.lua'],
  func: ['balance', 'sync_backends', 'route_to_alternative_balancer'],
  ctx: [' in SSL session shared cache "SSL"', ' in limit_req zone "x"', ''],
  code: ['0A00010B', '1408F10B', '18', '20'],
  uri: ['/', '/api/v1/orders?id=1', '/index.html'],
  name: ['worker process', 'cart', 'x-request-id'],
  process: ['worker process', 'cache manager process'],
  level: ['emerg'],
  module: ['proxy'],
  errors: [
    'error:0A000126:SSL routines::unexpected eof while reading',
    'error:140E0197:SSL routines:SSL_shutdown:shutdown while in init'
  ],
  strerror: ['I/O error'],
  match: ["Matched \"Operator `Ge' with parameter `5' against variable `TX:ANOMALY_SCORE' (Value: `5' )"],
  tags: [' [tag "application-multi"] [tag "attack-sqli"]', ''],
  'namespace/service': ['shop/cart', 'default/move-api-service'],
  service: ['cart', 'shop/cart']
}

interface Rendered {
  text: string
  withPhase: string
}

function render(row: TsvRow, pick: (max: number) => number): Rendered {
  const choose = <T>(list: T[]): T => list[pick(list.length)]
  let message = row.message.replace(/\((\d+): ([A-Z][^()<>]*)\)/, (whole, errno: string) =>
    GLIBC[errno] && pick(2) === 1 ? `(${errno}: ${GLIBC[errno]})` : whole
  )
  message = message.replace('(<errno>: <strerror>)', () => {
    const [errno, words] = choose(PLAIN_ERRNOS)
    return `(${errno}: ${words})`
  })
  if (message.startsWith('[lua]') && pick(2) === 1) message = message.replace('<func>(): ', '')
  if (message.includes('SSL routines::') && pick(2) === 1)
    message = message.replace('SSL routines::', 'SSL routines:ssl3_read_bytes:')
  message = message.replaceAll(/<([^<>]+)>/g, (_whole, name: string) =>
    choose(
      VALUES[name] ??
        (name.endsWith('-annotation') ? ['canary', 'nginx.ingress.kubernetes.io/canary'] : ['value', 'a-b_c', 'X1'])
    )
  )
  const phase = choose(row.phases).replace('<addr>', '0.0.0.0:443')
  const suffix = phase === '-' ? '' : ` ${phase}`
  return { text: message, withPhase: message + suffix }
}

function match(row: TsvRow, message: string): MessageMatch | null {
  const level = row.level.replace(/ .*/, '')
  if (row.emitter === 'controller' && level !== 'stderr') {
    return matchControllerMessage(
      message,
      (level === 'nested' ? null : level === 'warn' ? 'warning' : level) as Level | null
    )
  }
  return matchErrorMessage(message, (level === 'stderr' ? null : level) as Level | null, row.emitter === 'nginx-stream')
}

const seededPick = (seed: number) => {
  let state = (seed * 2654435761 + 1) >>> 0
  return (max: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
}

test('every row of the table comes back with its cause', () => {
  const wrong: string[] = []
  for (const [at, row] of rows.entries()) {
    for (let round = 0; round < 12; round++) {
      const { withPhase } = render(row, seededPick(at * 31 + round))
      const got = match(row, withPhase)
      if (got?.cause !== row.cause)
        wrong.push(`${row.id} [${row.level}] ${withPhase} → ${got?.id} ${got?.cause}, not ${row.cause}`)
    }
  }
  expect([...new Set(wrong)]).toEqual([])
})

test('a row whose phase is cut off or unknown still never throws and keeps its cause or says nothing', () => {
  for (const [at, row] of rows.entries()) {
    const { text, withPhase } = render(row, seededPick(at + 7))
    for (const message of [text, `${text} while doing something new`, withPhase.slice(0, -3), withPhase.slice(5)]) {
      const got = match(row, message)
      expect(got === null || typeof got.cause === 'string').toBe(true)
    }
  }
})

test('a message cut anywhere matches a row of its cause, or none', () => {
  // Exactly without its phase a text is whole: `connect() failed (111: …)` is then a Lua socket's.
  const wrong: string[] = []
  for (const id of [
    'upstream-timeout-read-header',
    'upstream-response-buffered-to-file',
    'connect-refused',
    'client-body-too-large',
    'limiting-requests',
    'could-not-be-resolved',
    'tls-up-verify-error',
    'lua-no-peer-returned',
    'no-live-upstreams',
    'upstream-premature-close-header'
  ]) {
    const row = rows.find(one => one.id === id)!
    const { text, withPhase } = render(row, seededPick(3))
    for (let length = 10; length < withPhase.length; length++) {
      if (length === text.length) continue
      const got = match(row, withPhase.slice(0, length))
      if (got !== null && got.cause !== row.cause) wrong.push(`${withPhase.slice(0, length)} → ${got.id}`)
    }
  }
  expect(wrong).toEqual([])
})

describe('any bytes', () => {
  const levels: (Level | null)[] = ['error', 'info', 'crit', 'warn', null]
  const heads = rows.map((row, at) => render(row, seededPick(at)).withPhase)
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .tuple(fc.constantFrom(...heads), fc.nat(60), fc.string({ maxLength: 40 }))
      .map(([head, cut, tail]) => head.slice(0, cut) + tail),
    fc.tuple(fc.constantFrom(...heads), fc.string({ maxLength: 40 })).map(([head, tail]) => tail + head)
  )

  test('never throw, and the same text gives the same answer', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...levels), fc.boolean(), (text, level, isStream) => {
        const first = matchErrorMessage(text, level, isStream)
        expect(matchErrorMessage(text, level, isStream)).toEqual(first)
        matchControllerMessage(text, level)
        looksLikeErrorMessage(text)
      }),
      runs(3000)
    )
  })

  // Quadratic work on 250 kB would take a minute: a generous bound tells it from linear work on any machine.
  test.each([
    '(',
    '"',
    ' ',
    '<',
    ': ',
    '="',
    '\\"',
    ' while ',
    '(1: ',
    'SSL routines:',
    ', client',
    '] "',
    '0#0: ',
    'client sent invalid header line: "',
    'connect() to '
  ])('cost linear time: %s repeated', piece => {
    const long = piece.repeat(Math.floor(250_000 / piece.length))
    const started = performance.now()
    for (const head of [
      '',
      '"',
      'DNS error (1: ',
      '[lua] balancer.lua:1: ',
      '[client ',
      'Event(v1.ObjectReference{Kind:"',
      'start '
    ]) {
      matchErrorMessage(head + long, 'error', false)
      matchControllerMessage(head + long, 'error')
      looksLikeErrorMessage(head + long)
    }
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
