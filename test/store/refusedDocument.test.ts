/** What was kept of a refused document is that document again: same id, version, day. */
import { describe, expect, test } from 'vitest'
import { gapDocument } from '../../src/store/elasticsearch/items.ts'
import { keptDocument } from '../../src/store/keptReject.ts'
import { refusedDocument } from '../../src/store/refusedDocument.ts'
import { documentsOf, EXAMPLES } from './examples.ts'

describe.each(Object.entries(EXAMPLES))('%s', (_, lines) => {
  test('comes back as it was', () => {
    for (const { id, version, timeMs, document } of documentsOf(lines)) {
      const { value } = keptDocument({ id, version, timeMs, document }, JSON.stringify(document), 'a_code')
      // What `undefined` stands for is not in a text.
      const written = JSON.parse(JSON.stringify(document)) as object
      expect(refusedDocument(value.toString())).toEqual({
        kind: 'failure',
        stored: { id, version, timeMs, document: written }
      })
    }
  })
})

test('a gap goes back to the controller lines', () => {
  const gap = { name: 'a.log', atMs: Date.UTC(2026, 10, 21), bytes: 7, reason: 'shipper', text: '7 bytes' } as const
  const stored = gapDocument(gap, 'prod')
  expect(refusedDocument(JSON.stringify(stored.document))).toEqual({ kind: 'controller', stored })
})

test('a judgement of older rules must not replace a newer one', () => {
  const { document } = documentsOf(EXAMPLES['refused-three-times']!)[0]!
  const { why5xx } = document as { why5xx: object }
  const old = { ...document, why5xx: { ...why5xx, rule: { id: 'x', version: 0 }, join: { error_lines: 3 } } }
  expect(refusedDocument(JSON.stringify(old))?.stored.version).toBe(1)
})

test.each([
  ['no JSON', 'GET / HTTP/1.1'],
  ['no object', '"text"'],
  ['nothing', 'null'],
  ['a list', '[]'],
  ['another dataset', '{"@timestamp":"2026-11-21T10:00:00Z","event":{"id":"a","dataset":"nginx.access"}}'],
  ['no id', '{"@timestamp":"2026-11-21T10:00:00Z","event":{"dataset":"why5xx.failure"}}'],
  ['no time', '{"event":{"id":"a","dataset":"why5xx.failure"}}'],
  [
    'no version',
    '{"@timestamp":"2026-11-21T10:00:00Z","event":{"id":"a","dataset":"why5xx.failure"},"why5xx":{"rule":{"version":"1"}}}'
  ],
  ['a damaged judgement', '{"@timestamp":"x","event":null,"why5xx":null}']
])('%s is no document of ours', (_, text) => {
  expect(refusedDocument(text)).toBeNull()
})
