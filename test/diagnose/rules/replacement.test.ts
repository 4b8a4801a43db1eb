/** Pods that are not there yet: rollouts, scaling, refusals, volumes. */

import { expect, test } from 'vitest'
import { ref, type Shop } from '../support/caseBuilder.ts'
import { claim } from '../support/extraObjects.ts'
import { complaintsAbout, type Told } from '../support/lifecycleVerdict.ts'
import { DAY } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const ONE = { containers: [webContainer('app')], replicas: 1 }

/** The old pod is gone, and the one of the next revision comes. */
function recreates(shop: Shop, created: number, ready: number): PodObject {
  const [old] = shop.pods
  shop.remove(old)
  shop.workload.spec.strategy = { type: 'Recreate' }
  Object.assign(shop.replicaSet!.spec, { replicas: 0 })
  const fresh = shop.addPod(shop.addReplicaSet(shop.workload, { created: created - 1 }), { created, ready })
  shop.fails('no_endpoints', null)
  return fresh
}

const QUOTA =
  'Error creating: pods "app-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4'

const CASES: Told[] = [
  [
    'Recreate: the new pod is created only after the failure',
    shop => {
      const fresh = recreates(shop, 3, 20)
      return {
        root_cause: 'rollout_gap',
        must_cite: [`${ref(fresh)} conditions[Ready].lastTransitionTime=${shop.at(20)}`]
      }
    },
    ONE
  ],
  [
    'Recreate: its probe is refused while it starts, as in every start',
    shop => {
      const fresh = recreates(shop, -12, 8)
      const message = 'Readiness probe failed: dial tcp 10.244.1.1:8080: connect: connection refused'
      shop.addEvent(fresh, 'Unhealthy', message, { first: -6, last: 4, container: 'app' })
      return { root_cause: 'rollout_gap', must_not: ['readiness_failing'] }
    },
    ONE
  ],
  [
    'Recreate a day ago: what lacks now is something else',
    shop => {
      const fresh = recreates(shop, -DAY, -DAY + 20)
      shop.unready(fresh, -300)
      return { root_cause: 'undetermined', acceptable: ['readiness_failing'], must_not: ['rollout_gap', 'pod_evicted'] }
    },
    ONE
  ],
  [
    'a StatefulSet of one: its pod came back with another revision',
    shop => {
      const [old] = shop.pods
      old.metadata.labels = { ...old.metadata.labels, 'controller-revision-hash': 'a' }
      shop.comesAndGoes(old, -20, -8)
      const fresh = shop.addPod(shop.workload, { created: -7, ready: 12, index: 0, generation: 2 })
      fresh.metadata.labels = { ...fresh.metadata.labels, 'controller-revision-hash': 'b' }
      shop.fails('no_endpoints', null)
      return { root_cause: 'rollout_gap', confidence_max: 0.84 }
    },
    { ...ONE, kind: 'StatefulSet' }
  ],
  [
    'its only pod was drained, and the next was ready ten seconds too late: no rollout, but the same gap',
    shop => {
      const [old] = shop.pods
      shop.tell(old, 'DisruptionTarget', 'True', -20, 'EvictionByEvictionAPI')
      shop.comesAndGoes(old, -20, -8)
      const fresh = shop.addPod(shop.replicaSet!, { created: -19, ready: 10 })
      shop.fails('no_endpoints', null)
      const must_cite = [`${ref(fresh)} conditions[Ready].lastTransitionTime=${shop.at(10)}`]
      return { root_cause: 'rollout_gap', must_cite, must_not: ['pod_evicted'], confidence_max: 0.59 }
    },
    ONE
  ],
  [
    'it was scaled to nothing only after the failure',
    shop => {
      const down = `Scaled down replica set ${shop.replicaSet!.metadata.name} to 0 from 1`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', down, { first: 40, type: 'Normal' })
      shop.fails('no_endpoints', null)
      return { root_cause: 'undetermined', must_not: ['scaled_to_zero'] }
    },
    { ...ONE, replicas: 0 }
  ],
  [
    'an older rollout brought another ReplicaSet to 0: that does not date the scaling',
    shop => {
      const old = shop.addReplicaSet(shop.workload, { created: -20 * DAY, replicas: 0 })
      Object.assign(old.metadata.annotations ?? {}, { 'deployment.kubernetes.io/revision': '0' })
      const down = `Scaled down replica set ${old.metadata.name} to 0 from 1`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', down, { first: -600, type: 'Normal' })
      shop.fails('no_endpoints', null)
      return { root_cause: 'scaled_to_zero', confidence_min: 0.75, confidence_max: 0.75 }
    },
    { ...ONE, replicas: 0 }
  ],
  [
    'the controller pauses between refusals: the last came five minutes before',
    shop => {
      for (const pod of shop.pods) shop.remove(pod)
      shop.addEvent(shop.replicaSet!, 'FailedCreate', QUOTA, { first: -900, last: -300 })
      shop.fails('no_endpoints', null)
      return { root_cause: 'pod_creation_blocked', variant: 'quota', confidence_max: 0.84 }
    },
    ONE
  ],
  [
    'a third pod is refused, but the two that there are do not get a node',
    shop => {
      for (const pod of shop.pods) shop.unschedulable(pod, -600, '0/3 nodes are available: 3 Insufficient cpu.')
      shop.addEvent(shop.replicaSet!, 'FailedCreate', QUOTA, { first: -900, last: 15 })
      shop.fails('no_endpoints', null)
      return { root_cause: 'unschedulable', must_not: ['pod_creation_blocked'] }
    },
    { containers: [webContainer('app')], replicas: 2, podsCreated: -601 }
  ],
  [
    'a claim that waits for its first consumer: what lacks is CPU',
    shop => {
      const [pod] = shop.pods
      shop.add(claim(shop.namespace, 'data', 'Pending', shop.at(-601)))
      Object.assign(pod.spec, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
      shop.unschedulable(pod, -600, '0/3 nodes are available: 3 Insufficient cpu.')
      shop.fails('no_endpoints', null)
      return { root_cause: 'unschedulable', must_not: ['volume_unavailable'] }
    },
    { ...ONE, podsCreated: -601 }
  ],
  [
    'a mount times out because its ConfigMap is missing: no volume is to blame',
    shop => {
      const [pod] = shop.pods
      shop.waitsFor([pod], 'ContainerCreating')
      const lacks = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
      shop.addEvent(pod, 'FailedMount', lacks, { first: -500, last: 10 })
      const echo =
        'Unable to attach or mount volumes: unmounted volumes=[settings]: timed out waiting for the condition'
      shop.addEvent(pod, 'FailedMount', echo, { first: -400, last: 20 })
      shop.fails('no_endpoints', null)
      return { root_cause: 'undetermined', acceptable: ['config_missing'], must_not: ['volume_unavailable'] }
    },
    { ...ONE, podsCreated: -601 }
  ],
  [
    'the network came in the end: its containers ran, whatever the Event said before',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'FailedCreatePodSandBox', 'failed to set up pod network', { first: -590, last: -580 })
      shop.unready(pod, -590)
      shop.fails('no_endpoints', null)
      return { root_cause: 'undetermined', acceptable: ['readiness_failing'], must_not: ['pod_sandbox_failed'] }
    },
    { ...ONE, podsCreated: -601 }
  ]
]

test.each(CASES)('%s', (...told) => {
  expect(complaintsAbout(told)).toEqual([])
})
