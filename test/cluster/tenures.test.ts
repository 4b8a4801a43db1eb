import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { added, apiText, applyAll, deleted, gap, heartbeat, listed, modified, pod, tenureLines } from './made.ts'

const IP = '10.0.0.7'
const first = { name: 'a', uid: 'a-1', created: 0, started: 1 }
const second = { name: 'b', uid: 'b-1', created: 30 }

test.each<[string, ClusterEvent[], string[]]>([
  [
    'a watched life',
    [
      added(0, pod({ ...first, phase: 'Pending' })),
      modified(3, pod({ ...first, ip: IP })),
      deleted(20, pod({ ...first, ip: IP }))
    ],
    ['a-1 3-20']
  ],
  ['one that goes on', [added(0, pod(first)), modified(3, pod({ ...first, ip: IP }))], ['a-1 3-open']],
  ['the first list: since startTime', listed(100, [pod({ ...first, ip: IP })]), ['a-1 ~1-open']],
  [
    'the first list without startTime: since creation',
    listed(100, [pod({ name: 'a', created: 7, ip: IP })]),
    ['a ~7-open']
  ],
  ['the first list without any time: since it was seen', listed(100, [pod({ name: 'a', ip: IP })]), ['a ~100-open']],
  ['a watch that begins late is a list too', [added(100, pod({ ...first, ip: IP }))], ['a-1 ~1-open']],
  ['a change of something unknown', [modified(100, pod({ ...first, ip: IP }))], ['a-1 ~1-open']],
  ['only its end is seen', [deleted(100, pod({ ...first, ip: IP }))], ['a-1 ~1-100']],
  [
    'it ends with its phase, however long the object stays',
    [
      added(0, pod(first)),
      modified(3, pod({ ...first, ip: IP })),
      modified(10, pod({ ...first, ip: IP, phase: 'Failed' })),
      deleted(500, pod({ ...first, ip: IP, phase: 'Failed' }))
    ],
    ['a-1 3-10']
  ],
  ['over when the first list shows it', listed(100, [pod({ ...first, ip: IP, phase: 'Succeeded' })]), ['a-1 ~1-~100']],
  [
    'another address opens another tenure and closes the old',
    [
      added(0, pod(first)),
      modified(3, pod({ ...first, ip: IP })),
      modified(8, pod({ ...first, ip: '10.0.0.8' })),
      modified(9, pod({ ...first, ip: IP }))
    ],
    ['a-1 3-8', 'a-1 9-open']
  ],
  [
    'the address goes to the next pod',
    [
      added(0, pod(first)),
      modified(3, pod({ ...first, ip: IP })),
      deleted(20, pod({ ...first, ip: IP })),
      added(30, pod(second)),
      modified(31, pod({ ...second, ip: IP }))
    ],
    ['a-1 3-20', 'b-1 31-open']
  ],
  [
    'hostNetwork',
    [...listed(50, [pod({ ...first, ip: IP, hostNetwork: true }), pod({ ...second, ip: IP, hostNetwork: true })])],
    ['a-1 ~1-open host', 'b-1 ~30-open host']
  ],
  [
    'gone in a later list: until it was last seen',
    [...listed(100, [pod({ ...first, ip: IP })]), ...listed(200, [])],
    ['a-1 ~1-~100']
  ],
  [
    'gone after a gap: until the gap began',
    [
      ...listed(100, [pod({ ...first, ip: IP })]),
      heartbeat(110),
      heartbeat(120),
      ...gap(121, 150),
      ...listed(151, []),
      heartbeat(152)
    ],
    ['a-1 ~1-~121']
  ],
  [
    'gone while the watch said nothing: until the silence began',
    [...listed(100, [pod({ ...first, ip: IP })]), heartbeat(110), heartbeat(400), ...listed(401, [])],
    ['a-1 ~1-~110']
  ],
  [
    'new after a gap: since startTime',
    [...listed(10, []), ...gap(20, 60), ...listed(61, [pod({ ...second, ip: IP, started: 33 })])],
    ['b-1 ~33-open']
  ],
  [
    'another address after a gap: the old until the gap, the new not before it',
    [...listed(10, [pod({ ...first, ip: '10.0.0.6' })]), ...gap(20, 60), ...listed(61, [pod({ ...first, ip: IP })])],
    ['a-1 ~20-open']
  ],
  [
    'another uid under the same name closes the first',
    [
      ...listed(10, [pod({ name: 'a', uid: 'one', created: 0, ip: IP })]),
      added(40, pod({ name: 'a', uid: 'two', created: 39 }))
    ],
    ['one ~0-~10']
  ]
])('%s', (_name, events, want) => {
  expect(tenureLines(applyAll(openClusterState(), events), IP)).toEqual(want)
})

test('all addresses of a pod have a tenure, in any spelling', () => {
  const state = applyAll(openClusterState(), listed(100, [pod({ ...first, ips: [IP, 'FD00:0::7'] })]))
  expect(tenureLines(state, '10.0.0.7:8080')).toEqual(['a-1 ~1-open'])
  expect(tenureLines(state, '::ffff:10.0.0.7')).toEqual(['a-1 ~1-open'])
  expect(tenureLines(state, '[fd00::7]:8080')).toEqual(['a-1 ~1-open'])
  expect(tenureLines(state, 'unix:/run/app.sock')).toEqual([])
})

test('over when first seen: until its last container ended', () => {
  const over = pod({ ...first, ip: IP, phase: 'Failed' })
  over.status!.containerStatuses = [
    { name: 'app', state: { terminated: { finishedAt: apiText(40) } } },
    { name: 'proxy', state: { terminated: { finishedAt: apiText(42) } } }
  ]
  expect(tenureLines(applyAll(openClusterState(), listed(100, [over])), IP)).toEqual(['a-1 ~1-~42'])
})

test('a pod that has gone keeps its history for facts that come late', () => {
  const state = applyAll(openClusterState(), [
    added(0, pod(first)),
    modified(3, pod({ ...first, ip: IP })),
    deleted(20, pod({ ...first, ip: IP, phase: 'Failed' }))
  ])
  const [tenure] = state.tenures(IP)
  expect(tenure!.pod.versions.map(version => version.object.status?.phase)).toEqual(['Running', 'Running', 'Failed'])
  expect(tenure!.pod).toBe(state.byUid('Pod', 'a-1'))
})
