/**
 * `why5xx check` of what a run needs. Tests may run as root, whom no mode denies anything: most of what cannot be read or
 * written here lies behind a file, in a link that leads nowhere, or in /proc.
 */
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Finding } from '../../src/check/finding.ts'
import { checkSinkFolder, spaceFinding } from '../../src/check/sinkFolder.ts'
import { checkSource } from '../../src/check/sourceFiles.ts'
import { startServer } from '../../src/web/server.ts'
import { Folder, why5xx, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const DAY_MS = 86_400_000
const LOG = folder.write('controller.log', 'x\n')
const TOKEN_FILE = folder.write('token', 'correct-horse-battery\n')
chmodSync(TOKEN_FILE, 0o600)
const DATA = join(folder.path, 'data')
/** Nothing to mend; later settings win. */
const FINE = [`source.files.paths=${LOG}`, `sink.embedded.path=${DATA}`, 'web.listen=127.0.0.1:0']

const NOBODY = 65_534

/** Root is never denied anything: it does the work as somebody else. Without root, the owner gives up its own rights. */
function asNobody<T>(work: () => T): T {
  if (process.getuid!() !== 0) {
    chmodSync(join(folder.path, 'secret.log'), 0)
    chmodSync(folder.path, 0o555)
    try {
      return work()
    } finally {
      chmodSync(folder.path, 0o755)
    }
  }
  process.setegid!(NOBODY)
  process.seteuid!(NOBODY)
  try {
    return work()
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
  }
}

async function check(
  ...settings: string[]
): Promise<{ code: number | null; findings: Finding[]; of: (about: string) => Finding[] }> {
  const args = [...FINE, ...settings].flatMap(setting => ['--set', setting])
  const { code, stdout, stderr } = await why5xxHere(['check', '--format', 'json', ...args])
  expect(stderr).toBe('')
  const { configuration, run } = JSON.parse(stdout) as { configuration: string; run: Finding[] }
  expect(configuration).toBe('ok')
  return { code, findings: run, of: about => run.filter(finding => finding.about === about) }
}

describe('when', () => {
  test('no file is named: the run, by its defaults', async () => {
    const { stdout, code } = await why5xx(['check', '--format', 'json'], { cwd: folder.path })
    const { run } = JSON.parse(stdout) as { run: Finding[] }
    expect(new Set(run.map(({ about }) => about))).toEqual(
      new Set(['source.files.paths', 'sink.embedded.path', 'web.listen', 'alerts'])
    )
    expect(code).toBe(run.some(({ state }) => state === 'problem') ? 1 : 0)
    expect(readdirSync(folder.path)).not.toContain('why5xx-data')
  })

  test('files are named: only these', async () => {
    const { stdout } = await why5xxHere(['check', '--format', 'json', LOG, '--set', 'clusterName=prod'])
    expect(JSON.parse(stdout)).toMatchObject({ run: null, files: [{ file: LOG }] })
  })

  test('files are named and options of a run are set: both', async () => {
    const settings = FINE.flatMap(setting => ['--set', setting])
    const { stdout, code } = await why5xxHere(['check', '--format', 'json', LOG, ...settings])
    const { run, files } = JSON.parse(stdout) as { run: Finding[]; files: object[] }
    expect(run.length).toBeGreaterThan(2)
    expect(files).toHaveLength(1)
    // The file holds no log line.
    expect(code).toBe(1)
  })
})

test('all is well', async () => {
  const { code, findings } = await check()
  expect(findings).toEqual([
    { about: 'source.files.paths', state: 'ok', text: `${LOG}: 1 file can be read, 2 B`, mend: null },
    { about: 'sink.embedded.path', state: 'ok', text: `${DATA}: it is not there yet, and can be made`, mend: null },
    {
      about: 'sink.embedded.path',
      state: 'ok',
      text: expect.stringMatching(/^\S+data: [\d.]+ [GT]iB are free$/) as string,
      mend: null
    },
    { about: 'web.listen', state: 'ok', text: '127.0.0.1:0 is free', mend: null },
    {
      about: 'alerts',
      state: 'ok',
      text: 'no receiver is configured: nobody is told of incidents, why5xx incidents shows them',
      mend: null
    }
  ])
  expect(code).toBe(0)
})

test('who is told of incidents, without the address of a webhook; a file that is missing must be mended', async () => {
  const webhook = (more: object): string => `alerts.webhooks=${JSON.stringify([{ template: 'slack', ...more }])}`
  const { code, of } = await check(
    'alerts.alertmanager.urls=http://alertmanager.example.com:9093',
    webhook({ url: 'https://hooks.example.com/s3cr3t' })
  )
  expect([code, of('alerts')]).toEqual([
    0,
    [
      {
        about: 'alerts',
        state: 'ok',
        text: 'told of incidents: alertmanager alertmanager.example.com:9093, webhook hooks.example.com; why5xx check --alerts sends each a test',
        mend: null
      }
    ]
  ])
  const missing = await check(webhook({ urlFile: '/nowhere/url' }))
  expect([missing.code, missing.of('alerts.webhooks')]).toMatchObject([1, [{ state: 'problem' }]])
  // A watch tells nobody.
  const watch = await check('source.kind=files', 'roles=watch', 'kubernetes.api=kubeconfig')
  expect(watch.of('alerts')).toEqual([])
})

test('as text: what is to be mended stands under what is wrong, and names move no cursor', async () => {
  const path = '/nowhere/\u001b[31m\u202e/*.log'
  const { code, stdout } = await why5xxHere([
    'check',
    ...FINE.flatMap(setting => ['--set', setting]),
    '--set',
    `source.files.paths=${path}`
  ])
  expect(stdout).toMatch(/^configuration: ok\n\nrun\n/)
  expect(stdout).toMatch(
    /\n {2}problem {2}source\.files\.paths {2}\/nowhere\/\\x1B\[31m.*: there is no folder \/nowhere.*\n {31}set source\.files\.paths to where/
  )
  expect(stdout).toMatch(/\n {2}ok {7}web\.listen {10}127\.0\.0\.1:0 is free\n/)
  expect(stdout).not.toMatch(/[\u001b\u202e]/)
  expect(code).toBe(1)
})

describe('source.files.paths', () => {
  const logs = join(folder.path, 'logs')
  mkdirSync(join(logs, 'old.log'), { recursive: true })
  folder.write('logs/a.log', '12345')
  folder.write('logs/b.log', '1')
  symlinkSync('/var/log/pods/gone/0.log', join(logs, 'dangling.log'))
  symlinkSync(join(logs, 'a.log'), join(logs, 'link.txt'))

  test.each<[string, string, Finding['state'][], RegExp, 0 | 1]>([
    ['a link that leads to a file', `${logs}/*.txt`, ['ok'], /\*\.txt: 1 file can be read, 5 B$/, 0],
    [
      'one that leads nowhere',
      `${logs}/*.log`,
      ['problem', 'ok'],
      /1 of 3 files cannot be read: \S+dangling\.log: it leads to \/var\/log\/pods\/gone\/0\.log, which is not there$/,
      1
    ],
    ['a folder', logs, ['problem'], /: it is a folder; name the files in it: \S+logs\/\*\.log$/, 1],
    ['no such file', `${logs}/c.log`, ['problem'], /c\.log: no such file$/, 1],
    ['no match', `${logs}/c*.log`, ['problem'], /c\*\.log: no file matches$/, 1],
    ['no folder', `${folder.path}/lags/*/*.log`, ['problem'], /: there is no folder \S+lags$/, 1],
    ['a file for a folder', `${LOG}/*.log`, ['problem'], /: \S+controller\.log is no folder$/, 1],
    ['behind a file', `${LOG}/a.log`, ['problem'], /a part of the path is no folder \(ENOTDIR\)$/, 1]
  ])('%s', async (_name, pattern, states, text, expected) => {
    const { code, of } = await check(`source.files.paths=${pattern}`)
    const findings = of('source.files.paths')
    expect(findings.map(({ state }) => state)).toEqual(states)
    expect(findings[0]!.text).toMatch(text)
    for (const { state, mend } of findings) expect(mend === null).toBe(state === 'ok')
    expect(code).toBe(expected)
  })

  test('one of several that matches nothing is a hint', async () => {
    const { code, of } = await check(`source.files.paths=${logs}/c*.log,${logs}/[ab].log`)
    expect(of('source.files.paths').map(({ state, text }) => [state, text.replace(folder.path, '')])).toEqual([
      ['hint', '/logs/c*.log: no file matches'],
      ['ok', '/logs/[ab].log: 2 files can be read, 6 B']
    ])
    expect(code).toBe(0)
  })

  test('stdin needs no files', async () => {
    const { stdout, code } = await why5xxHere([
      'check',
      ...['source.kind=stdin', ...FINE.slice(1)].flatMap(setting => ['--set', setting])
    ])
    expect(stdout).toContain('ok       source.kind         stdin: lines come through a pipe')
    expect(code).toBe(0)
  })
})

describe('sink.embedded.path', () => {
  test('a folder that is there is written, and left as it was', async () => {
    const there = join(folder.path, 'there')
    mkdirSync(there)
    const { code, of } = await check(`sink.embedded.path=${there}`)
    expect(of('sink.embedded.path')[0]).toMatchObject({ state: 'ok', text: `${there}: it can be written` })
    expect(readdirSync(there)).toEqual([])
    expect(code).toBe(0)
  })

  test('one that can be made is not made', async () => {
    const { of } = await check(`sink.embedded.path=${folder.path}/a/b/c`)
    expect(of('sink.embedded.path')[0]!.text).toMatch(/a\/b\/c: it is not there yet, and can be made$/)
    expect(readdirSync(folder.path).filter(name => name === 'a' || name.startsWith('.'))).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    ['a file', LOG, /: \S+controller\.log is no folder$/],
    ['behind a file', `${LOG}/data`, /data: \S+controller\.log is no folder$/],
    ['where nobody can write', '/proc/why5xx', /it cannot be made in \/proc: /]
  ])('%s', async (_name, path, text) => {
    const { code, of } = await check(`sink.embedded.path=${path}`)
    expect(of('sink.embedded.path')).toMatchObject([{ state: 'problem', text: expect.stringMatching(text) as string }])
    expect(code).toBe(1)
  })

  test('what the store has and takes a day is read from its files', () => {
    const data = join(folder.path, 'grown')
    mkdirSync(join(data, 'inner'), { recursive: true })
    const old = folder.write('grown/inner/old.parquet', Buffer.alloc(3 * 2 ** 20))
    const { mtimeMs: nowMs } = statSync(folder.write('grown/new.ndjson', Buffer.alloc(2 ** 20)))
    utimesSync(old, new Date(nowMs - 2 * DAY_MS), new Date(nowMs - 2 * DAY_MS))
    expect(checkSinkFolder({ path: data, retention: '30d', sizeMax: null }, nowMs)[1]).toMatchObject({
      state: 'ok',
      text: expect.stringMatching(/are free; the store has 4 MiB and takes 2 MiB a day$/) as string
    })
  })

  const GIB = 2 ** 30
  test.each<[string, number, number, number, number | null, Finding['state'], RegExp]>([
    // free, stored, days, sizeMax
    ['full', 0.2 * GIB, 0, 0, null, 'problem', /^d: only 205 MiB are free; on a full disk run waits/],
    ['new, with room', 5 * GIB, 0, 0, null, 'ok', /^d: 5 GiB are free$/],
    ['new, without', 0.5 * GIB, 0, 0, null, 'hint', /^d: 512 MiB are free, which a busy day may need$/],
    ['a young store tells nothing yet', 5 * GIB, GIB, 0.5, null, 'ok', /^d: 5 GiB are free$/],
    ['enough for all of the retention', 30 * GIB, 10 * GIB, 10, null, 'ok', /takes 1 GiB a day$/],
    ['enough for a while', 9 * GIB, 10 * GIB, 10, null, 'ok', /takes 1 GiB a day, which is enough for 9 days$/],
    ['full soon', 2.5 * GIB, 10 * GIB, 10, null, 'hint', /: full in about 2\.5 days, before anything is old enough/],
    ['the size is limited', 2.5 * GIB, 10 * GIB, 10, 12 * GIB, 'ok', /takes 1 GiB a day$/],
    ['to more than the disk has', 2.5 * GIB, 10 * GIB, 10, 20 * GIB, 'hint', /: full in about 2\.5 days/]
  ])('space: %s', (_name, free, bytes, days, sizeMax, state, text) => {
    const nowMs = 100 * DAY_MS
    const oldestMs = bytes === 0 ? Number.POSITIVE_INFINITY : nowMs - days * DAY_MS
    const finding = spaceFinding('d', free, { bytes, oldestMs }, { retentionMs: 30 * DAY_MS, sizeMax }, nowMs)
    expect(finding).toMatchObject({ about: 'sink.embedded.path', state })
    expect(finding.text).toMatch(text)
  })
})

test('permission denied, to read and to write', () => {
  // Others may pass through, and not more.
  chmodSync(folder.path, 0o755)
  const paths = [folder.write('secret.log', 'x')]
  chmodSync(paths[0]!, 0o600)
  const [files, data] = asNobody(() => [
    checkSource({ kind: 'files', files: { paths, follow: true } }),
    checkSinkFolder({ path: DATA, retention: '30d', sizeMax: null }, Date.now())
  ])
  expect(files).toEqual([
    {
      about: 'source.files.paths',
      state: 'problem',
      text: expect.stringMatching(
        /secret\.log: permission denied \(EACCES\); its mode is 0[06]00, its user \d+, its group \d+$/
      ) as string,
      mend: expect.stringMatching(/^run why5xx as a user who may read them/) as string
    }
  ])
  expect(data).toMatchObject([
    { state: 'problem', text: expect.stringMatching(/data: it cannot be made in \S+: permission denied/) as string }
  ])
})

describe('web.listen', () => {
  test('why5xx itself listens there: a hint', async () => {
    const server = await startServer({
      listen: { host: '127.0.0.1', port: 0 },
      token: null,
      metricsToken: null,
      health: () => ['not well, but there'],
      ready: () => [],
      metrics: { contentType: 'text/plain', text: async () => '' }
    })
    const { code, of } = await check(`web.listen=${new URL(server.address).host}`)
    expect(of('web.listen')).toMatchObject([
      { state: 'hint', text: expect.stringMatching(/: a why5xx listens there already$/) as string }
    ])
    expect(code).toBe(0)
    await server.close()
  })

  test.each<[string, () => Server]>([
    ['another web server', () => createHttpServer((_request, answer) => answer.end('ok'))],
    [
      'something that speaks no HTTP',
      () =>
        createServer(socket =>
          socket
            .on('error', () => {})
            .resume()
            .end('220 mail\r\n')
        )
    ]
  ])('%s: a problem', async (_name, create) => {
    const server = create()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as AddressInfo
    const { code, of } = await check(`web.listen=127.0.0.1:${port}`)
    expect(of('web.listen')).toMatchObject([
      {
        state: 'problem',
        text: `127.0.0.1:${port}: another process listens there; end it, or set another port (0 takes a free one)`
      }
    ])
    expect(code).toBe(1)
    await new Promise(resolve => server.close(resolve))
  })

  test('off loopback without a token: a hint that says which', async () => {
    const { code, of } = await check('web.listen=0.0.0.0:0')
    expect(of('web.listen')[1]).toMatchObject({
      state: 'hint',
      text: '0.0.0.0:0 is not on loopback and there is no token, so that /metrics answers nobody',
      mend: 'set web.metricsTokenFile or web.tokenFile; probes of /healthz and /readyz need none'
    })
    expect(code).toBe(0)
    const { of: withToken } = await check('web.listen=0.0.0.0:0', `web.metricsTokenFile=${TOKEN_FILE}`)
    expect(withToken('web.listen')).toHaveLength(1)
    expect(withToken('web.metricsTokenFile')).toMatchObject([{ state: 'ok', text: `${TOKEN_FILE} holds a token` }])
  })
})

describe('files of tokens', () => {
  test('that everyone can read: a hint', async () => {
    const file = folder.write('open-token', 'correct-horse-battery\n')
    chmodSync(file, 0o644)
    const { code, of } = await check(`web.tokenFile=${file}`)
    expect(of('web.tokenFile')).toEqual([
      {
        about: 'web.tokenFile',
        state: 'hint',
        text: `${file} can be read by every user of this machine (mode 0644)`,
        mend: `chmod 600 ${file}`
      }
    ])
    expect(code).toBe(0)
  })

  test.each([
    ['that are not there', '/nowhere/token', /^cannot read \/nowhere\/token: no such file/],
    ['that hold no token', LOG, /must hold one token of at least 16 .*; it holds 1 characters$/]
  ])('%s: a problem', async (_name, file, text) => {
    const { code, of } = await check(`web.metricsTokenFile=${file}`)
    expect(of('web.metricsTokenFile')).toMatchObject([
      { state: 'problem', text: expect.stringMatching(text) as string }
    ])
    expect(code).toBe(1)
  })
})
