/** Nodes, and autoscalers at their limits: what was so at that moment, and what came later. */

import { expect, test } from 'vitest'
import { ref, type Shop } from '../support/caseBuilder.ts'
import { autoscaler, type ScalerCondition } from '../support/extraObjects.ts'
import { complaintsAbout, type Told } from '../support/lifecycleVerdict.ts'
import type { AnyObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

/** The lease of a pod's node, renewed for the last time then. */
function renews(shop: Shop, seconds: number): void {
  const name = shop.pods[0].spec.nodeName!
  const metadata = { name, namespace: 'kube-node-lease', uid: `lease-${name}`, creationTimestamp: shop.at(-864_000) }
  shop.add({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: { renewTime: shop.at(seconds) }
  } as AnyObject)
}

function timesOut(shop: Shop): void {
  shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '12.000' } })
}

const CASES: Told[] = [
  [
    'found silent later: its lease was renewed for the last time before the failure',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'Ready', 'Unknown', 35, 'NodeStatusUnknown', -200)
      renews(shop, -5)
      shop.fails('connect_timeout', pod)
      const must_cite = [
        `${ref(node)} conditions[Ready].status=Unknown`,
        `Lease kube-node-lease/${node.metadata.name} spec.renewTime`
      ]
      return { root_cause: 'node_not_ready', must_cite }
    }
  ],
  [
    'found silent later, but its lease was renewed after the failure: it lived',
    shop => {
      const [pod] = shop.pods
      shop.nodeTells(pod, 'Ready', 'Unknown', 55, 'NodeStatusUnknown', -200)
      renews(shop, 12)
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_not_ready'] }
    }
  ],
  [
    'a node that was never seen proves nothing',
    shop => {
      const [pod] = shop.pods
      shop.remove(shop.nodeOf(pod))
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_not_ready'] }
    }
  ],
  [
    'a node that was never seen, and an Event that it was removed',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeOf(pod)
      const message = `Node ${node.metadata.name} event: Removing Node ${node.metadata.name} from Controller`
      shop.addEvent(node, 'RemovingNode', message, { first: -40, type: 'Normal', by: 'node-controller' })
      shop.remove(node)
      shop.fails('connect_timeout', pod)
      return { root_cause: 'node_not_ready', must_cite: [`${ref(node)} absent`] }
    }
  ],
  [
    'a node came back: that its pressures were unknown is no pressure',
    shop => {
      const [pod] = shop.pods
      for (const type of ['MemoryPressure', 'DiskPressure', 'PIDPressure']) shop.nodeTells(pod, type, 'False', 30, 'ok')
      shop.nodeTells(pod, 'Ready', 'True', 30, 'KubeletReady')
      timesOut(shop)
      return { root_cause: 'node_not_ready', must_not: ['node_pressure'], confidence_max: 0.84 }
    }
  ],
  [
    'the pressure ended after the failure: it is read backwards',
    shop => {
      shop.nodeTells(shop.pods[0], 'MemoryPressure', 'False', 30, 'KubeletHasSufficientMemory')
      timesOut(shop)
      return { root_cause: 'node_pressure', confidence_min: 0.6, confidence_max: 0.6 }
    }
  ],
  [
    'the operator of the network is no agent of a node',
    shop => {
      const [pod] = shop.pods
      const operator = shop.addWorkload('Deployment', 'cilium-operator', {
        namespace: 'kube-system',
        containers: [webContainer('operator')]
      })
      const set = shop.addReplicaSet(operator)
      shop.unready(shop.addPod(set, { node: pod.spec.nodeName! }), -60)
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_network_failure'] }
    }
  ],
  [
    'an autoscaler at its minimum is no limit',
    shop => {
      scales(shop, 'ScalingLimited', 'True', 'TooFewReplicas', -600)
      timesOut(shop)
      return { root_cause: 'undetermined', must_not: ['autoscaler_limited'] }
    }
  ],
  [
    'an autoscaler that cannot read its metrics',
    shop => {
      const hpa = scales(shop, 'ScalingActive', 'False', 'FailedGetResourceMetric', -600)
      timesOut(shop)
      return {
        root_cause: 'autoscaler_limited',
        must_cite: [`${ref(hpa)} conditions[ScalingActive].reason=FailedGetResourceMetric`]
      }
    }
  ],
  [
    'the autoscaler came to its maximum after the failure',
    shop => {
      scales(shop, 'ScalingLimited', 'True', 'TooManyReplicas', 20)
      timesOut(shop)
      return { root_cause: 'undetermined', must_not: ['autoscaler_limited'] }
    }
  ],
  [
    'the limit changed its reason without a transition: what the watch saw by then counts',
    shop => {
      const hpa = scales(shop, 'ScalingLimited', 'True', 'TooFewReplicas', -600)
      shop.saw('ADDED', hpa, -500)
      const [condition] = (hpa as unknown as { status: { conditions: object[] } }).status.conditions
      Object.assign(condition!, { reason: 'TooManyReplicas' })
      shop.saw('MODIFIED', hpa, -60)
      timesOut(shop)
      return { root_cause: 'autoscaler_limited' }
    }
  ]
]

/** An autoscaler of the shop at its maximum, with one condition. */
function scales(shop: Shop, type: ScalerCondition['type'], status: 'True' | 'False', reason: string, since: number) {
  const range = { min: 2, max: 6, current: 6, cpuPercent: 180 }
  const condition = { type, status, reason, message: reason, since: shop.at(since) }
  return shop.add(autoscaler(shop.workload, range, [condition], shop.at(-864_000)))
}

test.each(CASES)('%s', (...told) => {
  expect(complaintsAbout(told)).toEqual([])
})
