/** Every input that is not the log one hoped for: said clearly, with the right exit code, and the rest is still read. */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { accessLine, at, cri, errorLine, MESSAGES as M } from '../support/lines.ts'
import { Folder, type Run, why5xx, why5xxHere } from '../support/program.ts'

const T = at('10:00:00')
const folder = new Folder()
afterAll(() => folder.remove())

const FAILED = accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502' })
const SERVED = accessLine({ timeMs: T, status: 200, bytes: 61, up: '10.0.0.7:80|61|0.010|200' })
const REFUSED = errorLine({ timeMs: T, message: M.refused, upstream: '10.0.0.7:80' })
const GOOD = `${SERVED}\n${REFUSED}\n${FAILED}\n`

interface Report {
  lines: number
  records: Record<string, number>
  rejects: number
  requests: number
  failures: number
  continuations: number
  byCause: Record<string, number>
  join: Record<string, number>
  formats: { format: string; lines: number }[]
}

async function explain(...args: string[]): Promise<Run & { report: Report }> {
  const run = await why5xxHere(['explain', '--format', 'json', ...args])
  expect(run.stderr).not.toMatch(/\n\s+at /)
  return { ...run, report: (run.stdout === '' ? null : JSON.parse(run.stdout)) as Report }
}

interface Parsed {
  lineNumber: number
  kind: string
  reject: { code: string; column: number } | null
}

async function parse(...args: string[]): Promise<Run & { lines: Parsed[] }> {
  const run = await why5xxHere(['parse', ...args])
  expect(run.stderr).not.toMatch(/\n\s+at /)
  return {
    ...run,
    lines: run.stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Parsed)
  }
}

describe('lines', () => {
  test('no line feed at the end', async () => {
    const file = folder.write('no-end.log', GOOD.trimEnd())
    expect((await explain(file)).report).toMatchObject({ lines: 3, requests: 2, failures: 1, rejects: 0 })
    expect((await parse(file)).lines.map(line => line.kind)).toEqual(['access', 'error', 'access'])
  })

  test('CRLF', async () => {
    const file = folder.write('crlf.log', GOOD.replaceAll('\n', '\r\n'))
    const { report, code } = await explain(file)
    expect(report).toMatchObject({ lines: 3, requests: 2, failures: 1, rejects: 0, byCause: { connection_refused: 1 } })
    expect(code).toBe(0)
  })

  test.each<[string, Buffer, string, number]>([
    ['NUL', Buffer.from('a\u0000b'), 'not_text', 2],
    ['a picture', Buffer.from('\x89PNG\r', 'latin1'), 'unrecognized', 1],
    ['invalid UTF-8', Buffer.from([0x66, 0xff, 0xfe, 0x66]), 'unrecognized', 1],
    ['HTML', Buffer.from('<!doctype html><html><body>502 Bad Gateway</body></html>'), 'unrecognized', 1]
  ])('%s in the middle is one reject', async (name, bytes, code, column) => {
    const file = folder.write(
      `middle-${name}.log`,
      Buffer.concat([Buffer.from(`${SERVED}\n`), bytes, Buffer.from(`\n${FAILED}\n`)])
    )
    const { report, code: exitCode } = await explain(file)
    expect(report).toMatchObject({ lines: 3, requests: 2, failures: 1, rejects: 1 })
    expect(exitCode).toBe(0)
    const { lines } = await parse(file)
    expect(lines.map(line => line.kind)).toEqual(['access', 'reject', 'access'])
    expect(lines[1]).toMatchObject({ lineNumber: 2, reject: { code, column } })
  })

  test('10 MB in one line', async () => {
    const file = folder.write('long.log', `${SERVED}\n${'x'.repeat(10_000_000)}\n${FAILED}\n`)
    const { report } = await explain(file)
    expect(report).toMatchObject({ lines: 3, requests: 2, failures: 1, rejects: 1 })
    const { lines, stdout } = await parse(file)
    expect(lines[1]).toMatchObject({ lineNumber: 2, kind: 'reject', reject: { code: 'line_too_long' } })
    expect(lines[2]).toMatchObject({ lineNumber: 3, kind: 'access' })
    expect(stdout.length).toBeLessThan(10_000)
  })

  test('10 MB in one line without an end', async () => {
    const file = folder.write('long-end.log', `${SERVED}\n${'x'.repeat(10_000_000)}`)
    expect((await explain(file)).report).toMatchObject({ lines: 2, requests: 1, rejects: 1 })
    expect((await parse(file)).lines.map(line => line.kind)).toEqual(['access', 'reject'])
  })

  test('a line whose head is missing is no request', async () => {
    const file = folder.write('tail.log', `${FAILED.slice(60)}\n${FAILED}\n`)
    expect((await explain(file)).report).toMatchObject({ lines: 2, requests: 1, failures: 1, rejects: 1 })
    expect((await parse(file)).lines[0]).toMatchObject({ reject: { code: 'truncated_head', column: 1 } })
  })

  test('a line whose tail is missing is counted by its status', async () => {
    const cut = FAILED.slice(0, FAILED.indexOf('"curl'))
    const file = folder.write('head.log', `${SERVED}\n${cut}`)
    const { report } = await explain(file)
    expect(report).toMatchObject({ lines: 2, requests: 2, failures: 1, rejects: 0 })
  })

  test('CRI pieces', async () => {
    const [one, two, three] = [FAILED.slice(0, 40), FAILED.slice(40, 90), FAILED.slice(90)]
    const stampOf = cri(T, 'stdout', '').slice(0, -2)
    const pieces = [`${stampOf}P ${one}`, cri(T + 1, 'stderr', REFUSED), `${stampOf}P ${two}`, `${stampOf}F ${three}`]
    const file = folder.write('pieces.log', `${pieces.join('\n')}\n`)
    const { report } = await explain(file)
    expect(report).toMatchObject({ lines: 4, requests: 1, failures: 1, rejects: 0, continuations: 2 })
    const { lines } = await parse(file)
    expect(lines.map(({ lineNumber, kind }) => [lineNumber, kind])).toEqual([
      [1, 'access'],
      [2, 'error'],
      [3, 'continuation'],
      [4, 'continuation']
    ])
  })

  test('two formats in turn', async () => {
    const json = JSON.stringify({
      time: '2026-11-21T10:00:00+00:00',
      remote_addr: '203.0.113.9',
      request: 'GET / HTTP/1.1',
      status: '503'
    })
    const file = folder.write('turns.log', `${[FAILED, json, FAILED, json, FAILED].join('\n')}\n`)
    const { report } = await explain(file)
    expect(report).toMatchObject({ lines: 5, requests: 5, failures: 5, rejects: 0 })
    expect(report.formats).toEqual(
      expect.arrayContaining([
        { format: 'upstreaminfo', lines: 3 },
        { format: 'json', lines: 2 }
      ])
    )
  })

  test('every line is one thing', async () => {
    const file = folder.write('mixed.log', `${GOOD}garbage\n\n${GOOD}`)
    const { report } = await explain(file)
    const records = Object.values(report.records).reduce((sum, count) => sum + count, 0)
    expect(records + report.rejects + report.continuations).toBe(report.lines)
    const { lines } = await parse(file)
    expect(lines.map(line => line.lineNumber)).toEqual(lines.map((_, i) => i + 1))
    expect(lines).toHaveLength(report.lines)
  })
})

describe('no log at all', () => {
  test.each<[string, string | Buffer]>([
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
    ['a program', Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(4_000, 1)])],
    ['JSON of something else', '{"user":"a","age":3}\n[1,2]\n"x"\nnull\n{"level":"info","event":"started"}\n'],
    ['HTML', '<html>\n<body>\n<p>Hello</p>\n</body>\n</html>\n'],
    ['prose', 'Dear all,\n\nthe shop was down again.\n']
  ])('%s', async (name, content) => {
    const file = folder.write(`no-log-${name}`, content)
    const { code, stderr, report } = await explain(file)
    expect(code).toBe(1)
    expect(stderr).toMatch(/none of its \d+ lines? is a log line of nginx or its controller; try why5xx check/)
    expect(stderr).toContain(file)
    expect(report).toMatchObject({ requests: 0, failures: 0 })
    expect((await parse(file)).code).toBe(1)
    const check = await why5xxHere(['check', file])
    expect(check.code).toBe(1)
    expect(check.stderr).not.toMatch(/\n\s+at /)
  })

  test('an empty file', async () => {
    const file = folder.write('empty.log', '')
    const { code, stderr, report } = await explain(file)
    expect({ code, stderr }).toEqual({ code: 1, stderr: `why5xx: ${file}: it is empty\n` })
    expect(report).toMatchObject({ lines: 0, requests: 0 })
    expect((await parse(file)).code).toBe(1)
    const check = await why5xxHere(['check', file])
    expect(check.stdout).toContain('no lines: is this the right file')
    expect(check.code).toBe(1)
  })

  test('nothing on stdin', async () => {
    expect(await why5xx(['explain'])).toMatchObject({ code: 1, stderr: 'why5xx: stdin: it is empty\n' })
  })
})

describe('files that cannot be read', () => {
  const missing = join(folder.path, 'missing.log')

  test.each(['explain', 'parse', 'check'])('%s: the rest is still read', async command => {
    const good = folder.write('good.log', GOOD)
    const { code, stdout, stderr } = await why5xxHere([command, missing, good])
    expect(code).toBe(1)
    expect(stderr).toBe(`why5xx: cannot read ${missing}: no such file (ENOENT)\n`)
    expect(stdout.length).toBeGreaterThan(100)
  })

  test('a directory says what to name', async () => {
    const directory = join(folder.path, 'logs')
    mkdirSync(directory)
    const { code, stderr } = await explain(directory)
    expect(code).toBe(1)
    expect(stderr).toContain(
      `cannot read ${directory}: it is a directory; name the files in it, e.g. ${directory}/*.log`
    )
  })

  test.skipIf(process.getuid?.() === 0)('no permission', async () => {
    const file = folder.write('closed.log', GOOD)
    chmodSync(file, 0)
    expect(await explain(file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('permission denied (EACCES)')
    })
  })
})

describe('gzip', () => {
  test('is told by its bytes, whatever the name', async () => {
    const file = folder.write('plain.log', gzipSync(GOOD))
    expect((await explain(file)).report).toMatchObject({ lines: 3, failures: 1 })
  })

  test('on stdin', async () => {
    const { stdout } = await why5xx(['explain', '--format', 'json', '-'], { input: gzipSync(GOOD) })
    expect(JSON.parse(stdout)).toMatchObject({ lines: 3, failures: 1 })
  })

  test('of several members', async () => {
    const file = folder.write('members.gz', Buffer.concat([gzipSync(GOOD), gzipSync(GOOD), gzipSync(GOOD)]))
    expect((await explain(file)).report).toMatchObject({ lines: 9, failures: 3 })
  })

  test.each<[string, (whole: Buffer) => Buffer, RegExp]>([
    [
      'truncated',
      whole => whole.subarray(0, whole.length - 200),
      /the gzip data ends too early; what was read before is reported/
    ],
    [
      'damaged',
      whole => Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.alloc(500, 7)]),
      /the gzip data is damaged|ends too early/
    ],
    ['a head alone', whole => whole.subarray(0, 5), /the gzip data ends too early/]
  ])('%s: what was read before is reported, exit code 1', async (name, cut, message) => {
    const whole = gzipSync(
      Array.from({ length: 4_000 }, (_, i) => FAILED.replace('/cart', `/cart/${i * 7919}`)).join('\n')
    )
    const file = folder.write(`${name}.log.gz`, cut(whole))
    const { code, stderr, report } = await explain(file)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    expect(stderr).toContain(file)
    if (name === 'truncated') expect(report.failures).toBeGreaterThan(1_000)
    expect((await parse(file)).code).toBe(1)
  })
})

describe('the same twice', () => {
  test('a file named twice is read once', async () => {
    const file = folder.write('twice.log', GOOD)
    expect((await explain(file, file)).report).toMatchObject({ lines: 3, failures: 1 })
  })

  test('stdin named twice is read once', async () => {
    const { stdout, code } = await why5xx(['explain', '--format', 'json', '-', '-'], { input: GOOD })
    expect(JSON.parse(stdout)).toMatchObject({ lines: 3, failures: 1 })
    expect(code).toBe(0)
  })

  test('parse prints what it is given', async () => {
    const { stdout, code } = await why5xx(['parse', '-', '-'], { input: GOOD })
    expect(stdout.trimEnd().split('\n')).toHaveLength(3)
    expect(code).toBe(0)
  })
})

describe('several files', () => {
  const second = (i: number) => T + i * 1_000
  const accessLines: string[] = []
  const errorLines: string[] = []
  const both: string[] = []
  for (let i = 0; i < 400; i++) {
    const request = `GET /cart/${i % 7} HTTP/1.1`
    const error = errorLine({
      timeMs: second(i),
      message: i % 3 === 0 ? M.prematureClose : M.refused,
      upstream: '10.0.0.7:80',
      request,
      connection: i
    })
    const failed = accessLine({ timeMs: second(i), status: 502, up: '10.0.0.7:80|0|0.001|502', request })
    errorLines.push(error)
    accessLines.push(failed)
    both.push(error, failed)
  }

  test('access.log and error.log, in either order, are as good as one file', async () => {
    const text = (lines: string[]) => `${lines.join('\n')}\n`
    const access = folder.write('access.log', text(accessLines))
    const error = folder.write('error.log', text(errorLines))
    const one = (await explain(folder.write('both.log', text(both)))).report
    expect(one).toMatchObject({ failures: 400, byCause: { connection_refused: 266, premature_close: 134 } })
    for (const order of [
      [access, error],
      [error, access]
    ]) {
      const { byCause, failures, requests, join: joined } = (await explain(...order)).report
      expect({ byCause, failures, requests, joined }).toEqual({
        byCause: one.byCause,
        failures: 400,
        requests: 400,
        joined: one.join
      })
    }
  })

  test('without pod names time that jumps back starts a new stream, and that is said', async () => {
    const pod = (i: number) => [
      accessLine({ timeMs: second(0), status: 200, request: `GET /${i} HTTP/1.1` }),
      errorLine({ timeMs: second(600), message: M.refused, upstream: '10.0.0.7:80' }),
      accessLine({ timeMs: second(600), status: 502, up: '10.0.0.7:80|0|0.001|502' })
    ]
    const file = folder.write('pods.log', `${[...pod(1), ...pod(2), ...pod(3)].join('\n')}\n`)
    expect((await explain(file)).report).toMatchObject({ failures: 3, join: { joined: 3, ambiguous: 0 } })
    const { stdout } = await why5xxHere(['explain', file])
    expect(stdout).toContain('time jumped back 2 times: read as one log after another')
  })
})
