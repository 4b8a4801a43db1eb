import { expect, test } from 'vitest'
import { groupsOf, isOpenGroup, regroup } from '../../src/alert/grouping.ts'
import type { Incident } from '../../src/alert/incident.ts'
import { atMs, incident } from './samples.ts'

const TOLD = { pager: { state: 'open', atMs: 0, failures: 1 } } as const

function on(service: string, start: number, changes: Partial<Incident> = {}): Incident {
  return incident({
    id: `${service} ${changes.cause ?? 'connection_refused'}`,
    upstream: `shop-${service}-80`,
    service: `shop/${service}`,
    startMs: atMs(start),
    detectedMs: atMs(start + 2),
    ...changes
  })
}

/** `head: member, member` of every group that is told. */
function grouped(incidents: Incident[], controllers = 2): string[] {
  regroup(incidents, controllers)
  return groupsOf(incidents).map(({ head, members }) => [head.id, ...members.map(({ id }) => id)].join(': '))
}

const timeout = { cause: 'connect_timeout' } as const
const onNode = (node: string, count = 40): Partial<Incident> => ({ nodes: [[node, count]] })

test.each<[string, Incident[], string[]]>([
  [
    'causes of a service within five minutes',
    [on('a', 0), on('a', 5, timeout)],
    ['a connection_refused: a connect_timeout']
  ],
  ['six minutes apart', [on('a', 0), on('a', 6, timeout)], ['a connection_refused', 'a connect_timeout']],
  ['two services', [on('a', 0), on('b', 0)], ['a connection_refused', 'b connection_refused']],
  [
    'nobody heads who is told nowhere',
    [on('a', 0, { cause: 'client_closed', severity: 'none' }), on('a', 2)],
    ['a connection_refused: a client_closed']
  ],
  ['and alone is no group', [on('a', 0, { cause: 'client_closed', severity: 'none' })], []],
  [
    'one cause on three services',
    [on('a', 0), on('b', 3), on('c', 5)],
    ['a connection_refused: b connection_refused: c connection_refused']
  ],
  [
    'the third comes too late',
    [on('a', 0), on('b', 3), on('c', 6)],
    ['a connection_refused', 'b connection_refused', 'c connection_refused']
  ],
  [
    'one node, three causes',
    [
      on('a', 0, onNode('n')),
      on('b', 1, { ...timeout, ...onNode('n') }),
      on('c', 2, { cause: 'read_timeout', ...onNode('n', 33) })
    ],
    ['a connection_refused: b connect_timeout: c read_timeout']
  ],
  [
    'not most of them',
    [
      on('a', 0, onNode('n')),
      on('b', 1, { ...timeout, ...onNode('n') }),
      on('c', 2, { cause: 'read_timeout', ...onNode('n', 32) })
    ],
    ['a connection_refused', 'b connect_timeout', 'c read_timeout']
  ],
  [
    'a service group goes along',
    [on('a', 0), on('b', 0), on('b', 1, timeout), on('c', 1)],
    ['a connection_refused: b connection_refused: b connect_timeout: c connection_refused']
  ]
])('%s', (_name, incidents, want) => {
  const groups = grouped(incidents)
  expect(groups.map(text => text.split(': ').sort())).toEqual(want.map(text => text.split(': ').sort()))
  expect(groups.map(text => text.split(': ')[0])).toEqual(want.map(text => text.split(': ')[0]))
})

test('what it is by', () => {
  const byCause = [on('a', 0), on('b', 0), on('c', 0)]
  grouped(byCause)
  expect(byCause[0]?.group).toEqual({ by: 'cause', key: 'connection_refused' })
  const byService = [on('a', 0), on('a', 0, timeout)]
  grouped(byService)
  expect(byService.find(({ parent }) => parent === null)?.group).toEqual({ by: 'service', key: 'shop-a-80' })
  const byNode = [on('a', 0, onNode('n')), on('b', 0, onNode('n')), on('c', 0, onNode('n'))]
  grouped(byNode)
  expect(byNode[0]?.group).toEqual({ by: 'node', key: 'n' })
})

test('one controller says something only where another one serves', () => {
  const made = (cause: Incident['cause'], service: string) =>
    on(service, 0, { cause, controllers: [['ingress-nginx/a', 40]] })
  const three = () => [made('lua_error', 'a'), made('read_timeout', 'b'), made('connect_timeout', 'c')]
  expect(grouped(three(), 1)).toHaveLength(3)
  const incidents = three()
  expect(grouped(incidents, 2)).toHaveLength(1)
  expect(incidents[0]?.group).toEqual({ by: 'controller', key: 'ingress-nginx/a' })
})

test('what was told by itself stays so while it is open; new ones join', () => {
  const incidents = [on('a', 0, { told: TOLD }), on('b', 1, { told: TOLD }), on('c', 2)]
  expect(grouped(incidents)).toEqual(['a connection_refused: c connection_refused', 'b connection_refused'])
  // As long as the group is open, whenever they begin.
  incidents.push(on('d', 30))
  expect(grouped(incidents)[0]).toBe('a connection_refused: c connection_refused: d connection_refused')
})

test('who was told first heads a service, though another cause began earlier', () => {
  const incidents = [on('a', 0, timeout), on('a', 2, { told: TOLD })]
  expect(grouped(incidents)).toEqual(['a connection_refused: a connect_timeout'])
})

test('parents stay what they are', () => {
  const incidents = [on('a', 0, timeout), on('a', 2), on('b', 0), on('c', 1)]
  const first = grouped(incidents)
  expect(first[0]).toBe('a connect_timeout: b connection_refused: c connection_refused: a connection_refused')
  const parents = incidents.map(({ parent }) => parent)
  incidents[2]!.nodes = [['n', 41]]
  incidents[3]!.nodes = [['n', 41]]
  incidents.push(on('d', 3, { ...onNode('n', 41), cause: 'read_timeout' }))
  expect(grouped(incidents)).toEqual([...first, 'd read_timeout'])
  expect(incidents.slice(0, 4).map(({ parent }) => parent)).toEqual(parents)
  expect(regroup(incidents, 2).size).toBe(0)
})

test('a group is open while any of it is', () => {
  const ended = { state: 'resolved', endMs: atMs(9) } as const
  const [head, member] = [on('a', 0, ended), on('a', 1, timeout)]
  expect(isOpenGroup({ head, members: [member] })).toBe(true)
  expect(isOpenGroup({ head, members: [{ ...member, ...ended }] })).toBe(false)
})

test('nothing joins what has ended', () => {
  const ended = { state: 'resolved', endMs: atMs(4) } as const
  expect(grouped([on('a', 0, ended), on('a', 4, timeout)])).toHaveLength(2)
})
