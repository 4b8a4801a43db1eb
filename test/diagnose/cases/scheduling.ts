/** Pods that find no place, no volume or no network, or lose theirs: `unschedulable`, `volume_unavailable`, `pod_sandbox_failed`, `pod_evicted`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { claim } from '../support/extraObjects.ts'
import { DAY, HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const YOUNG = { containers: [webContainer('app')], podsCreated: -900, replicas: 1 }
const APP = { containers: [webContainer('app')] }
const LOW_MEMORY = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 71Mi.'

export const CASES: DiagnosisCase[] = [
  shopCase(
    'place-memory',
    'no node has enough memory',
    shop => {
      const message = '0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available'
      for (const pod of shop.pods) {
        shop.unschedulable(pod, -899, message)
        shop.addEvent(pod, 'FailedScheduling', message, { first: -899, last: 8, by: 'default-scheduler' })
      }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'unschedulable',
        must_cite: [`${ref(shop.pods[0])} conditions[PodScheduled].reason=Unschedulable`],
        must_not: [
          'volume_unavailable',
          'scaled_to_zero',
          'readiness_failing',
          'selector_mismatch',
          'pod_creation_blocked'
        ]
      }
    },
    { ...YOUNG, replicas: 2 }
  ),

  shopCase(
    'place-taint',
    'no node tolerates it; a StatefulSet',
    shop => {
      const [pod] = shop.pods
      shop.unschedulable(pod, -899, '0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: batch}.')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'unschedulable',
        must_cite: [`${ref(pod)} conditions[PodScheduled].status=False`],
        must_not: ['rollout_gap', 'node_not_ready', 'pod_evicted']
      }
    },
    { ...YOUNG, kind: 'StatefulSet' }
  ),

  shopCase(
    'place-volume',
    'no node can have its volume',
    shop => {
      const [pod] = shop.pods
      shop.unschedulable(pod, -899, '0/3 nodes are available: 3 node(s) had volume node affinity conflict.')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'volume_unavailable',
        must_cite: [`${ref(pod)} conditions[PodScheduled].message~volume node affinity conflict`],
        must_not: ['unschedulable', 'readiness_failing']
      }
    },
    { ...YOUNG, kind: 'StatefulSet' }
  ),

  shopCase(
    'place-after-eviction',
    'the pod that replaces an evicted one finds no node',
    shop => {
      const [pod] = shop.pods
      shop.evicts(pod, -400, LOW_MEMORY)
      const next = shop.addPod(shop.replicaSet!, { created: -399 })
      shop.unschedulable(next, -399, '0/3 nodes are available: 3 Insufficient memory.')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_evicted',
        chain: ['unschedulable'],
        must_cite: [`${ref(pod)} status.reason=Evicted`],
        must_not: ['unschedulable', 'scaled_to_zero', 'selector_mismatch']
      }
    },
    { ...YOUNG, podsCreated: -DAY }
  ),

  shopCase(
    'volume-attached',
    'the disk is still attached to another node',
    shop => {
      const [pod] = shop.pods
      shop.isBeingCreated(pod)
      const message = 'Multi-Attach error for volume "pvc-5d1f" Volume is already exclusively attached to one node'
      shop.addEvent(pod, 'FailedAttachVolume', message, { first: -880, last: 12, by: 'attachdetach-controller' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'volume_unavailable',
        must_cite: [`Event ${ref(pod)} reason=FailedAttachVolume`],
        must_not: ['config_missing', 'pod_sandbox_failed', 'unschedulable', 'readiness_failing']
      }
    },
    { ...YOUNG, kind: 'StatefulSet' }
  ),

  shopCase(
    'volume-mount',
    'the file server does not answer',
    shop => {
      const [pod] = shop.pods
      shop.isBeingCreated(pod)
      const message =
        'MountVolume.SetUp failed for volume "uploads" : mount failed: exit status 32: mount.nfs: Connection timed out'
      shop.addEvent(pod, 'FailedMount', message, { first: -800, last: 12 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'volume_unavailable',
        must_cite: [`Event ${ref(pod)} reason=FailedMount`],
        must_not: ['config_missing', 'pod_sandbox_failed']
      }
    },
    YOUNG
  ),

  shopCase(
    'volume-claim',
    'the volume of its claim was deleted; the events are gone',
    shop => {
      const [pod] = shop.pods
      pod.spec.volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
      const data = shop.add(claim(shop.namespace, 'data', 'Lost', shop.at(-40 * DAY)))
      shop.isBeingCreated(pod)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'volume_unavailable',
        must_cite: [`${ref(data)} status.phase=Lost`],
        must_not: ['unschedulable', 'rollout_gap', 'config_missing', 'pod_sandbox_failed']
      }
    },
    YOUNG
  ),

  shopCase(
    'volume-of-other',
    'a claim is not bound that this pod does not use',
    shop => {
      const [pod] = shop.pods
      const other = shop.add(claim(shop.namespace, 'archive', 'Pending', shop.at(-9000)))
      shop.unschedulable(pod, -899, '0/3 nodes are available: 3 Insufficient cpu.')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'unschedulable',
        must_cite: [`${ref(pod)} conditions[PodScheduled].reason=Unschedulable`],
        must_not: ['volume_unavailable', `cite:${ref(other)}`]
      }
    },
    YOUNG
  ),

  shopCase(
    'sandbox-addresses',
    'the node has no pod addresses left',
    shop => {
      const [pod] = shop.pods
      shop.isBeingCreated(pod)
      const message =
        'Failed to create pod sandbox: plugin type="aws-cni" failed (add): failed to assign an IP address to container'
      shop.addEvent(pod, 'FailedCreatePodSandBox', message, { first: -890, last: 14 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_sandbox_failed',
        must_cite: [`Event ${ref(pod)} reason=FailedCreatePodSandBox`],
        must_not: ['volume_unavailable', 'config_missing', 'unschedulable', 'rollout_gap']
      }
    },
    YOUNG
  ),

  shopCase(
    'sandbox-network',
    'the network plugin is not there yet',
    shop => {
      for (const pod of shop.pods) {
        shop.isBeingCreated(pod)
        const message =
          'network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady'
        shop.addEvent(pod, 'NetworkNotReady', message, { first: -890, last: 14 })
      }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_sandbox_failed',
        must_cite: [`Event ${ref(shop.pods[0])} reason=NetworkNotReady`],
        must_not: ['volume_unavailable', 'readiness_failing', 'init_container_stuck']
      }
    },
    { ...YOUNG, kind: 'DaemonSet', replicas: 3 }
  ),

  shopCase(
    'sandbox-earlier',
    'the sandbox failed ten minutes ago; what lacks now is a Secret',
    shop => {
      const [pod] = shop.pods
      shop.waitsFor([pod], 'CreateContainerConfigError', "couldn't find key TOKEN in Secret shop/api")
      shop.addEvent(pod, 'FailedCreatePodSandBox', 'Failed to create pod sandbox: deadline exceeded', {
        first: -890,
        last: -700
      })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`${ref(pod)} state.waiting.reason=CreateContainerConfigError`],
        must_not: ['pod_sandbox_failed', 'volume_unavailable']
      }
    },
    YOUNG
  ),

  shopCase(
    'evicted',
    'the kubelet evicted it three seconds before',
    shop => {
      const [pod] = shop.pods
      shop.evicts(pod, -3, LOW_MEMORY)
      shop.addEvent(pod, 'Evicted', LOW_MEMORY, { first: -3 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} status.reason=Evicted`],
        must_not: ['app_crash', 'oom_killed', 'termination_race', 'node_pressure']
      }
    },
    APP
  ),

  shopCase(
    'evicted-by-taint',
    'the taint manager deletes it from a node that is going away',
    shop => {
      const pod = shop.pods[1]!
      shop.saw('ADDED', pod, -DAY)
      shop.tell(
        pod,
        'DisruptionTarget',
        'True',
        -5,
        'DeletionByTaintManager',
        'Taint manager: deleting due to NoExecute taint'
      )
      shop.deletes(pod, -5)
      shop.saw('MODIFIED', pod, -5)
      shop.sawGo(pod, 2)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} conditions[DisruptionTarget].reason=DeletionByTaintManager`],
        must_not: ['termination_race', 'stale_endpoints', 'node_network_failure']
      }
    },
    APP
  ),

  shopCase(
    'preempted',
    'it made room for a more important pod',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.tell(pod, 'DisruptionTarget', 'True', -2, 'PreemptionByScheduler', 'default-scheduler: preempting')
      shop.deletes(pod, -2)
      shop.saw('MODIFIED', pod, -2)
      shop.sawGo(pod, 3)
      shop.fails('premature_close', pod, { detail: { upstream_response_time: '0.400', request_time: '0.400' } })
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} conditions[DisruptionTarget].reason=PreemptionByScheduler`],
        must_not: ['termination_race', 'grace_period_too_short', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'preempted-long-gone',
    'the event is all that tells why it went',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.addEvent(pod, 'Preempted', 'Preempted by pod 7d1b on node worker-1', { first: -4, by: 'default-scheduler' })
      shop.sawGo(pod, 1)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'pod_evicted',
        must_cite: [`Event ${ref(pod)} reason=Preempted`],
        must_not: ['app_crash', 'app_not_listening', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'evicted-hour-ago',
    'one was evicted an hour ago and replaced since; this one is slow',
    shop => {
      const [pod, other] = shop.pods
      shop.evicts(other!, -HOUR, LOW_MEMORY)
      shop.addPod(shop.replicaSet!, { created: -HOUR + 2 })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.002' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['pod_evicted', 'node_pressure', `cite:${ref(other!)}`]
      }
    },
    APP
  ),

  shopCase(
    'drained-not-evicted',
    'an eviction through the API is a drain',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.tell(pod, 'DisruptionTarget', 'True', -3, 'EvictionByEvictionAPI', 'Eviction API: evicting')
      shop.deletes(pod, -3)
      shop.saw('MODIFIED', pod, -3)
      shop.sawGo(pod, 1)
      shop.fails('connection_reset', pod, { detail: { upstream_response_time: '1.100', request_time: '1.100' } })
      return {
        root_cause: 'termination_race',
        variant: 'drain',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['pod_evicted', 'app_crash']
      }
    },
    APP
  )
]
