/** The failure document: golden examples, every field's type. */

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CAUSES } from '../../parsers/causes.ts'
import type { Failure } from '../../src/model.ts'
import { DIAGNOSIS_FIELDS } from '../../src/store/diagnosisFields.ts'
import { buildDocument, DOCUMENT_FIELDS } from '../../src/store/document.ts'
import { failureRow } from '../../src/store/store.ts'
import { runEngine } from '../support/engineRun.ts'
import { accessLine, cri } from '../support/lines.ts'
import { batchOf } from '../support/memoryReader.ts'
import { documentsOf, EXAMPLES, options, POD, T } from './examples.ts'

test.each(Object.entries(EXAMPLES))('%s', async (name, lines) => {
  const built = documentsOf(lines)
  expect(built).toHaveLength(1)
  await expect(`${JSON.stringify(built[0], null, 2)}\n`).toMatchFileSnapshot(`./${name}.expected.json`)
})

describe('the list of fields', () => {
  const TYPES = [
    'keyword',
    'date',
    'long',
    'integer',
    'short',
    'half_float',
    'double',
    'ip',
    'text',
    'boolean',
    'stored',
    'labels',
    'origin'
  ]
  const paths = DOCUMENT_FIELDS.map(field => field.path)

  test('paths are unique, and none lies inside another', () => {
    expect(new Set(paths).size).toBe(paths.length)
    const inside = paths.flatMap(path =>
      paths.filter(other => other.startsWith(`${path}.`)).map(other => [path, other])
    )
    expect(inside).toEqual([])
  })

  test('types are those of the server itself', () => {
    expect(DOCUMENT_FIELDS.filter(field => !TYPES.includes(field.type))).toEqual([])
  })

  test('paths are ECS, the integration, or ours', () => {
    const roots = new Set(paths.map(path => path.split('.')[0]))
    expect([...roots].sort()).toEqual(
      [
        '@timestamp',
        'error',
        'event',
        'host',
        'http',
        'kubernetes',
        'labels',
        'log',
        'message',
        'nginx_ingress_controller',
        'orchestrator',
        'service',
        'source',
        'trace',
        'url',
        'user_agent',
        'why5xx'
      ].sort()
    )
  })

  test('every field of the example documents is listed, with a value of its type', () => {
    const checks: Record<string, (value: unknown) => boolean> = {
      keyword: value => typeof value === 'string',
      text: value => typeof value === 'string',
      date: value => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
      ip: value => typeof value === 'string' && /^[\da-f.:]+$/.test(value),
      boolean: value => typeof value === 'boolean',
      origin: value => typeof value === 'object' && value !== null,
      labels: value => typeof value === 'object' && value !== null,
      stored: value => typeof value === 'object' && value !== null,
      long: Number.isSafeInteger,
      integer: value => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
      short: value => Number.isInteger(value) && Math.abs(value as number) < 2 ** 15,
      half_float: Number.isFinite,
      double: Number.isFinite
    }
    const seen = new Set<string>()
    for (const lines of Object.values(EXAMPLES)) {
      for (const { document } of documentsOf(lines)) {
        const leaves = new Map(leavesOf(document))
        for (const [path, value] of leaves) {
          const field = DOCUMENT_FIELDS.find(known => known.path === path)
          expect(field, path).toBeDefined()
          const values = Array.isArray(value) && field!.type !== 'stored' ? value : [value]
          for (const item of values) expect(checks[field!.type]!(item), `${path}: ${JSON.stringify(item)}`).toBe(true)
          seen.add(path)
        }
      }
    }
    // Known only with a runbook address, from a shipper's envelope, on the way to a store, or from the state of a cluster.
    const ofCluster = new Set(DIAGNOSIS_FIELDS.map(({ path }) => path))
    const unseen = paths.filter(path => !seen.has(path) && !ofCluster.has(path))
    expect(unseen.sort()).toEqual([
      'event.ingested',
      'event.reference',
      'host.name',
      'why5xx.controller.namespace',
      'why5xx.controller.node.name'
    ])
  })

  test('what only a shipper and the configuration know', () => {
    const record = {
      log: accessLine({ timeMs: T, status: 502, up: '10.2.3.14:8080|0|0.001|502' }),
      stream: 'stdout',
      time: '2026-11-21T10:02:11.500000001Z',
      kubernetes: { pod_name: POD, namespace_name: 'ingress-nginx', container_name: 'controller', host: 'worker-2' }
    }
    const [built] = documentsOf([JSON.stringify(record)], {
      ...options(),
      runbookUrl: 'https://runbooks.example.com/{cause}'
    })
    expect(built!.document).toMatchObject({
      event: { reference: 'https://runbooks.example.com/header_too_big' },
      host: { name: 'worker-2' },
      why5xx: { controller: { namespace: 'ingress-nginx', pod: { name: POD }, node: { name: 'worker-2' } } }
    })
  })

  test('nothing is undefined or null in a document', () => {
    for (const lines of Object.values(EXAMPLES)) {
      for (const { document } of documentsOf(lines)) {
        expect(JSON.parse(JSON.stringify(document))).toStrictEqual(document)
        for (const [path, value] of leavesOf(document)) if (path !== 'why5xx.origin') expect(value, path).not.toBeNull()
      }
    }
  })
})

describe('values', () => {
  test('times: end, start, duration', () => {
    const [built] = documentsOf(EXAMPLES['refused-three-times']!)
    expect(built!.document).toMatchObject({
      '@timestamp': '2026-11-21T10:02:11.003Z',
      event: { start: '2026-11-21T10:02:11.000Z', duration: 3_000_000, created: '2026-11-21T10:02:11.003Z' }
    })
  })

  test("a stamp far from nginx's own time is a replay's: nginx's time counts", () => {
    const line = cri(T + 3_600_000, 'stdout', accessLine({ timeMs: T, status: 502, up: '10.2.3.14:8080|0|0.001|502' }))
    expect(documentsOf([line])[0]!.document).toMatchObject({
      '@timestamp': '2026-11-21T10:02:11.000Z',
      event: { created: '2026-11-21T11:02:11.000Z' }
    })
  })

  test('the file is that of the line that decided', () => {
    const [failure] = runEngine(EXAMPLES['custom-error-page']!).failures
    const ofTwoFiles: Failure = {
      ...failure!,
      errors: failure!.errors.map(error => ({ ...error, position: { file: 'error.log', line: 1 } }))
    }
    expect(buildDocument(ofTwoFiles, options()).document).toMatchObject({ log: { file: { path: 'error.log' } } })
    expect(buildDocument({ ...ofTwoFiles, deciding: -1 }, options()).document).toMatchObject({
      log: { file: { path: 'test.log' } }
    })
  })

  test('the version grows with what is known', () => {
    const alone = documentsOf(EXAMPLES['read-timeout-without-error-line']!)[0]!
    const joined = documentsOf(EXAMPLES['custom-error-page']!)[0]!
    expect(joined.version).toBe(alone.version + 1)
  })

  test('every cause has its category and blame', () => {
    const [failure] = runEngine(EXAMPLES['refused-three-times']!).failures
    for (const cause of CAUSES) {
      const { document } = buildDocument({ ...failure!, cause } as Failure, options())
      expect(document.why5xx).toMatchObject({ cause, category: expect.any(String), blame: expect.any(String) })
    }
  })
})

function* leavesOf(value: Record<string, unknown>, prefix = ''): Generator<[string, unknown]> {
  for (const [key, inner] of Object.entries(value)) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    const isListed = DOCUMENT_FIELDS.some(field => field.path === path)
    if (isListed || typeof inner !== 'object' || inner === null || Array.isArray(inner)) yield [path, inner]
    else yield* leavesOf(inner as Record<string, unknown>, path)
  }
}

test('a name that is logged empty is none: stores that keep it apart would group by it', () => {
  const unnamed = batchOf([join(import.meta.dirname, '../../samples/hostile/access.log')]).failures.filter(
    stored => failureRow(stored).upstream === '' && failureRow(stored).status !== null
  )
  expect(unnamed.length).toBeGreaterThan(0)
  for (const { document } of unnamed)
    expect(JSON.stringify([document.service, document.why5xx])).not.toContain('"name":""')
})
