/** Arguments, options, filters and exit codes (design §9). */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { CAUSES } from '../../parsers/causes.ts'
import { ROOT_CAUSES } from '../../src/diagnose/rootCauses.ts'
import { accessLine, at, errorLine, MESSAGES as M } from '../support/lines.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const failure = (time: string, name: string, more: Partial<Parameters<typeof accessLine>[0]> = {}) =>
  accessLine({
    timeMs: at(time),
    status: 502,
    up: '10.0.0.7:80|0|0.001|502',
    name,
    request: `GET /${time} HTTP/1.1`,
    ...more
  })
const refused = (time: string) =>
  errorLine({ timeMs: at(time), message: M.refused, upstream: '10.0.0.7:80', request: `GET /${time} HTTP/1.1` })

const LOG = folder.write(
  'controller.log',
  `${[
    accessLine({ timeMs: at('09:59:59'), status: 200, bytes: 61, up: '10.0.0.7:80|61|0.010|200' }),
    refused('10:00:00'),
    failure('10:00:00', 'shop-cart-80'),
    failure('10:10:00', 'shop-cart-8080'),
    failure('10:20:00', 'pay-api-80', { bytes: 812, up: '10.0.0.7:80|812|0.001|502' }),
    failure('10:30:00', 'shop-cart-80', { alternative: 'shop-cart-canary-80' })
  ].join('\n')}\n`
)

async function explain(...args: string[]) {
  const { code, stdout, stderr } = await why5xxHere(['explain', '--format', 'json', LOG, ...args])
  return { code, stderr, report: (stdout === '' ? null : JSON.parse(stdout)) as Record<string, unknown> | null }
}

describe('filters', () => {
  test.each<[string, string[], Record<string, unknown>]>([
    [
      'none',
      [],
      { requests: 5, failures: 4, byCause: { connection_refused: 1, header_too_big: 2, upstream_error: 1 } }
    ],
    ['--from', ['--from', '2026-11-21T10:10:00Z'], { requests: 3, failures: 3 }],
    ['--to is exclusive', ['--to', '2026-11-21T10:10:00Z'], { requests: 2, failures: 1 }],
    ['both', ['--from', '2026-11-21T10:00:00Z', '--to', '2026-11-21T10:20:00Z'], { requests: 2, failures: 2 }],
    ['an offset', ['--from', '2026-11-21T11:10:00+01:00'], { requests: 3 }],
    ['local time with a zone', ['--from', '2026-11-21 11:10 Europe/Berlin'], { requests: 3 }],
    ['--time-zone', ['--time-zone', 'Europe/Berlin', '--from', '2026-11-21T11:10:00'], { requests: 3 }],
    [
      'its own zone before --time-zone',
      ['--time-zone', 'Europe/Berlin', '--from', '2026-11-21 10:10Z'],
      { requests: 3 }
    ],
    ['a date', ['--from', '2026-11-22Z'], { requests: 0 }],
    [
      '--service by upstream name',
      ['--service', 'shop-cart-80'],
      { requests: 2, failures: 1, byCause: { connection_refused: 1 } }
    ],
    ['--service by namespace/service', ['--service', 'shop/cart'], { failures: 2 }],
    ['--service twice', ['--service', 'shop-cart-80', '--service', 'pay/api'], { requests: 3, failures: 2 }],
    ['--service of a canary', ['--service', 'shop-cart-canary-80'], { requests: 1, failures: 1 }],
    ['--service nobody has', ['--service', 'shop/car'], { requests: 0, failures: 0 }],
    ['--cause', ['--cause', 'upstream_error'], { requests: 5, failures: 4, byCause: { upstream_error: 1 } }],
    [
      '--cause twice',
      ['--cause', 'upstream_error', '--cause', 'header_too_big'],
      { byCause: { upstream_error: 1, header_too_big: 2 } }
    ]
  ])('%s', async (_name, args, expected) => {
    const { code, report } = await explain(...args)
    expect(report).toMatchObject(expected)
    expect(Object.keys(report!.byCause as object)).toHaveLength(
      Object.keys((expected.byCause ?? report!.byCause) as object).length
    )
    expect(code).toBe(0)
  })

  test('the headline says what was left out', async () => {
    const { stdout } = await why5xxHere(['explain', LOG, '--service', 'shop/cart', '--cause', 'header_too_big'])
    expect(stdout.split('\n')[0]).toContain('only shop/cart, header_too_big')
  })
})

describe('wrong usage: exit code 2, one line that says what is right', () => {
  test.each<[string, string[], RegExp]>([
    ['a command that is not there', ['explian', LOG], /unknown command 'explian'/],
    ['an option that is not there', ['explain', LOG, '--form', 'json'], /unknown option '--form'/],
    ['an option without its value', ['explain', LOG, '--format'], /--format <format>' argument missing/],
    ['a format', ['explain', LOG, '--format', 'xml'], /--format xml: expected one of text, json, ndjson, markdown/],
    ['a time', ['explain', LOG, '--from', 'yesterday'], /--from yesterday: expected RFC 3339 \(2026-11-21T10:00:00Z\)/],
    [
      'a time without zone',
      ['explain', LOG, '--to', '2026-11-21T10:00:00'],
      /--to 2026-11-21T10:00:00: which time zone\? Add one \(2026-11-21T10:00:00Z, .*\) or give --time-zone/
    ],
    [
      'a date without zone',
      ['explain', LOG, '--to', '2026-11-21'],
      /--to 2026-11-21: which time zone\? Add one \(2026-11-21T00:00Z, /
    ],
    [
      'a date that is none',
      ['explain', LOG, '--from', '2026-13-41T10:00:00Z'],
      /--from 2026-13-41T10:00:00Z: expected/
    ],
    [
      'a zone that is none',
      ['explain', LOG, '--from', '2026-11-21 10:00 Mars/Base'],
      /--from: Mars\/Base is no time zone/
    ],
    [
      '--from behind --to',
      ['explain', LOG, '--from', '2026-11-21T11:00:00Z', '--to', '2026-11-21T10:00:00Z'],
      /--from must be before --to/
    ],
    ['--since and --from', ['explain', LOG, '--since', '2h', '--from', '-2h'], /--since and --from say the same thing/],
    ['a duration', ['explain', LOG, '--since', 'soon'], /--since soon: expected a duration such as 90s, 30m, 2h/],
    [
      'a cause',
      ['explain', LOG, '--cause', 'conection_refused'],
      /--cause conection_refused: there is no such cause; did you mean connection_refused\? why5xx causes lists them/
    ],
    ['a short cause', ['explain', LOG, '--cause', 'conn_refused'], /did you mean connection_refused\?/],
    ['--time-zone', ['explain', LOG, '--time-zone', 'Mars/Base'], /--time-zone Mars\/Base: expected an IANA name/],
    [
      'a slug',
      ['causes', 'connection_refuse'],
      /there is no cause connection_refuse; did you mean connection_refused\? why5xx causes lists all \d+/
    ],
    ['a format of causes', ['causes', '--format', 'yaml'], /--format yaml: expected text or json/],
    ['a format of check', ['check', LOG, '--format', 'yaml'], /--format yaml: expected text or json/],
    ['--set without a value', ['explain', LOG, '--set', 'clusterName'], /--set clusterName: expected PATH=VALUE/],
    [
      'an unknown option path',
      ['explain', LOG, '--set', 'join.errorWait=1'],
      /unknown option join\.errorWait \(--set\); did you mean join\.errorWaitMs\?/
    ],
    [
      'a number that is none',
      ['explain', LOG, '--set', 'join.errorWaitMs=long'],
      /join\.errorWaitMs \(--set\) is "long": expected a whole number of ms of record time, at least 0/
    ],
    [
      'a negative number',
      ['explain', LOG, '--set', 'join.accessWaitMs=-1'],
      /join\.accessWaitMs \(--set\) is -1: expected a whole number of ms of record time, at least 0/
    ],
    [
      'a choice',
      ['explain', LOG, '--set', 'masking.client=half'],
      /masking\.client \(--set\) is "half": expected one of none, truncate/
    ],
    [
      'an expression',
      ['explain', LOG, '--set', 'masking.path=('],
      /masking\.path \(--set\) is \["\("\]: expected a list of regular expressions/
    ],
    [
      'yes for true',
      ['explain', LOG, '--set', 'masking.query=yes'],
      /masking\.query \(--set\) is "yes": expected true or false/
    ],
    [
      'a time zone of options',
      ['explain', LOG, '--set', 'timeZone=Mars'],
      /timeZone \(--set\) is "Mars": expected an IANA time zone such as Europe\/Berlin/
    ],
    ['a log format', ['explain', LOG, '--set', 'logFormat=$status$request'], /logFormat: /],
    [
      'a file of options that is not there',
      ['explain', LOG, '--config', '/nowhere.yaml'],
      /cannot read the configuration \/nowhere\.yaml: no such file/
    ]
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await why5xxHere(args)
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^why5xx: /)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test('no command: the help', async () => {
    const { code, stdout, stderr } = await why5xx([])
    expect(code).toBe(2)
    expect(stdout + stderr).toContain('Usage: why5xx')
  })
})

describe('options', () => {
  const clusterName = async (args: string[], env: Record<string, string> = {}, cwd = folder.path) => {
    const { stdout, stderr } = await why5xx(['explain', '--format', 'ndjson', LOG, ...args], { env, cwd })
    const [first] = stdout.split('\n')
    if (!first) return stderr
    return (JSON.parse(first) as { orchestrator: { cluster: { name: string } } }).orchestrator.cluster.name
  }
  const file = folder.write('options.yaml', 'clusterName: from-file\n')

  test('the stronger wins: flag, environment, file, default', async () => {
    const env = { WHY5XX_CLUSTER_NAME: 'from-environment' }
    expect(await clusterName([])).toBe('default')
    expect(await clusterName(['--config', file])).toBe('from-file')
    expect(await clusterName(['--config', file], env)).toBe('from-environment')
    expect(await clusterName(['--config', file, '--set', 'clusterName=from-flag'], env)).toBe('from-flag')
    expect(await clusterName(['--set', 'clusterName=a', '--set', 'clusterName=b=c'])).toBe('b=c')
  })

  test('./why5xx.yaml is taken when it is there', async () => {
    const other = new Folder()
    other.write('why5xx.yaml', 'clusterName: here\n')
    expect(await clusterName([], {}, other.path)).toBe('here')
    other.remove()
  })

  test.each<[string, string, RegExp]>([
    ['an unknown key', 'clustername: x\n', /unknown option clustername \(.*\); did you mean clusterName\?/],
    [
      'an unknown nested key',
      'join:\n  errorsHeld: 5\n',
      /unknown option join\.errorsHeld .*did you mean join\.errorsHeldMax\?/
    ],
    ['a wrong type', 'clusterName: [1]\n', /clusterName \(.*\) is \[1\]: expected a text that is not empty/],
    ['no YAML', 'a: [\n', /is no YAML/],
    ['a list', '- a\n', /must hold options/],
    ['a text', 'hello\n', /must hold options|unknown option/]
  ])('a file with %s', async (name, content, message) => {
    const wrong = folder.write(`${name}.yaml`, content)
    const { code, stderr } = await why5xxHere(['explain', LOG, '--config', wrong])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  test('an empty file is none', async () => {
    expect(await clusterName(['--config', folder.write('empty.yaml', '')])).toBe('default')
  })

  test('an unknown name in the environment', async () => {
    const { code, stderr } = await why5xx(['explain', LOG], { env: { WHY5XX_JOIN_ERROR_WAIT: '1' } })
    expect(stderr).toMatch(/unknown option WHY5XX_JOIN_ERROR_WAIT .*did you mean WHY5XX_JOIN_ERROR_WAIT_MS\?/)
    expect(code).toBe(2)
  })

  test('join windows do what they say', async () => {
    const { report } = await explain('--set', 'join.errorsHeldMax=1', '--set', 'join.errorWaitMs=0')
    expect(report).toMatchObject({ failures: 4 })
  })

  test('logFormat reads what no known format does', async () => {
    const format = '$status $remote_addr [$time_local] "$request" $upstream_addr $upstream_status'
    const custom = folder.write(
      'custom.log',
      '502 203.0.113.9 [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 10.0.0.7:80 502\n'
    )
    const { stdout, code } = await why5xxHere(['explain', '--format', 'json', custom, '--set', `logFormat=${format}`])
    expect(JSON.parse(stdout)).toMatchObject({ requests: 1, failures: 1, rejects: 0 })
    expect(code).toBe(0)
    expect((await why5xxHere(['explain', custom])).code).toBe(1)
  })

  test('config prints every option with the value in force', async () => {
    const { stdout, code } = await why5xxHere(['config', '--format', 'json', '--set', 'join.accessWaitMs=7'])
    const rows = JSON.parse(stdout) as {
      path: string
      value: unknown
      default: unknown
      environment: string
      sentence: string
    }[]
    expect(rows.find(row => row.path === 'join.accessWaitMs')).toMatchObject({
      value: 7,
      default: 2_000,
      environment: 'WHY5XX_JOIN_ACCESS_WAIT_MS'
    })
    for (const row of rows) expect(row.sentence).toMatch(/\.$/)
    expect(code).toBe(0)
    expect((await why5xxHere(['config', '--set', 'join.accessWaitMs=7'])).stdout).toContain(
      'join.accessWaitMs: 7   (default 2000)   ms of record time'
    )
  })
})

describe('masking', () => {
  test('truncated clients are addresses still', async () => {
    const clients = ['203.0.113.9', '2001:db8:1:2::9', '2001:db8::9', '2001:db8:1:2:3:4:5:6', '::ffff:203.0.113.9']
    const log = folder.write(
      'clients.log',
      `${clients.map(client => failure('10:00:00', 'a', { client })).join('\n')}\n`
    )
    const { stdout } = await why5xxHere(['explain', '--format', 'ndjson', log, '--set', 'masking.client=truncate'])
    const sources = stdout
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { source: object }).source)
    expect(sources).toEqual(
      ['203.0.113.0', '2001:db8:1::', '2001:db8::', '2001:db8:1::', '::ffff:203.0.113.0'].map(ip => ({
        address: ip,
        ip
      }))
    )
  })

  test('ids do not change', async () => {
    const idsOf = async (...args: string[]) =>
      (await why5xxHere(['explain', '--format', 'ndjson', LOG, ...args])).stdout
        .trimEnd()
        .split('\n')
        .map(line => (JSON.parse(line) as { event: { id: string } }).event.id)
    const ids = await idsOf()
    expect(ids).toHaveLength(4)
    expect(await idsOf('--no-mask')).toEqual(ids)
    expect(await idsOf('--set', 'masking.client=truncate', '--set', 'masking.path=\\d+')).toEqual(ids)
  })
})

describe('colour', () => {
  test('none in a pipe, whatever the environment says', async () => {
    for (const env of [{}, { NO_COLOR: '1' }, { TERM: 'xterm-256color' }]) {
      const { stdout } = await why5xx(['explain', LOG], { env })
      expect(stdout).not.toContain('\u001b')
    }
    expect((await why5xxHere(['explain', LOG, '--no-color'])).code).toBe(0)
  })
})

describe('help and catalogue', () => {
  test.each([[], ['explain'], ['parse'], ['check'], ['timeline'], ['failures'], ['causes'], ['fix'], ['config']])(
    '%s --help has examples',
    async (...command) => {
      const { code, stdout, stderr } = await why5xxHere([...command, '--help'])
      expect(stdout).toMatch(/Examples:\n {2}\S.*why5xx|Examples:\n {2}why5xx/)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }
  )

  test('--version', async () => {
    expect(await why5xxHere(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/)
    })
  })

  test('causes lists all, and each has its page', async () => {
    const { stdout } = await why5xxHere(['causes'])
    for (const cause of CAUSES) expect(stdout).toContain(cause)
    const { stdout: page } = await why5xxHere(['causes', 'no_endpoints'])
    expect(page).toMatch(/^no_endpoints: .*\n[\s\S]*\nCheck\n {2}- [\s\S]*\nDo\n {2}- /)
    const { stdout: json } = await why5xxHere(['causes', '--format', 'json'])
    const entries = JSON.parse(json) as { kind: string; cause?: string; root_cause?: string }[]
    expect(entries.filter(({ kind }) => kind === 'cause').map(({ cause }) => cause)).toEqual([...CAUSES])
    expect(entries.filter(({ kind }) => kind === 'root_cause').map(entry => entry.root_cause)).toEqual([...ROOT_CAUSES])
    const { stdout: silence } = await why5xxHere(['causes', 'no_requests'])
    expect(silence).toMatch(/^no_requests: .*\n\nIn the last six hours[\s\S]*\nCheck\n {2}- [\s\S]*\nDo\n {2}- /)
    const { stdout: rootCause } = await why5xxHere(['causes', 'oom_killed'])
    expect(rootCause).toMatch(
      /^oom_killed: .*\nroot cause, severity S1[\s\S]*\nCheck [\s\S]*\n {2}kubectl [\s\S]*\nDo\n {2}- /
    )
  })
})

describe('check', () => {
  test.each([
    [95, 0],
    [94, 1]
  ])('%i %% readable: exit code %i', async (readable, expected) => {
    const lines = Array.from({ length: 100 }, (_, i) => (i < readable ? failure('10:00:00', 'a') : `"strange ${i}`))
    // Rejects come first: behind an error line they would continue it.
    const log = folder.write(`${readable}.log`, `${lines.reverse().join('\n')}\n`)
    const { code, stdout } = await why5xxHere(['check', log])
    expect(stdout).toContain(`100 lines, ${readable} % can be read`)
    expect(stdout).toMatch(/line 1, column 1, unrecognized\n {6}"strange 99/)
    expect(code).toBe(expected)
    const json = JSON.parse((await why5xxHere(['check', '--format', 'json', log])).stdout) as { files: object[] }
    expect(json.files[0]).toMatchObject({
      file: join(folder.path, `${readable}.log`),
      lines: 100,
      rejects: 100 - readable,
      parsed: readable / 100
    })
  })
})
