/** A node that only says that it lives has one version, with its newest heartbeat. */
import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { Node } from '../../src/cluster/objects.ts'

const at = (second: number): string => new Date(second * 1_000).toISOString()

function node(status: string, changed: number, heartbeat: number, taint?: string): Node {
  return {
    kind: 'Node',
    metadata: { name: 'worker-1', uid: 'n1', creationTimestamp: at(0), resourceVersion: `${changed}-${heartbeat}` },
    spec: taint === undefined ? {} : { taints: [{ key: taint }] },
    status: {
      conditions: [{ type: 'Ready', status, lastTransitionTime: at(changed), lastHeartbeatTime: at(heartbeat) }]
    }
  }
}

test.each<[string, Node[], [number, number][]]>([
  ['heartbeats alone', [node('True', 1, 10), node('True', 1, 310), node('True', 1, 610)], [[10, 610]]],
  [
    'a change between them',
    [
      node('True', 1, 10),
      node('True', 1, 310),
      node('Unknown', 350, 310),
      node('True', 700, 710),
      node('True', 700, 1_010)
    ],
    [
      [10, 310],
      [350, 310],
      [710, 1_010]
    ]
  ],
  [
    'a taint',
    [node('True', 1, 10), node('True', 1, 310, 'drain')],
    [
      [10, 10],
      [310, 310]
    ]
  ]
])('%s', (_name, nodes, want) => {
  const state = openClusterState()
  for (const object of nodes) {
    const ready = object.status!.conditions![0]!
    const seen = Math.max(Date.parse(ready.lastHeartbeatTime!), ready.status === 'Unknown' ? 350_000 : 0)
    state.apply({ at: seen, type: 'MODIFIED', object })
  }
  const [history] = state.named('Node', '', 'worker-1')
  const found = history!.versions.map(({ atMs, object }) => [
    atMs / 1_000,
    Date.parse(object.status!.conditions![0]!.lastHeartbeatTime!) / 1_000
  ])
  expect(found).toEqual(want)
})
