import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { readSnapshots } from '../../src/cluster/snapshot.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapshot-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
/** Written at `time`: by default long after everything in it. */
function file(content: string | Uint8Array, time = '2025-03-01T00:00:00Z'): string {
  const path = join(folder, `file-${++files}`)
  writeFileSync(path, content)
  utimesSync(path, new Date(time), new Date(time))
  return path
}

const at = (time: string) => Date.parse(`2025-01-01T${time}Z`)

function object(kind: string, name: string, time: string, namespace: string | null = 'shop') {
  const apiVersion = kind === 'Ingress' ? 'networking.k8s.io/v1' : 'v1'
  const creationTimestamp = `2025-01-01T${time}Z`
  return { apiVersion, kind, metadata: { name, ...(namespace === null ? {} : { namespace }), creationTimestamp } }
}

const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', items, kind: 'List', metadata: {} }, null, 4)

/** `10:00:00 LIST_START Node,Pod *`, `10:00:00 ADDED Pod a` … */
function brief(events: readonly ClusterEvent[]): string[] {
  return events.map(event => {
    const start = `${new Date(event.at).toISOString().slice(11, 19)} ${event.type}`
    if ('object' in event) return `${start} ${event.object.kind} ${event.object.metadata.name}`
    return 'kinds' in event ? `${start} ${event.kinds.join(',')} ${event.namespaces?.join(',') ?? '*'}` : start
  })
}

const read = async (...paths: string[]) => {
  const { events, problems } = await readSnapshots(paths)
  expect(problems).toEqual([])
  return brief(events)
}

const POD = object('Pod', 'a', '10:00:00')
const OTHER_POD = object('Pod', 'b', '10:00:05', 'bank')
const NODE = object('Node', 'n', '10:00:07', null)
const WHOLE = [
  '10:00:07 LIST_START Pod,Node *',
  '10:00:07 ADDED Pod a',
  '10:00:07 ADDED Pod b',
  '10:00:07 ADDED Node n',
  '10:00:07 LIST_END Pod,Node *'
]

describe('forms', () => {
  const items = [POD, OTHER_POD, NODE]
  const watched = (value: object) => JSON.stringify(value, null, 4)

  test.each([
    ['a list', list(...items)],
    ['lines', items.map(item => JSON.stringify(item)).join('\n')],
    ['objects one after the other', items.map(watched).join('\n')],
    ['an array', JSON.stringify(items)],
    ['a gzipped list', gzipSync(list(...items))],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\uFEFF${list(...items)}`, 'utf16le')],
    ['UTF-8 with a byte order mark', `\uFEFF${list(...items)}`],
    ['a YAML list', stringify({ apiVersion: 'v1', items, kind: 'List' }, { indentSeq: false })],
    ['an indented YAML list', stringify({ apiVersion: 'v1', items, kind: 'List' })],
    ['YAML documents', items.map(item => stringify(item)).join('---\n')],
    ['events of a watch', items.map(item => watched({ type: 'ADDED', object: item })).join('\n')],
    ['a warning before it', `Warning: v1 Foo is deprecated\n${list(...items)}`]
  ])('%s is one list', async (name, content) => {
    const { events, problems, objects } = await readSnapshots([file(content)])
    expect(brief(events)).toEqual(WHOLE)
    expect(objects).toBe(3)
    expect(problems.length).toBe(name.startsWith('a warning') ? 1 : 0)
  })

  test('a list of many chunks', async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => object('Pod', `pod-${i}`, '10:00:00', `ns-${i % 7}`))
    const { events, problems } = await readSnapshots([file(list(...many))])
    expect(problems).toEqual([])
    expect(events).toHaveLength(3_002)
    expect(events[1_500]).toMatchObject({ object: { metadata: { name: 'pod-1499' } } })
  })

  test('items of a list of one kind take theirs from it, and an empty one says that there is none', async () => {
    const metrics = { metadata: { name: 'a', namespace: 'shop' }, timestamp: '2025-01-01T10:00:00Z', containers: [] }
    const raw = JSON.stringify({ kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', items: [metrics] })
    expect(await read(file(raw))).toEqual([
      '10:00:00 LIST_START PodMetrics shop',
      '10:00:00 ADDED PodMetrics a',
      '10:00:00 LIST_END PodMetrics shop'
    ])
    const empty = '{"kind":"NetworkPolicyList","apiVersion":"networking.k8s.io/v1","items":[]}'
    const pods = file(list(POD, OTHER_POD))
    expect(await read(pods, file(empty))).toEqual([
      '10:00:05 LIST_START Pod,NetworkPolicy *',
      '10:00:05 ADDED Pod a',
      '10:00:05 ADDED Pod b',
      '10:00:05 LIST_END Pod,NetworkPolicy *'
    ])
  })

  test('one object alone does not say that there are no others', async () => {
    expect(await read(file(JSON.stringify(POD)))).toEqual(['10:00:00 ADDED Pod a'])
  })

  test('a list of one namespace says nothing of others, but all of the nodes', async () => {
    expect(await read(file(list(POD, NODE)))).toEqual([
      '10:00:07 LIST_START Node *',
      '10:00:07 ADDED Node n',
      '10:00:07 LIST_END Node *',
      '10:00:07 LIST_START Pod shop',
      '10:00:07 ADDED Pod a',
      '10:00:07 LIST_END Pod shop'
    ])
  })

  test('an answer of the API instead of a list says what could not be read', async () => {
    const status =
      '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods is forbidden","details":{"kind":"pods"}}'
    const { events } = await readSnapshots([file(list(NODE)), file(status)])
    expect(events[0]).toMatchObject({ kinds: ['Node'], unreadable: { Pod: 'pods is forbidden' } })
  })
})

describe('recordings', () => {
  test('a watch begins with a list, and goes on by the newest time seen', async () => {
    const changed = {
      ...POD,
      status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T10:01:00Z' }] }
    }
    const late = object('Pod', 'c', '10:02:00')
    const content = [POD, OTHER_POD, changed, late, POD].map(one => JSON.stringify(one, null, 4)).join('\n')
    const want = [
      '10:00:05 LIST_START Pod *',
      '10:00:05 ADDED Pod a',
      '10:00:05 ADDED Pod b',
      '10:00:05 LIST_END Pod *',
      '10:01:00 MODIFIED Pod a',
      '10:02:00 ADDED Pod c',
      '10:02:00 MODIFIED Pod a'
    ]
    expect(await read(file(content))).toEqual(want)
    const types = ['ADDED', 'ADDED', 'MODIFIED', 'ADDED', 'DELETED']
    const events = [POD, OTHER_POD, changed, late, POD].map((one, i) => JSON.stringify({ type: types[i], object: one }))
    expect(await read(file(events.join('\n')))).toEqual([...want.slice(0, -1), '10:02:00 DELETED Pod a'])
  })

  test('our own record comes back as it was, filtered', async () => {
    const list = {
      at: at('10:00:00'),
      kinds: ['Pod', 'Gateway'],
      unreadable: { Secret: 'forbidden', x: 'y' },
      namespaces: null
    }
    const lines = [
      { ...list, type: 'LIST_START' },
      {
        at: at('10:00:00'),
        type: 'ADDED',
        object: { ...POD, spec: { containers: [{ name: 'a', env: [{ name: 'P', value: 'Hidden1' }] }] } }
      },
      { ...list, type: 'LIST_END' },
      { at: at('10:00:02'), type: 'HEARTBEAT' },
      { at: at('10:00:03'), type: 'GAP_START', kind: null },
      { at: at('10:00:04'), type: 'GAP_END', kind: 'Pod' },
      { at: '2025-01-01T10:00:05Z', type: 'DELETED', object: POD }
    ]
    const { events } = await readSnapshots([file(lines.map(line => JSON.stringify(line)).join('\n'))])
    expect(brief(events)).toEqual([
      '10:00:00 LIST_START Pod *',
      '10:00:00 ADDED Pod a',
      '10:00:00 LIST_END Pod *',
      '10:00:02 HEARTBEAT',
      '10:00:03 GAP_START',
      '10:00:04 GAP_END',
      '10:00:05 DELETED Pod a'
    ])
    expect(events[0]).toMatchObject({ kinds: ['Pod'], unreadable: { Secret: 'forbidden' } })
    expect(JSON.stringify(events)).not.toContain('Hidden1')
  })

  test('a recorded list without its end misses nothing', async () => {
    const start = { at: at('10:00:00'), type: 'LIST_START', kinds: ['Pod'], unreadable: {}, namespaces: null }
    const lines = [start, { at: at('10:00:01'), type: 'ADDED', object: POD }]
    expect(await read(file(lines.map(line => JSON.stringify(line)).join('\n')))).toEqual(['10:00:01 ADDED Pod a'])
  })

  test('an audit log', async () => {
    const line = (verb: string, time: string, responseObject: object, rest: object = {}) => ({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      stage: 'ResponseComplete',
      verb,
      objectRef: { resource: 'services', namespace: 'shop', name: 's', apiVersion: 'v1' },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: `2025-01-01T${time}.000000Z`,
      stageTimestamp: `2025-01-01T${time}.100000Z`,
      responseObject,
      ...rest
    })
    const leaving = {
      ...POD,
      metadata: { ...POD.metadata, deletionTimestamp: '2025-01-01T10:00:40Z', deletionGracePeriodSeconds: 30 }
    }
    const gone = { ...POD, metadata: { ...leaving.metadata, deletionGracePeriodSeconds: 0 } }
    const success = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Success',
      details: { name: 's', kind: 'services', uid: 'u' }
    }
    const lines = [
      line('create', '10:00:00', POD),
      line('patch', '10:00:01', POD, { stage: 'RequestReceived' }),
      line('patch', '10:00:02', POD),
      line('update', '10:00:03', success, { responseStatus: { code: 409 } }),
      line('list', '10:00:04', { kind: 'PodList' }),
      line('delete', '10:00:10', leaving),
      line('delete', '10:00:41', gone),
      line('delete', '10:00:50', success)
    ]
    const { events, leftOut, problems } = await readSnapshots([file(lines.map(one => JSON.stringify(one)).join('\n'))])
    expect(brief(events)).toEqual([
      '10:00:00 ADDED Pod a',
      '10:00:02 MODIFIED Pod a',
      '10:00:10 MODIFIED Pod a',
      '10:00:41 DELETED Pod a',
      '10:00:50 DELETED Service s'
    ])
    expect({ leftOut, problems }).toEqual({ leftOut: 3, problems: [] })
  })
})

describe('several files', () => {
  const services = list(object('Service', 's', '01:00:00'), object('Service', 's', '01:00:00', 'bank'))

  test('of one collection are one list, whatever their order', async () => {
    const paths = [file(list(POD, OTHER_POD)), file(list(NODE)), file(services)]
    const first = await read(...paths)
    expect(first.filter(line => line.includes('LIST'))).toEqual([
      '10:00:07 LIST_START Node,Pod,Service *',
      '10:00:07 LIST_END Node,Pod,Service *'
    ])
    expect((await read(...paths.reverse())).sort()).toEqual(first.sort())
  })

  test('with times of their own are replayed in order', async () => {
    const later = list(object('Pod', 'a', '11:00:00'), object('Node', 'n', '11:30:00', null))
    const events = await read(file(later, '2025-02-01T00:00:00Z'), file(list(POD, NODE)))
    expect(events.filter(line => line.includes('LIST_START'))).toEqual([
      '10:00:07 LIST_START Node *',
      '10:00:07 LIST_START Pod shop',
      '11:30:00 LIST_START Node *',
      '11:30:00 LIST_START Pod shop'
    ])
  })

  test('two collections in four files, copied in one second', async () => {
    const second = [
      list(object('Pod', 'a', '11:59:00'), object('Pod', 'b', '09:00:00', 'bank')),
      list(object('Node', 'n', '12:00:00', null))
    ]
    const events = await read(...[list(POD, OTHER_POD), ...second, list(NODE)].map(content => file(content)))
    expect(events.filter(line => line.includes('LIST_START'))).toEqual([
      '10:00:07 LIST_START Node,Pod *',
      '12:00:00 LIST_START Node,Pod *'
    ])
  })

  test('one kind of two namespaces is one collection', async () => {
    const events = await read(file(list(POD)), file(list(OTHER_POD)))
    expect(events.filter(line => line.includes('LIST_START')).sort()).toEqual([
      '10:00:05 LIST_START Pod bank',
      '10:00:05 LIST_START Pod shop'
    ])
  })

  test('lists appended to one file are as many snapshots', async () => {
    const content = list(POD, NODE) + list(object('Pod', 'b', '10:20:00'), object('Node', 'n', '10:30:00', null))
    const events = await read(file(content))
    expect(events.filter(line => line.includes('LIST_START Node'))).toEqual([
      '10:00:07 LIST_START Node *',
      '10:30:00 LIST_START Node *'
    ])
  })

  test('`now` is when the newest was taken; without any time in it the time of the file', async () => {
    const { events } = await readSnapshots([file(list(POD, OTHER_POD))], { nowMs: at('13:00:00') })
    expect(events.every(event => event.at === at('13:00:00'))).toBe(true)
    const timeless = { kind: 'Service', apiVersion: 'v1', metadata: { name: 's', namespace: 'shop' } }
    expect(await read(file(list(timeless), '2025-01-01T15:00:00Z'))).toContain('15:00:00 ADDED Service s')
  })

  test('a time in the future is no time of collection: grace periods, ends of certificates', async () => {
    const metadata = { ...POD.metadata, deletionTimestamp: '2025-01-01T10:10:00Z', deletionGracePeriodSeconds: 590 }
    const certificate = {
      kind: 'Certificate',
      metadata: { name: 'c', namespace: 'shop' },
      status: { notAfter: '2026-01-01T00:00:00Z' }
    }
    expect(await read(file(list({ ...POD, metadata }, certificate)))).toContain('10:00:10 ADDED Pod a')
  })
})

describe('what is no snapshot', () => {
  test.each([
    [
      'text',
      '2025/01/01 10:00:00 [error] 31#31: *1 connect() failed\n',
      /no Kubernetes objects in it; expected what `kubectl get/
    ],
    ['nothing', '', /no Kubernetes objects/],
    ['other JSON', '{"log":"x"}\n{"log":"y"}', /no Kubernetes objects/],
    ['other YAML', 'sink:\n  kind: embedded\nkind: 7\n', /no Kubernetes objects/],
    ['a cut list', list(POD, OTHER_POD).slice(0, -250), /one value is cut off or damaged; the rest was read/],
    ['a cut gzip file', gzipSync(list(POD, OTHER_POD)).subarray(0, -10), /gzip data ends too early/]
  ])('%s says so by name', async (_name, content, message) => {
    const path = file(content)
    const { problems } = await readSnapshots([path])
    expect(problems.map(problem => problem.message)).toEqual([expect.stringMatching(message)])
    expect(problems[0]!.message).toContain(path)
  })

  test('a list that was cut off does not say that the rest is gone', async () => {
    const { events } = await readSnapshots([file(list(POD, OTHER_POD).slice(0, -250))])
    expect(brief(events)).toEqual(['10:00:00 ADDED Pod a'])
  })

  test('a file that is not there leaves the others', async () => {
    const { events, problems } = await readSnapshots([join(folder, 'none.json'), file(JSON.stringify(POD))])
    expect(problems.map(problem => problem.code)).toEqual(['WHY5XX_INPUT_UNREADABLE'])
    expect(brief(events)).toEqual(['10:00:00 ADDED Pod a'])
  })

  test('a kind with an object that cannot be read is not said to be complete', async () => {
    const broken = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'p', namespace: 'bank' },
      spec: { ingress: 7 }
    }
    const gateway = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'g' } }
    const { events, leftOut, unknownKinds } = await readSnapshots([file(list(POD, OTHER_POD, broken, gateway))])
    expect(brief(events)[0]).toBe('10:00:05 LIST_START Pod *')
    expect({ leftOut, unknownKinds: [...unknownKinds] }).toEqual({ leftOut: 1, unknownKinds: [['Gateway', 1]] })
  })

  test('what nests deep is read to its end', async () => {
    const depth = 100_000
    const deep = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","x":${'['.repeat(depth)}${']'.repeat(depth)}}}`
    const { events } = await readSnapshots([file(deep)])
    expect(events).toMatchObject([{ object: { kind: 'Pod', metadata: { name: 'a' } } }])
    const yaml = await readSnapshots([file(`kind: Pod\napiVersion: v1\nmetadata: ${'['.repeat(20_000)}\n`)])
    expect(yaml.events).toEqual([])
    expect(yaml.problems).toHaveLength(1)
  })

  test('aliases of YAML do not multiply', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`)
    const bomb = `kind: Pod\napiVersion: v1\nmetadata: {name: a}\nl0: &l0 [x,x,x]\n${levels.join('\n')}\n`
    const { events, problems } = await readSnapshots([file(bomb)])
    expect(events).toEqual([])
    expect(problems).toHaveLength(1)
  })
})
