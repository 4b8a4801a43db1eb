/** What was so at the failure and is not any more, or the other way round: the watch knows. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { autoscaler } from '../support/extraObjects.ts'
import { DAY, HOUR } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const ONE = { ...APP, replicas: 1, now: 1800 }
const TIMED_OUT = { detail: { upstream_response_time: '60.001', request_time: '60.001' } }

/** The watch sees a pod in trouble at `from`; ten minutes after the failure it runs and is ready. */
function recovers(shop: Shop, pod: PodObject, from: number, trouble: () => void): void {
  const healthy = structuredClone(pod)
  trouble()
  shop.saw(from < -600 ? 'ADDED' : 'MODIFIED', pod, from)
  const isScheduledLater = pod.spec.nodeName === undefined
  Object.assign(pod, { spec: healthy.spec, status: healthy.status })
  if (isScheduledLater) {
    pod.status.startTime = shop.at(590)
    shop.tell(pod, 'PodScheduled', 'True', 590, '')
    shop.tell(pod, 'Initialized', 'True', 595, '')
  }
  pod.status.containerStatuses[0]!.state = { running: { startedAt: shop.at(600) } }
  shop.ready(pod, 610)
  shop.saw('MODIFIED', pod, 610)
}

/** A Deployment that lets all its pods go before new ones come. */
function gapCase(id: string, maxSurge: number | string, maxUnavailable: number | string): DiagnosisCase {
  return shopCase(
    id,
    `maxSurge ${maxSurge}, maxUnavailable ${maxUnavailable}`,
    shop => {
      const [old] = shop.pods
      shop.workload.spec.strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
      shop.comesAndGoes(old, -20, -14)
      Object.assign(shop.replicaSet!.spec, { replicas: 0 })
      const message = `Scaled down replica set ${shop.replicaSet!.metadata.name} to 0 from 1`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', message, {
        first: -20,
        type: 'Normal',
        by: 'deployment-controller'
      })
      const fresh = shop.addPod(shop.addReplicaSet(shop.workload, { created: -21 }), { created: -19, ready: 16 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'rollout_gap',
        must_cite: [
          `${ref(shop.workload)} rollingUpdate.maxUnavailable=${maxUnavailable}`,
          `${ref(fresh)} conditions[Ready].lastTransitionTime=${shop.at(16)}`
        ],
        must_not: ['readiness_failing', 'scaled_to_zero', 'termination_race', 'stale_endpoints']
      }
    },
    { ...APP, replicas: 1 }
  )
}

export const CASES: DiagnosisCase[] = [
  gapCase('gap-number', 0, 1),
  gapCase('gap-zero-percent', '0%', '100%'),

  shopCase(
    'since-scheduled',
    'no node then, a node since',
    shop => {
      const [pod] = shop.pods
      const message = '0/3 nodes are available: 3 Insufficient cpu.'
      recovers(shop, pod, -890, () => shop.unschedulable(pod, -890, message))
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'unschedulable',
        must_cite: [`${ref(pod)} conditions[PodScheduled].reason=Unschedulable`],
        must_not: ['rollout_gap', 'stale_endpoints', 'readiness_failing']
      }
    },
    { ...ONE, podsCreated: -890 }
  ),

  shopCase(
    'since-attached',
    'its volume could be attached ten minutes later',
    shop => {
      const [pod] = shop.pods
      recovers(shop, pod, -890, () => shop.isBeingCreated(pod))
      const message = 'Multi-Attach error for volume "pvc-77" Volume is already used by pod(s) x-0'
      shop.addEvent(pod, 'FailedAttachVolume', message, { first: -880, last: 480, by: 'attachdetach-controller' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'volume_unavailable',
        must_cite: [`Event ${ref(pod)} reason=FailedAttachVolume`],
        must_not: ['rollout_gap', 'stale_endpoints', 'pod_sandbox_failed']
      }
    },
    { ...ONE, podsCreated: -890, kind: 'StatefulSet' }
  ),

  shopCase(
    'since-pulled',
    'the image has been pushed since',
    shop => {
      const [pod] = shop.pods
      recovers(shop, pod, -890, () => shop.waitsFor([pod], 'ImagePullBackOff', 'manifest for app:3 not found'))
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'image_pull_failed',
        variant: 'not_found',
        must_cite: [`${ref(pod)} state.waiting.reason=ImagePullBackOff`],
        must_not: ['rollout_gap', 'stale_endpoints', 'readiness_failing']
      }
    },
    { ...ONE, podsCreated: -890 }
  ),

  shopCase(
    'since-configured',
    'the ConfigMap has been made since',
    shop => {
      const [pod] = shop.pods
      recovers(shop, pod, -890, () =>
        shop.waitsFor([pod], 'CreateContainerConfigError', 'configmap "settings" not found')
      )
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`${ref(pod)} state.waiting.reason=CreateContainerConfigError`],
        must_not: ['rollout_gap', 'stale_endpoints']
      }
    },
    { ...ONE, podsCreated: -890 }
  ),

  shopCase(
    'since-calm',
    'the pressure on the node was over before the request',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'MemoryPressure', 'True', -2000, 'KubeletHasInsufficientMemory', -2000)
      shop.saw('ADDED', node, -1990)
      shop.nodeTells(pod, 'MemoryPressure', 'False', -300, 'KubeletHasSufficientMemory')
      shop.saw('MODIFIED', node, -300)
      shop.fails('read_timeout', pod, TIMED_OUT)
      return {
        root_cause: 'app_slow',
        must_cite: [ref(shop.ingress)],
        must_not: ['node_pressure', `cite:${ref(node)}`]
      }
    },
    APP
  ),

  shopCase(
    'since-scaled',
    'the autoscaler was at its limit an hour ago and has room again',
    shop => {
      const since = shop.at(-600)
      const condition = {
        type: 'ScalingLimited' as const,
        status: 'False' as const,
        reason: 'DesiredWithinRange',
        since
      }
      shop.add(
        autoscaler(shop.workload, { min: 2, max: 8, current: 2, cpuPercent: 60 }, [condition], shop.at(-30 * DAY))
      )
      shop.fails('read_timeout', shop.pods[0], TIMED_OUT)
      return {
        root_cause: 'app_slow',
        must_cite: [ref(shop.ingress)],
        must_not: ['autoscaler_limited', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'since-probed',
    'the readiness probe was added after the failure',
    shop => {
      const [pod] = shop.pods
      const { readinessProbe } = shop.workload.spec.template.spec.containers[0]!
      delete shop.workload.spec.template.spec.containers[0]!.readinessProbe
      delete pod.spec.containers[0]!.readinessProbe
      shop.saw('ADDED', shop.workload, -HOUR)
      shop.saw('ADDED', pod, -3)
      shop.sawGo(pod, 700)
      shop.workload.spec.template.spec.containers[0]!.readinessProbe = readinessProbe!
      shop.saw('MODIFIED', shop.workload, 700)
      shop.fails('connection_refused', null, { upstream_addr: shop.upstreamAddress(pod) })
      return {
        root_cause: 'readiness_probe_missing',
        must_cite: [`${ref(pod)} readinessProbe=absent`, `${ref(pod)} state.running.startedAt`],
        must_not: ['app_not_listening', 'termination_race', 'stale_endpoints']
      }
    },
    { ...ONE, podsCreated: -8 }
  ),

  shopCase(
    'since-evicted-eight',
    'evicted eight seconds ago',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.evicts(pod, -8, 'The node was low on resource: ephemeral-storage.')
      shop.saw('MODIFIED', pod, -7)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} status.reason=Evicted`],
        must_not: ['stale_endpoints', 'termination_race', 'node_not_ready', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'since-lost-and-deleted',
    'the node was lost, and its pods are being deleted only now',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'Ready', 'Unknown', -305, 'NodeStatusUnknown', -350)
      shop.unready(pod, -304)
      shop.tell(
        pod,
        'DisruptionTarget',
        'True',
        -4,
        'DeletionByTaintManager',
        'Taint manager: deleting due to NoExecute taint'
      )
      shop.deletes(pod, -4)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['termination_race', 'pod_evicted', 'node_network_failure']
      }
    },
    APP
  ),

  shopCase(
    'since-gone-silent',
    'connections to a pod that went forty seconds ago get no answer',
    shop => {
      const [pod] = shop.pods
      shop.comesAndGoes(pod, -48, -40)
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'stale_endpoints',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['network_policy_block', 'node_not_ready', 'termination_race', 'cpu_saturated']
      }
    },
    { ...APP, now: 60 }
  ),

  shopCase(
    'since-long-poll',
    'an hour of polling meets the end of five minutes',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.deletes(pod, -300, 300)
      shop.saw('MODIFIED', pod, -300)
      shop.ends(pod, { reason: 'Error', exitCode: 137, at: -1 })
      shop.sawGo(pod, 1)
      shop.fails('connection_reset', pod, { detail: { request_time: '3600.500', upstream_response_time: '3600.500' } })
      return {
        root_cause: 'grace_period_too_short',
        must_cite: [`${ref(pod)} exitCode=137`],
        must_not: ['termination_race', 'stale_endpoints', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'since-statefulset-zero',
    'a StatefulSet was scaled to nothing',
    shop => {
      const message = `delete Pod ${shop.app}-0 in StatefulSet ${shop.app} successful`
      shop.addEvent(shop.workload, 'SuccessfulDelete', message, {
        first: -700,
        type: 'Normal',
        by: 'statefulset-controller'
      })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['selector_mismatch', 'pod_creation_blocked', 'rollout_gap']
      }
    },
    { ...APP, kind: 'StatefulSet', replicas: 0 }
  )
]
