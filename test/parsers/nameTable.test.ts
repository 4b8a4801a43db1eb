import { expect, test } from 'vitest'
import { NameTable, OTHER_NAMES } from '../../parsers/nameTable.ts'
import { bytesOf } from '../support/readLog.ts'

test('a name has one id, whatever stood in between and wherever its bytes are', () => {
  const table = new NameTable()
  const names = Array.from({ length: 5000 }, (_, i) => `ns-${i % 7}-service-${i}-80`)
  const ids = names.map(name => table.of(name))
  expect(new Set(ids).size).toBe(names.length)
  for (const [i, name] of names.entries()) {
    const bytes = bytesOf(`[${name}] `)
    expect(table.intern(bytes, 1, name.length + 1)).toBe(ids[i])
    expect(table.names[ids[i]!]).toBe(name)
  }
  expect(table.overflow).toBe(0)
})

test('no name is id 0, and bytes that are read over do not change a name', () => {
  const table = new NameTable()
  expect(table.of('')).toBe(0)
  const bytes = bytesOf('shop-cart-80')
  const id = table.intern(bytes, 0, bytes.length)
  bytes.fill(0x78)
  expect(table.names[id]).toBe('shop-cart-80')
  expect(table.of('shop-cart-80')).toBe(id)
  expect(table.of('xxxxxxxxxxxx')).not.toBe(id)
  expect(table.of('shop-cart')).not.toBe(id)
})

test.each([
  ['shop-cart-80', true],
  ['upstream-default-backend', false],
  ['upstream-default-backend-80', true],
  ['custom-default-backend-shop-errors', false],
  ['internal', true],
  ['-', true]
])('%s: its answers are plain ones: %s', (name, isPlain) => {
  const table = new NameTable()
  expect(table.isPlain[table.of(name)]).toBe(isPlain)
})

test('names beyond the limit share one id and are counted; those before keep theirs', () => {
  const table = new NameTable()
  const first = table.of('shop-cart-80')
  for (let i = 0; i < 25_000; i++) table.of(`random-host-${i}-80`)
  const other = table.of('one-more-80')
  expect(table.names[other]).toBe(OTHER_NAMES)
  expect(table.of('and-another-80')).toBe(other)
  expect(table.of('shop-cart-80')).toBe(first)
  expect(table.of('random-host-10-80')).not.toBe(other)
  expect(table.names).toHaveLength(20_001)
  expect(table.isPlain).toHaveLength(20_001)
  expect(table.overflow).toBeGreaterThan(5000)
})
