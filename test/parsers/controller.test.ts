import { describe, expect, test } from 'vitest'
import { parseControllerLine } from '../../parsers/controller.ts'
import { bytesOf, tellAll } from '../support/readLog.ts'

const head = (level: string): string => `${level}1121 10:02:11.123456       7 event.go:377] `
const event = (kind: string, type: string, text: string): string =>
  `Event(v1.ObjectReference{Kind:"${kind}", Namespace:"shop", Name:"cart", UID:"6f1c", APIVersion:"v1", ResourceVersion:"1", FieldPath:""}): type: '${type}' reason: ${text}`

test('the head: level, local time, process, file', () => {
  expect(parseControllerLine('E0229 23:59:59.5 2092301 store.go:12] x')).toMatchObject({
    level: 'error',
    pid: 2_092_301,
    sourceFile: 'store.go',
    sourceLine: 12,
    message: 'x',
    localTimeMs: Date.parse('1972-02-29T23:59:59.500Z')
  })
})

test.each([
  'D1121 10:02:11.123456 7 a.go:1] x',
  'W1121 10:02:11 7 a.go:1] x',
  'W1121 10:02:11.123456 a.go:1] x',
  'x',
  ''
])('%j is no klog line', text => expect(parseControllerLine(text)).toBeNull())

test.each([
  // Always level I, even for Warning events: they mark, and are no failures.
  [event('Ingress', 'Normal', "'Sync' Scheduled for sync"), 'ctl-event-sync', null],
  [event('Pod', 'Warning', "'RELOAD' Error reloading NGINX: exit status 1"), 'ctl-event-reload-failed', null]
])('%s', (text, messageKind, cause) => {
  expect(parseControllerLine(head('I') + text)).toMatchObject({ level: 'info', message: text, messageKind, cause })
})

test.each<[string, string | null]>([
  ['Service "shop/cart" does not have any active Endpoint.', 'shop/cart'],
  ['"Error getting endpoints" service="shop/cart" err="x"', 'shop/cart'],
  ['Service "shop/cart" and Service "shop/other" differ', null],
  ['Service "cart" has no namespace', null],
  ['Ingress "shop/cart" is fine', null]
])('%s names the Service %s', (text, service) => {
  expect(parseControllerLine(head('W') + text)!.service).toBe(service)
})

describe('blocks of several lines', () => {
  const rule = '-'.repeat(79)
  const access =
    '192.0.2.1 - - [21/Nov/2026:10:02:11 +0000] "GET / HTTP/1.1" 200 1 "-" "-" 1 0.001 [a] [] 10.0.0.1:80 1 0.001 200 x'
  const emerg = '2026/11/21 10:02:11 [emerg] 45#45: unexpected "}" in /tmp/nginx/nginx-cfg1:5'

  test.each([
    [
      'behind a colon',
      `${head('E')}Unexpected failure reloading the backend:`,
      ['', rule, 'Error: exit status 1', emerg, rule]
    ],
    ['an empty first line', `${head('W')}`, [rule, 'NGINX master process died (1): exit status 1', rule]],
    [
      'a value of several lines',
      `${head('E')}"requeuing" err=<`,
      ['\tError: exit status 1', `\t${emerg}`, ' > key="initial-sync"']
    ]
  ])('%s, to the next record', (_name, first, rest) => {
    for (const next of [access, `${head('I')}"Backend successfully reloaded"`]) {
      const told = tellAll([bytesOf(`${[first, ...rest, next].join('\n')}\n`)])
      const [block] = told.filter(({ number }) => number === 1)
      expect(block!.line!.raw).toBe([first, ...rest].join('\n'))
      expect(block!.record).toMatchObject({ kind: 'controller' })
      expect(told.filter(({ kind }) => kind === 'continuation')).toHaveLength(rest.length)
      expect(told.at(-1)!.number).toBe(rest.length + 2)
    }
  })

  test("nginx's own line with a connection is a record of its own, inside a block too", () => {
    const error = '2026/11/21 10:02:11 [error] 45#45: *7 access forbidden by rule, client: 192.0.2.1, server: _'
    const told = tellAll([bytesOf(`${head('E')}Unexpected failure reloading the backend:\n${error}\n`)])
    expect(told.map(({ kind }) => kind)).toEqual(['controller', 'error'])
  })

  test('a dated line ends the record of a Lua error', () => {
    const lua = '2026/11/21 10:02:11 [error] 45#45: [lua] balancer.lua:1: x(): could not parse backends data: y'
    const told = tellAll([bytesOf(`${lua}\n${emerg}\n`)])
    expect(told.map(({ kind, number }) => [kind, number])).toEqual([
      ['error', 1],
      ['error', 2]
    ])
  })
})
