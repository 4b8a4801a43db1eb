/** What a run says about itself: readable by programs and people, safe to show, and free of what the logs say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { causeTable } from '../parsers/causes.ts'
import { Counters } from '../src/counters.ts'
import { Why5xxError } from '../src/errors.ts'
import { createLogger, type LoggerOptions } from '../src/logger.ts'
import { summaryOf, worstFailure } from '../src/runSummary.ts'
import { runEngine } from './support/engineRun.ts'

const TOKEN = 'correct-horse-"battery'
const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const HOSTILE = '\u001b[31mred\u0007 \u202Egnitirw \u2028 \u009b2J\nINFO: forged'

type Format = 'auto' | 'json' | 'pretty'

/** What `say` writes, whole lines. */
async function written(
  format: Format,
  say: (logger: Awaited<ReturnType<typeof createLogger>>) => void,
  options: LoggerOptions & { level?: 'error' | 'warn' | 'info' | 'debug' } = {}
): Promise<string> {
  let text = ''
  const write = (more: string): void => {
    text += more
  }
  say(
    await createLogger(
      { level: options.level ?? 'info', format },
      { write, isTerminal: format === 'pretty', ...options }
    )
  )
  return text
}

describe('JSON', () => {
  test('one object a line: ISO time, level as a word, who says it', async () => {
    const text = await written('json', logger => {
      logger.info('reading', { files: 3 })
      logger.warn('paused')
    })
    const lines = text.trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line) as object)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        service: 'why5xx',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        files: 3,
        msg: 'reading'
      },
      expect.objectContaining({ level: 'warn', msg: 'paused' })
    ])
    expect(text.endsWith('\n')).toBe(true)
  })

  test('any text comes back as it was, and moves no cursor', async () => {
    const text = await written('json', logger => logger.info(`${HOSTILE} %d %o`, { path: HOSTILE }))
    expect(UNSAFE.test(text)).toBe(false)
    expect(JSON.parse(text)).toMatchObject({ msg: `${HOSTILE} %d %o`, path: HOSTILE })
    expect(text.trimEnd().split('\n')).toHaveLength(1)
  })

  test('an error of ours is its sentence, another one its place', async () => {
    const text = await written('json', logger => {
      logger.error('cannot go on', { error: new Why5xxError('WHY5XX_LISTEN', 'the port is taken') })
      logger.error('cannot go on', { error: new TypeError('undefined is no function') })
    })
    const [ours, other] = text.split('\n').map(line => (line === '' ? null : (JSON.parse(line) as { error: object })))
    expect(ours!.error).toEqual({ code: 'WHY5XX_LISTEN', message: 'the port is taken' })
    expect(other!.error).toMatchObject({
      type: 'TypeError',
      message: 'undefined is no function',
      stack: expect.stringContaining('logger.test.ts')
    })
  })
})

test.each([
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info']],
  ['debug', ['error', 'warn', 'info', 'debug']]
] as const)('log.level %s', async (level, shown) => {
  const text = await written(
    'json',
    logger => {
      for (const name of ['error', 'warn', 'info', 'debug'] as const) logger[name](name)
    },
    { level }
  )
  expect([...text.matchAll(/"msg":"(\w+)"/g)].map(match => match[1])).toEqual(shown)
})

describe('pretty', () => {
  test('a line for people, nothing in it from the names it holds', async () => {
    const text = await written('pretty', logger => logger.info(HOSTILE, { path: HOSTILE, [HOSTILE]: [HOSTILE] }))
    const plain = text.replace(/\u001b\[\d+m/g, '')
    expect(UNSAFE.test(plain)).toBe(false)
    expect(plain.trimEnd().split('\n')).toHaveLength(1)
    expect(plain).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\] INFO: \\x1B\[31mred\\x07 \\u\{202E\}gnitirw/)
    // Colours of our own at most: every escape is one that pino-pretty sets, never one of the name.
    expect(text).not.toContain('\u001b[31mred')
  })

  test('a stack keeps its lines, a message does not get any', async () => {
    const text = await written('pretty', logger => logger.error('bad', { error: new Error(`boom\n[x] INFO: forged`) }))
    expect(text).toMatch(/\n\s+at /)
    expect(text).not.toMatch(/^\[x\] INFO/m)
  })

  test.each<[Format, boolean, boolean]>([
    ['auto', true, false],
    ['auto', false, true],
    ['json', true, true],
    ['pretty', false, false]
  ])('log.format %s, terminal %s: JSON %s', async (format, isTerminal, isJson) => {
    const text = await written(format, logger => logger.info('hello'), { isTerminal })
    expect(text.startsWith('{')).toBe(isJson)
    expect(text).toContain('hello')
  })
})

test.each(['json', 'pretty'] as const)('tokens leave in no form: %s', async format => {
  const text = await written(
    format,
    logger => {
      logger.info(`started with ${TOKEN}`, { web: { token: 'x1', metricsToken: 'x2' }, authorization: 'x3' })
      logger.error('bad', { error: new Error(`refused ${TOKEN}`), list: [TOKEN], [TOKEN]: 1 })
    },
    { secrets: [TOKEN, null] }
  )
  expect(text).not.toMatch(/battery|x[123]/)
  expect(text.match(/\*\*\*/g)!.length).toBeGreaterThan(5)
})

describe('the summary', () => {
  const count = (counters: Counters, upstream: string, status: string, times: number): void => {
    const cause = status === '499' ? 'client_closed' : 'connection_refused'
    const { category, slo } = causeTable[cause]
    for (let i = 0; i < times; i++) counters.countFailure({ upstream, cause, category, status, slo })
  }

  test('counts, and the speed since the one before', () => {
    const counters = new Counters(1_000_000)
    expect(summaryOf(counters, 1_000_000)).toMatchObject({ upSeconds: 0, lines: 0, linesPerSecond: 0, paused: null })
    Object.assign(counters.lines, { access: 900, error: 90, reject: 10 })
    counters.countRequests('a', 800)
    counters.countRequests('b', 100)
    count(counters, 'a', '502', 3)
    count(counters, 'a', '499', 2)
    count(counters, 'a', '200', 1)
    count(counters, '', '-', 1)
    count(counters, 'b', '009', 1)
    const first = summaryOf(counters, 1_010_000)
    expect(first).toMatchObject({
      upSeconds: 10,
      lines: 1_000,
      linesPerSecond: 100,
      requests: 900,
      failed: 4,
      documents: 8,
      rejects: 10
    })
    counters.lines.access += 600
    expect(summaryOf(counters, 1_070_000, first)).toMatchObject({ lines: 1_600, linesPerSecond: 10, upSeconds: 70 })
  })

  test('the worst is a cause at an upstream, over all of its statuses', () => {
    const counters = new Counters(0)
    expect(worstFailure(counters)).toBeNull()
    count(counters, 'a', '499', 9)
    expect(worstFailure(counters)).toBeNull()
    count(counters, 'a', '502', 2)
    count(counters, 'a', '504', 2)
    count(counters, 'b', '502', 3)
    expect(worstFailure(counters)).toEqual({ cause: 'connection_refused', upstream: 'a', count: 4 })
  })
})

describe('what the logs say stays out of ours', () => {
  /** The hostile corpus as a run counts it. */
  const counters = new Counters(0)
  const folder = join(import.meta.dirname, '../samples/hostile')
  const lines = readdirSync(folder).flatMap(file => readFileSync(join(folder, file), 'latin1').split('\n'))
  for (const { upstreamName, access, cause } of runEngine(lines).failures) {
    const { category, slo } = causeTable[cause]
    const upstream = upstreamName ?? ''
    counters.countRequests(upstream, 1)
    counters.countFailure({ upstream, cause, category, slo, status: String(access?.record.status ?? '-') })
  }

  test.each(['json', 'pretty'] as const)('%s', async format => {
    expect(counters.failures.size).toBeGreaterThan(3)
    const text = await written(format, logger => logger.info('summary', summaryOf(counters, 60_000)))
    expect(text).toContain('summary')
    expect(UNSAFE.test(text.replace(/\u001b\[\d+m/g, ''))).toBe(false)
    // Every word is one of ours: a name that is counted, a level, the program.
    const ours = new Set(['level', 'info', 'time', 'service', 'why5xx', 'version', 'msg', 'summary', 'null', 'INFO'])
    for (const key of Object.keys(summaryOf(counters, 0))) ours.add(key)
    const words = text.replace(/\u001b\[\d+m/g, '').match(/(?<!\d)[A-Za-z]\w{2,}/g)!
    expect(words.filter(word => !ours.has(word))).toEqual([])
  })
})
