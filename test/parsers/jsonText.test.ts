import { describe, expect, test } from 'vitest'
import { readJsonPairs } from '../../parsers/jsonText.ts'

const pairs = (text: string): Record<string, string> => Object.fromEntries(readJsonPairs(text).values)

// biome-ignore format: a table, one case a line.
test.each<[string, string, Record<string, string>]>([
  ['texts and numbers', '{"a":"x","b":12,"c":0.004}', { a: 'x', b: '12', c: '0.004' }],
  ['blanks', ' { "a" : "x" , "b" : 12 } ', { a: 'x', b: '12' }],
  ['keys lose case and separators', '{"Http_Host":"x","@Timestamp":"y","http.status-code":1}', { httphost: 'x', '@timestamp': 'y', httpstatuscode: '1' }],
  ['nesting', '{"http":{"response":{"status":502},"version":"1.1"},"a":1}', { httpresponsestatus: '502', httpversion: '1.1', a: '1' }],
  ['bare lists', '{"a":0.001, 0.002,"b":502, 502 : 200}', { a: '0.001, 0.002', b: '502, 502 : 200' }],
  ['bare dash, nothing, null', '{"a":-,"b":,"c": ,"d":null,"e":""}', { a: '-', b: '', c: '', d: '', e: '' }],
  ['a list of peers without one', '{"a": : 404,"b":1}', { a: ': 404', b: '1' }],
  ['JSON escapes', String.raw`{"a":"\"\\\/\n\t\u00e9\u0041"}`, { a: String.raw`\x22\x5C/\x0A\x09\xC3\xA9A` }],
  ['escapes of nginx', String.raw`{"a":"\x22\xc3\xA9"}`, { a: String.raw`\x22\xC3\xA9` }],
  ['raw bytes', '{"a":"\xc3\xa9\xff\x01"}', { a: String.raw`\xC3\xA9\xFF\x01` }],
  ['an escaped backslash before the end', String.raw`{"a":"x\\","b":"y"}`, { a: String.raw`x\x5C`, b: 'y' }],
  ['empty', '{}', {}],
  ['trailing comma', '{"a":1,}', { a: '1' }]
])('%s', (_name, text, want) => {
  expect(pairs(text)).toEqual(want)
  expect(readJsonPairs(text).brokenAt).toBeNull()
})

describe('says where it stopped, and keeps what it read', () => {
  // biome-ignore format: a table, one case a line.
  test.each<[string, string, Record<string, string>, number]>([
    ['no object', 'x', {}, 1],
    ['an array', '[1]', {}, 1],
    ['cut in a text', '{"a":1,"b":"xy', { a: '1', b: 'xy' }, 15],
    ['cut in a key', '{"a":1,"b', { a: '1' }, 8],
    ['cut before the value', '{"a":1,"b"', { a: '1' }, 11],
    ['cut behind the value', '{"a":1', { a: '1' }, 7],
    ['cut in nesting', '{"a":{"b":1', { ab: '1' }, 12],
    ['something behind the object', '{"a":1} x', { a: '1' }, 9],
    ['a bare key', '{"a":1,b:2}', { a: '1,b:2' }, 0]
  ])('%s', (_name, text, want, column) => {
    expect(pairs(text)).toEqual(want)
    expect(readJsonPairs(text).brokenAt ?? 0).toBe(column)
  })
})

test('depth and number of pairs are bounded', () => {
  expect(readJsonPairs('{"a":'.repeat(50)).brokenAt).toBe(46)
  const many = `{${Array.from({ length: 2000 }, (_, i) => `"k${i}":${i}`).join(',')}}`
  expect(readJsonPairs(many).values.size).toBe(512)
})
