import { describe, expect, test } from 'vitest'
import { prefixLength } from '../../parsers/envelope.ts'
import { bytesOf, parseLog, tellAll } from '../support/readLog.ts'

const access =
  '192.0.2.10 - - [21/Nov/2026:10:02:11 +0000] "GET /cart HTTP/1.1" 200 612 "-" "curl/8.7.1" 83 0.004 [shop-cart-8080] [] 10.2.3.14:8080 612 0.004 200 0123456789abcdef0123456789abcdef'
const error =
  '2026/11/21 10:02:11 [error] 31#31: *812 access forbidden by rule, client: 192.0.2.10, server: _, request: "GET / HTTP/1.1", host: "a"'
const klog = 'W1121 10:02:11.123456       7 controller.go:1214] Service "shop/cart" does not have any active Endpoint.'
const stream = '[192.0.2.10] [21/Nov/2026:10:02:11 +0000] TCP 502 0 0 0.000'

test('what logcli prints is read when no two lines have the same labels', () => {
  const lines = Array.from(
    { length: 1_100 },
    (_, i) => `2026-11-21T10:02:11Z {pod="ingress-7mlxz", trace_id="${i}"} ${access}\n`
  )
  const pods = parseLog(bytesOf(lines.join(''))).map(({ kind, pod }) => [kind, pod])
  expect(pods).toHaveLength(1_100)
  expect(new Set(pods.map(String))).toEqual(new Set(['access,ingress-7mlxz']))
})

describe('text in front of a line', () => {
  const prefixes = [
    '> ',
    '    ',
    '\t# ',
    'ingress-nginx-1  | ',
    '<190>Nov 21 10:02:11 worker-1 nginx: ',
    'Nov 21 10:02:11 worker-1 k8s_controller[812]: ',
    'Nov  1 10:02:11 worker-1 nginx: ',
    '2026-11-21T10:02:11.250Z worker-1 nginx: ',
    '<190>1 2026-11-21T10:02:11.250Z worker-1 nginx 812 - - ',
    '<190>1 2026-11-21T10:02:11.250Z worker-1 nginx 812 ID47 [a@1 b="c d"] ',
    'ingress-nginx-controller-6b8f7d5c9-x2x7k controller ',
    'ingress-nginx ingress-nginx-controller-6b8f7d5c9-x2x7k controller ',
    'controller: '
  ]

  test.each(
    prefixes.flatMap(prefix => [
      ['access', prefix, access],
      ['error', prefix, error],
      ['controller', prefix, klog],
      ['stream_access', prefix, stream]
    ])
  )('%s behind %j', (kind, prefix, line) => {
    const [told] = tellAll([bytesOf(`${prefix}${line}\n`)])
    expect(told?.kind).toBe(kind)
    const [bare] = tellAll([bytesOf(`${line}\n`)])
    expect(told!.record).toEqual(bare!.record)
  })

  test.each(['', 'plain text', '192.0.2.10 - - [', '"GET /'])('%j has no prefix', text =>
    expect(prefixLength(text)).toBe(0)
  )

  test('a prefix is looked for in the first bytes only', () => expect(prefixLength('a'.repeat(5000))).toBe(0))
})

describe('what the envelope tells', () => {
  const path = `/var/log/containers/ctl-abc_ingress-nginx_controller-${'0'.repeat(64)}.log`
  const podPath = '/var/log/pods/ingress-nginx_ctl-abc_6f1c0a3e-0000-4000-8000-000000000000/controller/0.log'
  const kubernetes = {
    pod_name: 'ctl-abc',
    namespace_name: 'ingress-nginx',
    container_name: 'controller',
    host: 'worker-1'
  }
  const all = { pod: 'ctl-abc', namespace: 'ingress-nginx', container: 'controller' }
  const at = Date.parse('2026-11-21T10:02:11.250Z')

  test.each<[string, string, object]>([
    [
      'CRI',
      `2026-11-21T10:02:11.25Z stdout F ${access}`,
      { timeMs: at, written: '2026-11-21T10:02:11.25Z', stream: 'stdout', pod: null }
    ],
    [
      'kubectl',
      `[pod/ctl-abc/controller] 2026-11-21T10:02:11.25Z ${access}`,
      { timeMs: at, pod: 'ctl-abc', container: 'controller', stream: null }
    ],
    ['kubectl without time', `[pod/ctl-abc/controller] ${access}`, { timeMs: null, written: '', pod: 'ctl-abc' }],
    ['stern', `ctl-abc-x2x7k controller ${access}`, { pod: 'ctl-abc-x2x7k', container: 'controller', namespace: null }],
    [
      'stern with namespace',
      `ingress-nginx ctl-abc-x2x7k controller ${access}`,
      { pod: 'ctl-abc-x2x7k', namespace: 'ingress-nginx' }
    ],
    [
      'docker',
      JSON.stringify({ log: `${access}\n`, stream: 'stderr', time: '2026-11-21T10:02:11.25Z' }),
      { timeMs: at, stream: 'stderr', pod: null }
    ],
    [
      'Fluent Bit',
      JSON.stringify({
        time: '2026-11-21T10:02:11.25Z',
        stream: 'stdout',
        log: access,
        log_path: path,
        node: 'worker-1'
      }),
      { ...all, timeMs: at, path, node: 'worker-1' }
    ],
    [
      'Fluent Bit into Kafka',
      JSON.stringify({ '@timestamp': 1_795_255_331.25, log: access, kubernetes }),
      { ...all, timeMs: at, node: 'worker-1' }
    ],
    ['Fluent Bit, seconds under date', JSON.stringify({ date: 1_795_255_331.25, log: access }), { timeMs: at }],
    [
      'Vector',
      JSON.stringify({
        file: podPath,
        message: access,
        timestamp: '2026-11-21T10:02:11.250Z',
        kubernetes: { pod_name: 'ctl-abc', pod_namespace: 'ingress-nginx', pod_node_name: 'worker-1' }
      }),
      { ...all, timeMs: at, node: 'worker-1' }
    ],
    [
      'Filebeat',
      JSON.stringify({ '@timestamp': '2026-11-21T10:02:11.250Z', message: access, log: { offset: 1, file: { path } } }),
      { ...all, timeMs: at }
    ],
    ['journald', JSON.stringify({ MESSAGE: access, __REALTIME_TIMESTAMP: '1795255331250000' }), { timeMs: at }],
    ['OpenTelemetry', JSON.stringify({ body: access, timestamp: '2026-11-21T10:02:11.250Z' }), { timeMs: at }],
    [
      'CRI inside JSON',
      JSON.stringify({
        '@timestamp': '2026-11-21T11:00:00Z',
        log: `2026-11-21T10:02:11.25Z stderr F ${access}`,
        log_path: path
      }),
      { ...all, timeMs: at, stream: 'stderr' }
    ]
  ])('%s', (_name, line, want) => {
    const [told] = tellAll([bytesOf(`${line}\n`)])
    expect(told).toMatchObject({ kind: 'access', line: { raw: access, ...want } })
  })

  test('nothing of one line is left over for the next', () => {
    const told = tellAll([
      bytesOf(`[pod/a-b/c] 2026-11-21T10:02:11.25Z ${access}\n${access}\nctl-abc-x2x7k c ${access}\n${access}\n`)
    ])
    expect(told.map(({ line }) => [line!.pod, line!.timeMs])).toEqual([
      ['a-b', at],
      [null, null],
      ['ctl-abc-x2x7k', null],
      [null, null]
    ])
  })

  test('lines that continue a record carry the prefix of stern too; prose does not become a pod', () => {
    const head = '2026/11/21 10:02:11 [error] 31#31: *1 lua entry thread aborted: runtime error: a.lua:1: boom'
    const prefix = 'ingress-nginx-controller-6b8f7d5c9-x2x7k controller '
    const lines = [
      `${prefix}${head}`,
      `${prefix}stack traceback:`,
      `${prefix}\ta.lua:1: in main chunk, client: 192.0.2.10, server: _`
    ]
    const told = tellAll([bytesOf(`${lines.join('\n')}\n`)])
    expect(told.map(({ kind }) => kind).sort()).toEqual(['continuation', 'continuation', 'error'])
    expect(told.find(({ kind }) => kind === 'error')).toMatchObject({
      record: { client: '192.0.2.10' },
      line: { number: 1 }
    })
    expect(tellAll([bytesOf('some-thing else happened here\n')])[0]).toMatchObject({
      kind: 'reject',
      line: { pod: null }
    })
  })
})

describe('pieces', () => {
  const cri = (stream: string, tag: string, text: string): string =>
    `2026-11-21T10:02:11.25Z ${stream} ${tag} ${text}\n`

  test('go together by stream; the first one tells time and number', () => {
    const text =
      cri('stdout', 'P', access.slice(0, 40)) +
      cri('stderr', 'P', error.slice(0, 40)) +
      cri('stdout', 'F', access.slice(40)) +
      cri('stderr', 'F', error.slice(40))
    const told = tellAll([bytesOf(text)])
    const of = (kind: string) => told.filter(line => line.kind === kind).map(({ number, line }) => [number, line?.raw])
    expect(of('access')).toEqual([[1, access]])
    expect(of('error')).toEqual([[2, error]])
    expect(of('continuation').map(([number]) => number)).toEqual([3, 4])
  })

  test('without an end are told when the source ends', () => {
    const told = tellAll([bytesOf(cri('stdout', 'P', access.slice(0, 120)))])
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ kind: 'access', record: { status: 200, truncated: true } })
  })
})
