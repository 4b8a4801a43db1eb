import { describe, expect, test } from 'vitest'
import { zipAttempts } from '../../parsers/attempts.ts'

type Want = [group: number, address: string | null, bytes: number | null, ms: number | null, status: number | null]

describe('zipAttempts', () => {
  // biome-ignore format: a table, one case a line.
  test.each<[string, string | null, string | null, string | null, string | null, Want[]]>([
    // name                         addresses                                  lengths      times             statuses       want: group, address, bytes, ms, status
    ['one attempt',                 '10.0.0.7:80',                             '61',        '0.100',          '200',         [[0, '10.0.0.7:80', 61, 100, 200]]],
    ['no upstream',                 '-',                                       '-',         '-',              '-',           []],
    ['no upstream, escape=json',    '',                                        '',          '',               '',            []],
    ['format without upstream',     null,                                      null,        null,             null,          []],
    ['second attempt silent',       '10.0.0.7:80, 10.0.0.8:80',                '61, -',     '0.100, -',       '200, -',      [[0, '10.0.0.7:80', 61, 100, 200], [0, '10.0.0.8:80', null, null, null]]],
    ['retry of the same pod',       '10.0.0.7:80, 10.0.0.7:80',                '0, 61',     '0.000, 0.004',   '502, 200',    [[0, '10.0.0.7:80', 0, 0, 502], [0, '10.0.0.7:80', 61, 4, 200]]],
    ['custom error page',           '10.0.0.7:80 : 10.0.1.5:8080',             '0 : 146',   '0.003 : 0.001',  '503 : 404',   [[0, '10.0.0.7:80', 0, 3, 503], [1, '10.0.1.5:8080', 146, 1, 404]]],
    ['three groups',                'a:1, b:1 : c:1 : d:1',                    '0, 0 : 1 : 2', '1.000, 2.000 : 3.000 : 4.000', '502, 502 : 500 : 200', [[0, 'a:1', 0, 1000, 502], [0, 'b:1', 0, 2000, 502], [1, 'c:1', 1, 3000, 500], [2, 'd:1', 2, 4000, 200]]],
    ['IPv6',                        '[2001:db8::1]:80, [::1]:80',              '0, 5',      '0.000, 0.001',   '502, 200',    [[0, '[2001:db8::1]:80', 0, 0, 502], [0, '[::1]:80', 5, 1, 200]]],
    ['unix socket',                 'unix:/tmp/a.sock',                        '5',         '0.001',          '200',         [[0, 'unix:/tmp/a.sock', 5, 1, 200]]],
    ['no live upstreams',           'upstream_balancer',                       '0',         '0.000',          '502',         [[0, 'upstream_balancer', 0, 0, 502]]],
    ['no peer at all',              '',                                        '0',         '0.000',          '-',           [[0, null, 0, 0, null]]],
    ['no peer on the retry',        '127.0.0.1:9010 : ',                       '0 : ',      '0.000 : ',       '502 : ',      [[0, '127.0.0.1:9010', 0, 0, 502], [1, null, null, null, null]]],
    ['no peer, trailing blank lost', '127.0.0.1:9010 :',                       '0 :',       '0.000 :',        '502 :',       [[0, '127.0.0.1:9010', 0, 0, 502], [1, null, null, null, null]]],
    ['no peer, then an error page', ' : 127.0.0.1:8181',                       '0 : 146',   '0.000 : 0.001',  '- : 404',     [[0, null, 0, 0, null], [1, '127.0.0.1:8181', 146, 1, 404]]],
    ['no peer, then an attempt',    ', 10.0.0.7:80',                           '0, 12',     '0.000, 0.003',   '-, 200',      [[0, null, 0, 0, null], [0, '10.0.0.7:80', 12, 3, 200]]],
    ['statuses alone',              null,                                      null,        null,             '502, 200',    [[0, null, null, null, 502], [0, null, null, null, 200]]],
    ['addresses alone',             '10.0.0.7:80 : 10.0.0.8:80',               null,        null,             null,          [[0, '10.0.0.7:80', null, null, null], [1, '10.0.0.8:80', null, null, null]]],
    ['client aborts',               '10.0.0.7:80',                             '0',         '12.345',         '-',           [[0, '10.0.0.7:80', 0, 12_345, null]]]
  ])('%s', (_name, addresses, lengths, times, statuses, want) => {
    expect(zipAttempts({ addresses, lengths, times, statuses })).toEqual({
      list: want.map(([group, address, responseBytes, responseTimeMs, status]) => ({
        address, group, status, responseTimeMs, responseBytes, connectTimeMs: null, headerTimeMs: null
      })),
      uncertain: false
    })
  })

  test.each([
    ['a status is missing', 'a:1, b:1', '0, 0', '0.001, 0.001', '502', [502, null]],
    ['a status is cut', 'a:1, b:1', '0, 0', '0.001, 0.001', '502, 5', [502, null]],
    ['an address is missing', 'a:1', '0, 0', '0.001, 0.001', '502, 502', [502]]
  ])('values are paired but never shifted when %s', (_name, addresses, lengths, times, statuses, want) => {
    const { list, uncertain } = zipAttempts({ addresses, lengths, times, statuses })
    expect(list.map(attempt => attempt.status)).toEqual(want)
    expect(list.map(attempt => attempt.address)).toEqual(addresses.split(', '))
    expect(uncertain).toBe(!statuses.endsWith(' 5'))
  })

  test('connect and header times stand beside their attempt', () => {
    const { list } = zipAttempts({
      addresses: 'a:1, b:1',
      lengths: '0, 5',
      times: '0.001, 0.009',
      statuses: '502, 200',
      connectTimes: '-, 0.002',
      headerTimes: '-, 0.008'
    })
    expect(list.map(({ connectTimeMs, headerTimeMs }) => [connectTimeMs, headerTimeMs])).toEqual([
      [null, null],
      [2, 8]
    ])
  })

  test('of a retry storm the first and the last attempts are kept', () => {
    const column = (of: (i: number) => string) => Array.from({ length: 100_000 }, (_, i) => of(i)).join(', ')
    const { list, uncertain } = zipAttempts({
      addresses: column(i => `10.0.0.7:${i}`),
      lengths: column(() => '0'),
      times: column(() => '0.000'),
      statuses: column(i => (i === 99_999 ? '-' : '502'))
    })
    expect(uncertain).toBe(false)
    expect(list).toHaveLength(512)
    expect([list[0]!.address, list[255]!.address, list[256]!.address, list[511]!.address]).toEqual([
      '10.0.0.7:0',
      '10.0.0.7:255',
      '10.0.0.7:99744',
      '10.0.0.7:99999'
    ])
    expect(list[511]!.status).toBeNull()
  })
})
