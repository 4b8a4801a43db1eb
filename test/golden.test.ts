import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseLog } from './support/readLog.ts'

/**
 * samples/<kind>/<case>.log beside what `why5xx parse` must print for it, one object a line. `UPDATE_GOLDEN=1` writes the
 * objects of the code as it is: read them before they are committed, they are the specification.
 */
const root = new URL('../samples/', import.meta.url)
const KINDS = ['access', 'error', 'controller', 'stream_access', 'envelope']
const cases = KINDS.flatMap(kind =>
  readdirSync(new URL(`${kind}/`, root))
    .filter(name => name.endsWith('.log'))
    .map(name => `${kind}/${name.slice(0, -4)}`)
)

test.each(cases)('%s', name => {
  const lines = parseLog(readFileSync(new URL(`${name}.log`, root)))
  const expected = new URL(`${name}.expected.json`, root)
  if (process.env.UPDATE_GOLDEN === '1')
    writeFileSync(expected, `[\n${lines.map(line => JSON.stringify(line)).join(',\n')}\n]\n`)
  expect(lines).toEqual(JSON.parse(readFileSync(expected, 'utf8')))
})

test('every expected file has its log', () => {
  const expected = KINDS.flatMap(kind =>
    readdirSync(new URL(`${kind}/`, root))
      .filter(name => name.endsWith('.expected.json'))
      .map(name => `${kind}/${name.slice(0, -'.expected.json'.length)}`)
  )
  expect(expected).toEqual(cases)
})
