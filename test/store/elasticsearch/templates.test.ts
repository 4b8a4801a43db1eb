import { expect, test } from 'vitest'
import type { ControllerRecord } from '../../../parsers/record.ts'
import { isRecord } from '../../../src/cluster/fieldShape.ts'
import type { ControllerEntry } from '../../../src/model.ts'
import { buildControllerDocument } from '../../../src/store/controllerDocument.ts'
import { DOCUMENT_FIELDS } from '../../../src/store/document.ts'
import { FIELDS, propertiesOf } from '../../../src/store/elasticsearch/fields.ts'
import { gapDocument, refusedDocument } from '../../../src/store/elasticsearch/items.ts'
import {
  DAILY_KINDS,
  dayMsOf,
  dayOf,
  IndexNames,
  KINDS,
  type Kind,
  rollupId
} from '../../../src/store/elasticsearch/names.ts'
import { rollupDocument, rollupOf } from '../../../src/store/elasticsearch/rollups.ts'
import { metaOf, resources } from '../../../src/store/elasticsearch/templates.ts'
import { buildRejectDocument } from '../../../src/store/rejectDocument.ts'
import type { TableKind } from '../../../src/store/table.ts'
import { tableField } from '../../../src/store/tableFields.ts'
import { documentsOf, EXAMPLES, options } from '../examples.ts'
import { failure, NOON } from '../failures.ts'
import { unmappedPaths } from './mapped.ts'

const LIFECYCLE = { retentionMs: 30 * 86_400_000, rollupRetentionMs: 90 * 86_400_000 }
const LINE = {
  raw: 'W1121 10:00:00.1 7 x.go:1] Service "shop/cart" does not have any active Endpoint.',
  byteOffset: 0,
  number: 1,
  stream: 'stderr',
  written: '2026-11-21T10:00:00Z',
  timeMs: NOON,
  namespace: 'ingress-nginx',
  pod: 'ingress-1',
  container: 'controller',
  node: 'n1'
} as unknown as ControllerEntry['line']
const POSITION = { topic: 't', partition: 1, offset: 7 }

const DOCUMENTS: [string, Kind, Record<string, unknown>][] = [
  ...Object.entries(EXAMPLES).map(([name, lines]): [string, Kind, Record<string, unknown>] => [
    name,
    'failure',
    documentsOf(lines)[0]!.document
  ]),
  [
    'controller line',
    'controller',
    buildControllerDocument(
      {
        record: {
          message: 'Service "shop/cart" does not have any active Endpoint.',
          level: 'warn',
          service: 'shop/cart',
          cause: 'no_endpoints'
        } as ControllerRecord,
        line: LINE,
        position: POSITION,
        stream: 's',
        timeMs: NOON
      },
      options()
    )!.document
  ],
  [
    'gap',
    'controller',
    gapDocument({ name: 'log', atMs: NOON, bytes: 5, reason: 'expired', text: 'gone' }, 'prod').document
  ],
  [
    'reject of a line',
    'reject',
    buildRejectDocument(
      { code: 'truncated_head', column: 3, line: LINE, position: POSITION, value: null, stream: 's', timeMs: NOON },
      options()
    ).document
  ],
  [
    'reject of a document',
    'reject',
    refusedDocument(
      failure({ id: 'a' }),
      { kind: 'failure', id: 'a', index: 'i', action: '', document: '{}' },
      { status: 400, type: 'document_parsing_exception', reason: 'no', attempts: 2 },
      'prod'
    ).document
  ],
  [
    'totals',
    'rollup',
    rollupDocument({ ...rollupOf({ stream: 's', minuteMs: NOON, upstream: 'u' }, null), open: [1] }, 'prod', {
      topic: 't',
      partition: 3
    })
  ]
]

test.each(DOCUMENTS)('%s: a field with several values is no column of a table', (_name, kind, document) => {
  const lists: string[] = []
  const look = (value: unknown, path: string): void => {
    if (Array.isArray(value)) lists.push(path)
    else if (isRecord(value))
      for (const [key, inner] of Object.entries(value)) look(inner, path === '' ? key : `${path}.${key}`)
  }
  look(document, '')
  expect(lists.filter(path => tableField(kind as TableKind, path) !== undefined)).toEqual([])
})

test.each(DOCUMENTS)('%s: every field is mapped', (_name, kind, document) => {
  expect(Object.keys(document).length).toBeGreaterThan(3)
  expect(unmappedPaths(kind, document)).toEqual([])
})

test('a field that no table names is found', () => {
  expect(unmappedPaths('reject', { why5xx: { schema: 1, reject: { nonsense: 1 } }, x: [{ y: 1 }] })).toEqual([
    'why5xx.reject.nonsense',
    'x'
  ])
})

test('every field of the description of failures is mapped, by types of the server itself', () => {
  const mapped = new Map(FIELDS.failure)
  for (const { path, type } of DOCUMENT_FIELDS)
    expect([path, [type, 'identity']]).toEqual([path, expect.arrayContaining([mapped.get(path)])])
  const types = JSON.stringify(resources(LIFECYCLE)).matchAll(/"type":"([a-z_]+)"/g)
  const allowed = [
    'keyword',
    'text',
    'ip',
    'date',
    'long',
    'integer',
    'short',
    'half_float',
    'double',
    'boolean',
    'object'
  ]
  expect([...new Set([...types].map(([, type]) => type!))].filter(type => !allowed.includes(type))).toEqual([])
})

test('a field of two types is a mistake, and told', () => {
  expect(() =>
    propertiesOf([
      ['a.b', 'keyword'],
      ['a.b', 'long']
    ])
  ).toThrow('a.b is mapped as keyword and as long')
})

test('there are fewer fields than an index may have', () => {
  const count = (properties: object): number =>
    Object.values(properties).reduce<number>(
      (sum, one) => sum + 1 + count((one as { properties?: object }).properties ?? {}),
      0
    )
  const all = KINDS.filter(kind => kind !== 'state').flatMap(kind => FIELDS[kind])
  expect(count(propertiesOf(all))).toBeLessThan(300)
})

test('one template a kind, for its indices only; what has no day has no lifecycle', () => {
  const templates = resources(LIFECYCLE).filter(({ type }) => type === 'index template')
  const bodies = new Map(
    templates.map(({ name, body }) => [name, body as { index_patterns: string[]; priority: number }])
  )
  expect([...bodies.keys()]).toEqual(KINDS.map(kind => `why5xx-${kind}`))
  for (const [name, body] of bodies) {
    expect([body.index_patterns, body.priority]).toEqual([[`${name}-*`], 500])
    expect(JSON.stringify(body).includes('parse_origination_date')).toBe(
      DAILY_KINDS.some(kind => name === `why5xx-${kind}`)
    )
  }
  expect(JSON.stringify(resources(null))).not.toContain('lifecycle')
})

test('what is written into a cluster changes only where the body does', () => {
  const contents = (lifecycle: typeof LIFECYCLE): string[] =>
    resources(lifecycle).map(({ body }) => metaOf(body).content)
  const before = contents(LIFECYCLE)
  const after = contents({ ...LIFECYCLE, retentionMs: 7 * 86_400_000 })
  expect(after.filter((content, i) => content !== before[i])).toHaveLength(1)
  expect(contents({ ...LIFECYCLE })).toEqual(before)
})

test.each(['', 'Prod', 'a-b', 'a*', 'a,b', '../x', 'ä', 'x'.repeat(101)])('namespace %j is refused', namespace => {
  expect(() => new IndexNames(namespace)).toThrow(expect.objectContaining({ code: 'WHY5XX_CONFIG' }))
})

test('the index of a document is that of its own day, UTC', () => {
  const names = new IndexNames('team_1')
  expect(names.daily('failure', Date.UTC(2026, 10, 21, 23, 59, 59, 999))).toBe('why5xx-failure-team_1-2026.11.21')
  expect(names.pattern('rollup')).toBe('why5xx-rollup-team_1-*')
  expect([dayOf(-1), dayOf(Number.MAX_SAFE_INTEGER)]).toEqual(['1970.01.01', '9999.12.31'])
  expect([dayMsOf('why5xx-failure-a-2026.11.21'), dayMsOf('why5xx-state-a')]).toEqual([Date.UTC(2026, 10, 21), null])
})

test('no text of one key makes the id of another', () => {
  expect(
    new Set([rollupId('a', 1, 'b'), rollupId('a1', 1, 'b'), rollupId('a","1","b', 1, ''), rollupId('', 1, 'ab')]).size
  ).toBe(4)
})
