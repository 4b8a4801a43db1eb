/** Pods that go: `termination_race` and `grace_period_too_short`. */

import { type DiagnosisCase, ref, type Shop, type ShopOptions, shopCase } from '../support/caseBuilder.ts'
import { DAY } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }

function deletionCase(
  id: string,
  title: string,
  variant: string,
  tell: (shop: Shop, pod: PodObject) => string[],
  options: ShopOptions = {}
): DiagnosisCase {
  return shopCase(
    id,
    title,
    shop => {
      const [pod] = shop.pods
      const cited = tell(shop, pod)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        variant,
        ref: ref(pod),
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`, `${ref(pod)} lifecycle=absent`, ...cited],
        must_not: ['stale_endpoints', 'app_crash', 'pod_evicted', 'readiness_failing']
      }
    },
    { ...APP, ...options }
  )
}

export const CASES: DiagnosisCase[] = [
  deletionCase('race-rollout', 'an old pod of a rollout stops to listen first', 'rollout', (shop, pod) => {
    const next = shop.addReplicaSet(shop.workload, { created: -40, replicas: 2 })
    shop.addPod(next, { created: -38, ready: -6 })
    shop.addPod(next, { created: -5, ready: 30 })
    shop.replicaSet!.spec.replicas = 0
    const message = `Scaled down replica set ${shop.replicaSet!.metadata.name} to 1 from 2`
    shop.addEvent(shop.workload, 'ScalingReplicaSet', message, {
      first: -4,
      type: 'Normal',
      by: 'deployment-controller'
    })
    shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -4, container: 'app', type: 'Normal' })
    shop.comesAndGoes(pod, -4, 2)
    return []
  }),

  deletionCase(
    'race-scale-in',
    'the autoscaler takes a pod away',
    'scale_in',
    (shop, pod) => {
      shop.workload.spec.replicas = 2
      shop.replicaSet!.spec.replicas = 2
      const name = shop.replicaSet!.metadata.name
      const message = `Scaled down replica set ${name} to 2 from 3`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', message, {
        first: -3,
        type: 'Normal',
        by: 'deployment-controller'
      })
      shop.addEvent(shop.replicaSet!, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, {
        first: -3,
        type: 'Normal'
      })
      shop.comesAndGoes(pod, -3, 1)
      return []
    },
    { replicas: 3 }
  ),

  deletionCase('race-drain', 'the node is drained', 'drain', (shop, pod) => {
    shop.tell(pod, 'DisruptionTarget', 'True', -2, 'EvictionByEvictionAPI', 'Eviction API: evicting')
    Object.assign(shop.nodeOf(pod).spec, { unschedulable: true })
    shop.comesAndGoes(pod, -2, 4)
    return [`${ref(pod)} conditions[DisruptionTarget].reason=EvictionByEvictionAPI`]
  }),

  deletionCase(
    'race-manual',
    'somebody deleted the pod; its StatefulSet makes it anew',
    'manual',
    (shop, pod) => {
      shop.comesAndGoes(pod, -6, -1)
      const again = shop.addPod(shop.workload, { index: 0, generation: 1, created: 0, ready: 20 })
      shop.saw('ADDED', again, 0)
      return []
    },
    { kind: 'StatefulSet' }
  ),

  shopCase(
    'race-short-sleep',
    'a preStop of two seconds is too short',
    shop => {
      const [pod] = shop.pods
      shop.deletes(pod, -5)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`, `${ref(pod)} lifecycle.preStop`],
        must_not: ['stale_endpoints', 'app_not_listening']
      }
    },
    { containers: [webContainer('app', { lifecycle: { preStop: { exec: { command: ['sleep', '2'] } } } })], now: 5 }
  ),

  shopCase(
    'race-cut',
    'a short request is cut: the server ends at SIGTERM without draining',
    shop => {
      const [pod] = shop.pods
      shop.deletes(pod, -1)
      shop.ends(pod, { reason: 'Error', exitCode: 143, at: 0 })
      shop.fails('premature_close', pod, { detail: { request_time: '2.300', upstream_response_time: '2.300' } })
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['grace_period_too_short', 'app_crash', 'oom_killed', 'keepalive_mismatch']
      }
    },
    { ...APP, now: 4 }
  ),

  shopCase(
    'race-event-only',
    'nothing tells the deletion but an event and that the pod went',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.addEvent(pod, 'Killing', 'Stopping container app', { first: -3, container: 'app', type: 'Normal' })
      shop.sawGo(pod, 2)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`Event ${ref(pod)} message~Stopping container`],
        must_not: ['stale_endpoints', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'race-unreachable',
    'its network is taken down while nginx still connects',
    shop => {
      const pod = shop.pods[1]!
      shop.comesAndGoes(pod, -7, -2)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['node_not_ready', 'stale_endpoints', 'node_network_failure', 'pod_evicted']
      }
    },
    APP
  ),

  shopCase(
    'race-later',
    'it was deleted half a minute after it had run out of memory',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -2, up: 1, ready: 12 })
      shop.deletes(pod, 30)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['termination_race', 'stale_endpoints']
      }
    },
    { ...APP, now: 40 }
  ),

  shopCase(
    'grace-137',
    'a download of 45 s meets SIGKILL at the end of 30 s',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -30)
      shop.saw('MODIFIED', pod, -30)
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: 0 })
      shop.saw('MODIFIED', pod, 1)
      shop.sawGo(pod, 2)
      shop.fails('premature_close', pod, { detail: { request_time: '45.010', upstream_response_time: '45.010' } })
      return {
        root_cause: 'grace_period_too_short',
        must_cite: [`${ref(pod)} exitCode=137`],
        must_not: ['termination_race', 'oom_killed', 'app_crash', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'grace-event',
    'the kubelet says that the grace period ran out',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -60, 60)
      shop.saw('MODIFIED', pod, -60)
      const message = 'Container runtime did not kill the pod within specified grace period.'
      shop.addEvent(pod, 'ExceededGracePeriod', message, { first: 0 })
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: 0 })
      shop.sawGo(pod, 1)
      shop.fails('connection_reset', pod, { detail: { request_time: '61.500', upstream_response_time: '61.500' } })
      return {
        root_cause: 'grace_period_too_short',
        must_cite: [`Event ${ref(pod)} reason=ExceededGracePeriod`],
        must_not: ['termination_race', 'app_crash', 'oom_killed']
      }
    },
    { ...APP, kind: 'StatefulSet' }
  ),

  shopCase(
    'grace-hook',
    'its preStop hook failed, and the kubelet went on to kill',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -20, 60)
      shop.saw('MODIFIED', pod, -20)
      shop.addEvent(pod, 'FailedPreStopHook', 'PreStopHook failed', { first: -1, container: 'app' })
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: 0 })
      shop.saw('MODIFIED', pod, 1)
      shop.sawGo(pod, 2)
      shop.fails('premature_close', pod, { detail: { request_time: '28.400', upstream_response_time: '28.400' } })
      return {
        root_cause: 'grace_period_too_short',
        must_cite: [`Event ${ref(pod)} reason=FailedPreStopHook`],
        must_not: ['termination_race', 'app_crash', 'oom_killed']
      }
    },
    { containers: [webContainer('app', { lifecycle: { preStop: { exec: { command: ['/bin/drain'] } } } })] }
  ),

  shopCase(
    'grace-new-request',
    'the request began long after the endpoint should have been gone',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      shop.deletes(pod, -30)
      shop.saw('MODIFIED', pod, -30)
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: 0 })
      shop.sawGo(pod, 2)
      shop.fails('premature_close', pod, { detail: { request_time: '5.010', upstream_response_time: '5.010' } })
      return {
        root_cause: 'undetermined',
        must_not: ['grace_period_too_short', 'termination_race', 'app_crash', 'oom_killed']
      }
    },
    APP
  )
]
