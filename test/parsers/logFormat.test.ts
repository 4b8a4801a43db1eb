import { describe, expect, test } from 'vitest'
import { compileLogFormat, FIELD, KNOWN_FORMATS, OP } from '../../parsers/logFormat.ts'
import { accessOf, recordOf } from '../support/readLog.ts'

// nginx knows `${name}` too, where a letter follows.
const braces = (name: string): string => `$\{${name}}`

describe('compileLogFormat', () => {
  test('every known format compiles, under its own name', () => {
    for (const { name, format } of KNOWN_FORMATS) expect(compileLogFormat(format, name).name).toBe(name)
    expect(new Set(KNOWN_FORMATS.map(known => known.name)).size).toBe(KNOWN_FORMATS.length)
  })

  test.each([
    ['$remote_addr$status', '$remote_addr', '$status'],
    [`"$request"${braces('status')}$body_bytes_sent`, '$status', '$body_bytes_sent'],
    [`a ${braces('upstream_addr')}${braces('upstream_status')}`, '$upstream_addr', '$upstream_status']
  ])('%s: two variables without a border are refused, by name', (format, first, second) => {
    expect(() => compileLogFormat(format)).toThrow(RangeError)
    expect(() => compileLogFormat(format)).toThrow(`nothing stands between ${first} and ${second}`)
  })

  test('an operation for each variable, by what it may hold', () => {
    const { ops } = compileLogFormat(
      '$remote_addr "$request" $status $request_time $upstream_addr $x [$upstream_status] $y'
    )
    expect(ops.map(op => op.op)).toEqual([
      OP.text,
      OP.literal,
      OP.quoted,
      OP.literal,
      OP.status,
      OP.literal,
      OP.decimal,
      OP.literal,
      OP.addressList,
      OP.literal,
      OP.text,
      OP.literal,
      OP.numberList,
      OP.literal,
      OP.rest
    ])
    expect(ops[2]).toMatchObject({ field: FIELD.request, literal: '" ' })
    expect(ops[10]).toMatchObject({ field: -1, literal: ' [' })
  })
})

describe('formats people set', () => {
  test('a variable in braces is the variable, and unknown variables are read past', () => {
    const record = accessOf(
      '7 192.0.2.1 x.y "GET /a HTTP/1.1" 502 TLSv1.3 10.0.0.7:80',
      `${braces('pid')} $remote_addr $geoip_x "${braces('request')}" $status $ssl_protocol ${braces('upstream_addr')}`
    )
    expect(record).toMatchObject({ client: '192.0.2.1', path: '/a', status: 502, truncated: false })
    expect(record.attempts).toMatchObject([{ address: '10.0.0.7:80' }])
  })

  test('method and URI without $request make a request that joins', () => {
    const record = accessOf('POST /a?b=1 HTTP/1.1 502', '$request_method $request_uri $server_protocol $status')
    expect(record).toMatchObject({ request: 'POST /a?b=1 HTTP/1.1', method: 'POST', path: '/a', query: 'b=1' })
  })

  test('$uri and $args make one too, and a lone URI has no method', () => {
    expect(accessOf('GET|/a|b=1|502|192.0.2.1', '$request_method|$uri|$args|$status|$remote_addr')).toMatchObject({
      request: 'GET /a?b=1',
      query: 'b=1'
    })
    expect(accessOf('/a?b=1 502 192.0.2.1 0.004', '$request_uri $status $remote_addr $request_time')).toMatchObject({
      method: null,
      path: '/a',
      query: 'b=1'
    })
  })

  test('regular-expression characters in a format are text', () => {
    expect(accessOf('(192.0.2.1)+*[502]\\d', '($remote_addr)+*[$status]\\d')).toMatchObject({
      client: '192.0.2.1',
      status: 502
    })
  })

  test('a line of another format is no record of this one', () => {
    expect(recordOf('something else entirely', compileLogFormat('$remote_addr $status'))).toBeNull()
  })
})
