import '../support/seed.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonSplitter, VALUE_BYTES_MAX } from '../../src/cluster/jsonSplitter.ts'

/** `i` for items, `v` for values, `l` for lists without their items. */
function split(bytes: Uint8Array, sizes: readonly number[] = []) {
  const found: string[] = []
  const splitter = new JsonSplitter({
    item: text => found.push(`i${text}`),
    value: (text, isList) => found.push(`${isList ? 'l' : 'v'}${text}`)
  })
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!
    // The source reads over its buffer, and slices of a Buffer are no copies.
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    splitter.push(chunk)
    chunk.fill(0x7b)
    at += size
  }
  splitter.end()
  return { found, tooLong: splitter.tooLong, cut: splitter.cut, strayLines: splitter.strayLines }
}

const text = (content: string) => new TextEncoder().encode(content)

test.each([
  [
    'a list',
    '{"kind":"List","items":[{"a":1}, {"b":[{"c":2}]}],"x":{"items":[{}]}}',
    ['i{"a":1}', 'i{"b":[{"c":2}]}', 'l{"kind":"List","items":[],"x":{"items":[{}]}}']
  ],
  ['an array', '[{"a":1},\n{"b":2}]\n', ['i{"a":1}', 'i{"b":2}', 'l[]']],
  ['an empty list', '{"items":[]}', ['l{"items":[]}']],
  ['lines', '{"a":1}\n{"b":"}"}\r\n\n{"c":"\\"{"}', ['v{"a":1}', 'v{"b":"}"}', 'v{"c":"\\"{"}']],
  ['values without a gap', '{"a":1}{"b":2},{}', ['v{"a":1}', 'v{"b":2}', 'v{}']],
  [
    '`items` that is a text, or deeper',
    '{"a":"items","b":[{}],"c":{"items":[1]}}',
    ['v{"a":"items","b":[{}],"c":{"items":[1]}}']
  ],
  ['`items` that is no list', '{"items":{"a":[{}]},"b":[{}]}', ['v{"items":{"a":[{}]},"b":[{}]}']]
])('%s', (_name, content, want) => {
  expect(split(text(content))).toEqual({ found: want, tooLong: 0, cut: 0, strayLines: 0 })
})

test('what was cut off costs only itself', () => {
  const content = '{"a":1}\n{"b":"half\n{"c":3}\nWarning: {not json}\n{"items":[{"d":4},{"e":'
  expect(split(text(content))).toEqual({
    found: ['v{"a":1}', 'v{"c":3}', 'i{"d":4}'],
    tooLong: 0,
    cut: 2,
    strayLines: 1
  })
})

test('a value beyond the limit is left out, not held', () => {
  const content = `{"a":"${'x'.repeat(VALUE_BYTES_MAX)}"}\n{"b":1}`
  expect(split(text(content), [1 << 18])).toMatchObject({ found: ['v{"b":1}'], tooLong: 1 })
})

test('chunks of any size give the same, and any JSON comes through', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).filter(value => typeof value === 'object' && value !== null)
  const values = fc.array(fc.tuple(json, fc.constantFrom(undefined, 2)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(values, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (list, sizes) => {
      const objects = list.map(([value, indent]) => JSON.stringify({ kind: 'x', value }, null, indent))
      const content = `${objects.join('\n')}\n${JSON.stringify({ items: list.map(([value]) => ({ value })) })}`
      const { found, cut, strayLines } = split(text(content), sizes)
      expect(found.slice(0, objects.length)).toEqual(objects.map(object => `v${object}`))
      expect(found.slice(objects.length, -1)).toEqual(list.map(([value]) => `i${JSON.stringify({ value })}`))
      expect(found.at(-1)).toMatch(/^l\{"items":\[\]\}$/)
      expect({ cut, strayLines }).toEqual({ cut: 0, strayLines: 0 })
    })
  )
})

test('any bytes end, and everything is told or counted', () => {
  const bytes = fc.array(fc.constantFrom(...Buffer.from('{}[]",:\\\n ai')), { maxLength: 200 })
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 20 }), (content, size) => {
      const whole = split(Uint8Array.from(content))
      expect(split(Uint8Array.from(content), [size])).toEqual(whole)
      const isBlank = content.every(byte => byte === 0x20 || byte === 0x0a || byte === 0x2c)
      expect(whole.found.length + whole.cut + whole.strayLines > 0).toBe(!isBlank)
    })
  )
})
