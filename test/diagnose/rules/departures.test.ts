/** Pods that go, and who is asked at their address afterwards. */

import { expect, test } from 'vitest'
import { ref, type Shop } from '../support/caseBuilder.ts'
import { complaintsAbout, type Told } from '../support/lifecycleVerdict.ts'
import { DAY, HOUR } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const ONE = { ...APP, replicas: 1 }

/** The pod is gone from all lists; what is left are its slice, or an Event about it. */
function forgets(shop: Shop, pod: PodObject, keeps: { slice: boolean }): void {
  if (keeps.slice) for (const slice of shop.slices()) shop.add(slice)
  else shop.withoutSlices(shop.service)
  shop.remove(pod)
}

const CASES: Told[] = [
  [
    'nobody saw the pod, but its slice names it and the kubelet stopped it three seconds before',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -3, container: 'app', type: 'Normal' })
      shop.fails('connection_refused', pod)
      forgets(shop, pod, { slice: true })
      return { root_cause: 'termination_race', ref: ref(pod), must_cite: [`Event ${ref(pod)} reason=Killing`] }
    },
    APP
  ],
  [
    'nobody saw the pod, the kubelet stopped it a minute before, and its slice names it still',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -60, container: 'app', type: 'Normal' })
      shop.fails('connection_refused', pod)
      forgets(shop, pod, { slice: true })
      return { root_cause: 'stale_endpoints', variant: 'slice_lag', must_cite: [`Event ${ref(pod)} reason=Killing`] }
    },
    APP
  ],
  [
    'nobody saw the pod, and its slice named it until a minute before',
    shop => {
      const [pod] = shop.pods
      shop.sawSlices(shop.service, -3600)
      shop.fails('connection_refused', pod)
      shop.remove(pod)
      shop.sawSlices(shop.service, -60)
      return { root_cause: 'stale_endpoints', variant: 'controller_lag', ref: ref(pod) }
    },
    APP
  ],
  [
    'only what a probe said tells the address of a pod that nobody saw',
    shop => {
      const [pod] = shop.pods
      const message = `Readiness probe failed: Get "http://${pod.status.podIP}:8080/ready": context deadline exceeded`
      shop.addEvent(pod, 'Unhealthy', message, { first: -2, container: 'app' })
      shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -4, container: 'app', type: 'Normal' })
      shop.fails('connection_refused', pod)
      forgets(shop, pod, { slice: false })
      return { root_cause: 'termination_race', confidence_max: 0.75 }
    },
    APP
  ],
  [
    'nobody saw the pod, and nothing tells its address: too little for an answer',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -3, container: 'app', type: 'Normal' })
      shop.fails('connection_refused', pod)
      forgets(shop, pod, { slice: false })
      return { root_cause: 'undetermined', must_not: ['termination_race'] }
    },
    APP
  ],
  [
    'a stranger of the same namespace has held the address since a minute before',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      shop.comesAndGoes(pod, -90, -60)
      const other = shop.addWorkload('Deployment', 'batch', { containers: [webContainer('app')] })
      const stranger = shop.addPod(shop.addReplicaSet(other), { created: -50, address: pod.status.podIP! })
      shop.saw('ADDED', stranger, -48)
      return { root_cause: 'stale_endpoints', ref: ref(pod), must_not: [`cite:${ref(stranger)}`] }
    },
    APP
  ],
  [
    'the last word on a deletion has a grace of 0; the container was killed at the end of 30 s',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -31)
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: -1 })
      shop.saw('MODIFIED', pod, -1)
      Object.assign(pod.metadata, { deletionTimestamp: shop.at(-31), deletionGracePeriodSeconds: 0 })
      shop.sawGo(pod, 0)
      shop.fails('premature_close', pod, { detail: { request_time: '28.400' } })
      const must_cite = [
        `${ref(pod)} state.terminated.exitCode=137`,
        `${ref(pod)} spec.terminationGracePeriodSeconds=30`
      ]
      return { root_cause: 'grace_period_too_short', must_cite, must_not: ['termination_race'] }
    },
    APP
  ],
  [
    'how the container ended was not seen: the end of its grace alone is little',
    shop => {
      const [pod] = shop.pods
      shop.comesAndGoes(pod, -30, 2)
      shop.fails('premature_close', pod, { detail: { request_time: '29.000' } })
      return { root_cause: 'grace_period_too_short', confidence_max: 0.45 }
    },
    APP
  ],
  [
    'the server ended by itself within its grace: the request was cut by it, not by the kubelet',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -12)
      shop.ends(pod, { reason: 'Completed', exitCode: 0, at: 0 })
      shop.saw('MODIFIED', pod, 0)
      shop.fails('premature_close', pod, { detail: { request_time: '11.000' } })
      return { root_cause: 'undetermined', must_not: ['grace_period_too_short', 'termination_race', 'app_crash'] }
    },
    APP
  ],
  [
    'evicted pods of last week lie about; today no pod gets a node',
    shop => {
      const [pod] = shop.pods
      for (const days of [7, 6, 5]) {
        const old = shop.addPod(shop.replicaSet!, { created: -(days + 1) * DAY })
        shop.evicts(old, -days * DAY, 'The node was low on resource: memory.')
      }
      shop.unschedulable(pod, -600, '0/3 nodes are available: 3 Insufficient cpu.')
      shop.fails('no_endpoints', null)
      return { root_cause: 'unschedulable', ref: ref(pod), must_not: ['pod_evicted'] }
    },
    { ...ONE, podsCreated: -601 }
  ],
  [
    'the last pod was preempted, and nothing has come after it',
    shop => {
      const [pod] = shop.pods
      pod.metadata.ownerReferences = []
      shop.tell(pod, 'DisruptionTarget', 'True', -120, 'PreemptionByScheduler')
      shop.comesAndGoes(pod, -120, -100)
      shop.fails('no_endpoints', null)
      const must_cite = [`${ref(pod)} status.conditions[DisruptionTarget].reason=PreemptionByScheduler`]
      return { root_cause: 'pod_evicted', ref: ref(pod), must_cite }
    },
    ONE
  ],
  [
    'it was drained an hour before, and its successor finds no node',
    shop => {
      const [pod] = shop.pods
      const old = shop.addPod(shop.replicaSet!, { created: -3 * DAY })
      shop.tell(old, 'DisruptionTarget', 'True', -HOUR, 'EvictionByEvictionAPI')
      shop.comesAndGoes(old, -HOUR, -HOUR + 30)
      shop.unschedulable(pod, -HOUR, '0/3 nodes are available: 3 Insufficient memory.')
      shop.fails('no_endpoints', null)
      return { root_cause: 'unschedulable', must_not: ['pod_evicted'] }
    },
    { ...ONE, podsCreated: -HOUR }
  ]
]

test.each(CASES)('%s', (...told) => {
  expect(complaintsAbout(told)).toEqual([])
})
