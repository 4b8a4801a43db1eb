/** Options of the long-running process: what each type takes, what is refused and how, what cannot go together. */
import { afterAll, describe, expect, test } from 'vitest'
import { type LoadedConfig, loadConfig } from '../src/config.ts'
import { defaultConfig, environmentName, OPTIONS } from '../src/optionTable.ts'
import { schemaOf } from '../src/optionType.ts'
import { readTokens } from '../src/secrets.ts'
import { Folder, why5xxHere } from './support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const TOKEN = 'correct-horse-battery'
const set = (...settings: string[]): LoadedConfig => loadConfig({ file: null, environment: {}, set: settings })
const yaml = (text: string): LoadedConfig =>
  loadConfig({ file: folder.write('options.yaml', text), environment: {}, set: [] })

test('every default is a value that its own option takes', () => {
  const config = defaultConfig() as unknown as Record<string, unknown>
  for (const option of OPTIONS) {
    const value = option.path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config)
    expect(schemaOf(option).safeParse(value).success, option.path).toBe(true)
    expect(value).toEqual(option.default)
  }
})

test('file, environment and --set reach the same option, and are told apart', () => {
  const file = folder.write(
    'all.yaml',
    'source: { files: { paths: [/logs/*.log, "/with,comma.log"], follow: false } }\nsink: { embedded: { sizeMax: 20GiB } }\n'
  )
  const { config, origins } = loadConfig({
    file,
    environment: { WHY5XX_SINK_EMBEDDED_RETENTION: '1d12h', WHY5XX_SINK_EMBEDDED_SIZE_MAX: '30GiB', PATH: '/bin' },
    set: ['web.listen=[::1]:0', 'sink.embedded.sizeMax=']
  })
  expect(config.source).toMatchObject({
    kind: 'files',
    files: { paths: ['/logs/*.log', '/with,comma.log'], follow: false }
  })
  expect(config.sink.embedded).toEqual({ path: './why5xx-data', retention: '1d12h', sizeMax: null })
  expect(config.web.listen).toBe('[::1]:0')
  expect(Object.fromEntries(origins)).toEqual({
    'source.files.paths': file,
    'source.files.follow': file,
    'sink.embedded.retention': 'WHY5XX_SINK_EMBEDDED_RETENTION',
    'sink.embedded.sizeMax': '--set',
    'web.listen': '--set'
  })
})

test('lists by comma', () => {
  expect(set('source.files.paths=/a.log,/b.log').config.source.files.paths).toEqual(['/a.log', '/b.log'])
  expect(set('source.files.paths=/{a,b}.log,/c.log').config.source.files.paths).toEqual(['/{a,b}.log', '/c.log'])
  const environment = { [environmentName('source.files.paths')]: '/a.log,/b.log' }
  expect(loadConfig({ file: null, environment, set: [] }).config.source.files.paths).toEqual(['/a.log', '/b.log'])
})

describe('a wrong value: path, origin, value, what is allowed', () => {
  test.each<[string, string]>([
    ['source.kind=kafak', 'source.kind (--set) is "kafak": expected one of files, stdin, kafka'],
    ['source.files.paths=a,,b', 'source.files.paths (--set) is ["a","","b"]: expected a list of texts'],
    ['sink.kind=sqlite', 'sink.kind (--set) is "sqlite": expected one of embedded'],
    ['sink.embedded.path=', 'sink.embedded.path (--set) is "": expected a text that is not empty'],
    ['sink.embedded.retention=30', 'sink.embedded.retention (--set) is "30": expected a duration such as 36h'],
    ['sink.embedded.retention=59m', 'sink.embedded.retention (--set) is "59m": expected a duration such as 36h'],
    ['sink.embedded.sizeMax=20', 'sink.embedded.sizeMax (--set) is "20": expected a size with its unit'],
    ['sink.embedded.sizeMax=1MiB', 'is "1MiB": expected a size with its unit such as 20GiB or 500MB, at least 256 MiB'],
    ['web.listen=8055', 'web.listen (--set) is "8055": expected ADDRESS:PORT such as 127.0.0.1:8055'],
    ['web.listen=1.2.3.4:65536', 'web.listen (--set) is "1.2.3.4:65536": expected ADDRESS:PORT'],
    ['web.token=short', 'web.token (--set) is ***: expected at least 16 printable ASCII characters'],
    ['web.metricsToken=with a blank in it', 'web.metricsToken (--set) is ***: expected at least 16 printable'],
    ['alerts.webhooks=hunter2', 'alerts.webhooks (--set) is ***: expected a list of webhooks, each { url:'],
    [
      'alerts.webhooks=[{"url":"https://a.example/hunter2"},{"url":"https://b.example/hunter2","tempate":"hunter2","Secret":"hunter2"}]',
      'alerts.webhooks (--set) is ***: webhook 2: unknown key tempate, did you mean template?; webhook 2: unknown key Secret, did you mean secret?\n'
    ],
    [
      'alerts.webhooks=[{"url":4711,"severities":["hunter2"],"headers":{"x-key":["hunter2"]}},"hunter2"]',
      'is ***: webhook 1: url: expected string, received number; webhook 1: headers.x-key: expected string, received array; webhook 1: severities.0: expected one of "page"|"ticket"; webhook 2: expected object, received string\n'
    ],
    ['log.level=verbose', 'log.level (--set) is "verbose": expected one of error, warn, info, debug'],
    ['log.format=xml', 'log.format (--set) is "xml": expected one of auto, json, pretty']
  ])('%s', async (setting, sentence) => {
    const { code, stderr, stdout } = await why5xxHere(['config', '--set', setting])
    expect(stderr).toContain(sentence)
    expect(stderr).not.toContain('hunter2')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test.each<[string, string, RegExp]>([
    ['a number for a duration', 'sink: { embedded: { retention: 30 } }', /retention \(.*\) is 30: expected a duration/],
    ['a number for a size', 'sink: { embedded: { sizeMax: 5368709120 } }', /sizeMax \(.*\) is 5368709120: expected a/],
    ['a text for a list', 'source: { files: { paths: /a.log } }', /paths \(.*\) is "\/a\.log": expected a list/],
    ['a port alone', 'web: { listen: 8055 }', /web\.listen \(.*\) is 8055: expected ADDRESS:PORT/],
    ['a key that is near', 'web: { tokenfile: /x }', /unknown option web\.tokenfile .*did you mean web\.tokenFile\?/]
  ])('%s in the file', (_name, text, sentence) => {
    expect(() => yaml(text)).toThrow(sentence)
  })
})

describe('impossible together: both paths and what is allowed', () => {
  test.each<[string, string[], RegExp]>([
    [
      'stdin and files',
      ['source.kind=stdin', 'source.files.paths=/a.log'],
      /source\.kind \(--set\) is stdin, and source\.files\.paths \(--set\) names files: leave the paths out, or/
    ],
    [
      'files and none named',
      ['source.files.paths='],
      /source\.kind \(default\) is files, and source\.files\.paths \(--set\) is an empty list: name at least one/
    ],
    [
      'a token and its file',
      [`web.token=${TOKEN}`, 'web.tokenFile=/t'],
      /web\.token \(--set\) and web\.tokenFile \(--set\) are both given/
    ],
    [
      'a token for metrics and its file',
      [`web.metricsToken=${TOKEN}`, 'web.metricsTokenFile=/t'],
      /web\.metricsToken \(--set\) and web\.metricsTokenFile \(--set\) are both given/
    ],
    [
      'a password and its file',
      [`source.kafka.sasl.password=${TOKEN}`, 'source.kafka.sasl.passwordFile=/p'],
      /source\.kafka\.sasl\.password \(--set\) and source\.kafka\.sasl\.passwordFile \(--set\) are both given/
    ],
    [
      'SASL without a user',
      ['source.kafka.sasl.mechanism=plain', `source.kafka.sasl.password=${TOKEN}`],
      /source\.kafka\.sasl\.mechanism \(--set\) needs source\.kafka\.sasl\.username/
    ],
    [
      'a certificate without its key',
      ['source.kafka.tls.certFile=/c'],
      /tls\.certFile and source\.kafka\.tls\.keyFile go/
    ],
    ['no brokers', ['source.kind=kafka', 'source.kafka.brokers='], /source\.kafka\.brokers \(--set\) is an empty list/],
    [
      'two ways to log in',
      [`sink.elasticsearch.apiKey=${TOKEN}`, 'sink.elasticsearch.username=me'],
      /an API key and a username: give one/
    ],
    ['a user without a password', ['sink.elasticsearch.username=me'], /username and sink\.elasticsearch\.password/],
    ['no nodes', ['sink.kind=elasticsearch', 'sink.elasticsearch.nodes='], /nodes \(--set\) is an empty list/],
    [
      'a namespace that is no part of an index name',
      ['sink.elasticsearch.namespace=team-a'],
      /sink\.elasticsearch\.namespace \(--set\) is "team-a": small letters, digits and _ only/
    ]
  ])('%s', (_name, settings, sentence) => {
    expect(() => set(...settings)).toThrow(sentence)
    expect(() => set(...settings)).not.toThrow(TOKEN)
  })

  test('the default paths do not disturb stdin', () => {
    expect(set('source.kind=stdin').config.source.kind).toBe('stdin')
  })
})

describe('tokens', () => {
  test('come from a file, without the line end', () => {
    const file = folder.write('token', `${TOKEN}\n`)
    expect(readTokens(set(`web.tokenFile=${file}`).config.web)).toEqual({ token: TOKEN, metricsToken: null })
    const other = folder.write('metrics-token', '  another-long-token  \n')
    expect(readTokens(set(`web.token=${TOKEN}`, `web.metricsTokenFile=${other}`).config.web)).toEqual({
      token: TOKEN,
      metricsToken: 'another-long-token'
    })
  })

  test.each([
    ['empty', '', /web\.tokenFile: .*at least 16 .*; it holds nothing/],
    ['short', 'hunter2', /web\.tokenFile: .*; it holds 7 characters$/],
    ['two', `${TOKEN}\n${TOKEN}\n`, /it holds 43 characters, some of them blanks or line ends/]
  ])('%s: refused without being shown', (name, content, sentence) => {
    const { web } = set(`web.tokenFile=${folder.write(name, content)}`).config
    expect(() => readTokens(web)).toThrow(sentence)
    expect(() => readTokens(web)).not.toThrow(/hunter2|correct/)
  })

  test('a file that nobody can read', () => {
    expect(() => readTokens(set('web.tokenFile=/nowhere/token').config.web)).toThrow(
      /^web\.tokenFile: cannot read \/nowhere\/token: no such file/
    )
  })

  test('no command shows one', async () => {
    const file = folder.write('secret.yaml', `web: { token: ${TOKEN}, listen: wrong }\n`)
    const broken = folder.write('broken.yaml', `web: { token: ${TOKEN}\nlisten: [\n`)
    for (const args of [
      ['config', '--set', `web.token=${TOKEN}`],
      ['config', '--format', 'json', '--set', `web.metricsToken=${TOKEN}`],
      ['config', '--config', file],
      ['config', '--config', broken]
    ]) {
      const { stdout, stderr } = await why5xxHere(args)
      expect(stdout + stderr).not.toContain(TOKEN)
      expect(stdout + stderr).toMatch(/\*\*\*|web\.listen|is no YAML/)
    }
  })
})

describe('templates of links', () => {
  test.each([
    [
      'links.incident=https://kibana.example.com/{id}?s={servcie}',
      'links.incident (--set) is "https://kibana.example.com/{id}?s={servcie}": {servcie} is not replaced; what may stand in it: {id}, {service}, {upstream}, {cause}, {from}, {to}'
    ],
    [
      'links.runbook=https://wiki.example.com/{cause}/{id}',
      'links.runbook (--set) is "https://wiki.example.com/{cause}/{id}": {id} is not replaced; what may stand in it: {cause}'
    ],
    ['links.runbook=https://wiki.example.com/{}', ': {} is not replaced; what may stand in it: {cause}']
  ])('%s is refused', (setting, sentence) => {
    expect(() => set(setting)).toThrow(sentence)
  })

  test('with what is known, or nothing, they are taken', () => {
    const link = 'https://kibana.example.com/{id}/{service}/{upstream}/{cause}?from={from}&to={to}'
    expect(set(`links.incident=${link}`, 'links.runbook=https://wiki.example.com/').config.links).toEqual({
      incident: link,
      runbook: 'https://wiki.example.com/'
    })
    expect(set('links.incident=').config.links.incident).toBeNull()
  })
})
