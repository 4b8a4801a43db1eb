/** Several pods, workloads and namespaces at once: which of them decides. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { DAY, HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const OOM = { reason: 'OOMKilled', exitCode: 137 }

export const CASES: DiagnosisCase[] = [
  shopCase(
    'mixed-tie',
    'one pod lacks a Secret, the other ran out of memory: the earlier row of the table decides',
    shop => {
      const [first, second] = shop.pods
      shop.waitsFor([first], 'CreateContainerConfigError', 'secret "stripe-key" not found')
      shop.backsOff(second!, { ...OOM, startedAt: -100, at: -40, restarts: 4, unready: -40 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`${ref(first)} state.waiting.reason=CreateContainerConfigError`],
        must_not: ['crash_loop', 'readiness_failing']
      }
    },
    APP
  ),

  shopCase(
    'mixed-majority-late',
    'two of three say 503, one crashes: the majority decides, not the row',
    shop => {
      const [first, second, third] = shop.pods
      for (const pod of [first, second!]) {
        shop.says503(pod, -100)
      }
      shop.backsOff(third!, { reason: 'Error', exitCode: 1, startedAt: -60, at: -50, restarts: 6, unready: -700 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(first)} conditions[Ready].status=False`, `Event ${ref(first)} message~statuscode: 503`],
        must_not: ['selector_mismatch', 'rollout_gap']
      }
    },
    { ...APP, replicas: 3 }
  ),

  shopCase(
    'mixed-ordered',
    'a StatefulSet waits for its first pod, which crashes',
    shop => {
      const [pod] = shop.pods
      shop.workload.spec.replicas = 3
      shop.backsOff(pod, { reason: 'Error', exitCode: 3, startedAt: -60, at: -50, restarts: 6, unready: -700 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} state.waiting.reason=CrashLoopBackOff`],
        must_not: ['pod_creation_blocked', 'scaled_to_zero', 'rollout_gap']
      }
    },
    { ...APP, kind: 'StatefulSet', replicas: 1 }
  ),

  shopCase(
    'mixed-blue-green',
    'blue is scaled to nothing on purpose, green is not ready',
    shop => {
      const [pod] = shop.pods
      const blue = shop.addWorkload('Deployment', `${shop.app}-blue`, { replicas: 0, labels: { app: shop.app } })
      shop.addReplicaSet(blue, { replicas: 0 })
      shop.addEvent(blue, 'ScalingReplicaSet', 'Scaled down replica set blue-1 to 0 from 2', {
        first: -900,
        type: 'Normal'
      })
      shop.says503(pod, -200)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['scaled_to_zero', 'selector_mismatch', `cite:${ref(blue)}`]
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'mixed-blue-refused',
    'blue is scaled to nothing, green may not be made',
    shop => {
      const blue = shop.addWorkload('Deployment', `${shop.app}-blue`, { replicas: 0, labels: { app: shop.app } })
      shop.addReplicaSet(blue, { replicas: 0 })
      for (const pod of shop.pods) shop.remove(pod)
      const message =
        'Error creating: pods "green-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9'
      shop.addEvent(shop.replicaSet!, 'FailedCreate', message, { first: -300, last: 20 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_creation_blocked',
        variant: 'quota',
        must_cite: [`Event ${ref(shop.replicaSet!)} reason=FailedCreate`],
        must_not: ['scaled_to_zero', 'selector_mismatch']
      }
    },
    APP
  ),

  shopCase(
    'mixed-refused-earlier',
    'pods could not be made ten minutes ago; now there is one, and it is not ready',
    shop => {
      const [pod] = shop.pods
      const message = 'Error creating: pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9'
      shop.addEvent(shop.replicaSet!, 'FailedCreate', message, { first: -900, last: -610 })
      shop.says503(pod, -560)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['pod_creation_blocked', 'rollout_gap']
      }
    },
    { ...APP, replicas: 1, podsCreated: -600 }
  ),

  shopCase(
    'mixed-zero-closing',
    'scaled to nothing five seconds ago; the last pod is still going',
    shop => {
      const [pod] = shop.pods
      shop.workload.spec.replicas = 0
      shop.replicaSet!.spec.replicas = 0
      const message = `Scaled down replica set ${shop.replicaSet!.metadata.name} to 0 from 1`
      shop.addEvent(shop.workload, 'ScalingReplicaSet', message, {
        first: -25,
        type: 'Normal',
        by: 'deployment-controller'
      })
      shop.deletes(pod, -25, 60)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['readiness_failing', 'stale_endpoints', 'selector_mismatch']
      }
    },
    { ...APP, replicas: 1, now: 10 }
  ),

  shopCase(
    'mixed-taint',
    'the node was lost, its pods were deleted, and their successor finds no place',
    shop => {
      const [pod] = shop.pods
      shop.nodeTells(pod, 'Ready', 'Unknown', -420, 'NodeStatusUnknown', -465)
      shop.unready(pod, -419)
      shop.tell(
        pod,
        'DisruptionTarget',
        'True',
        -115,
        'DeletionByTaintManager',
        'Taint manager: deleting due to NoExecute taint'
      )
      shop.deletes(pod, -115)
      const next = shop.addPod(shop.replicaSet!, { created: -114 })
      shop.unschedulable(next, -114, '0/2 nodes are available: 2 Insufficient memory.')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} conditions[DisruptionTarget].reason=DeletionByTaintManager`],
        must_not: ['unschedulable', 'readiness_failing', 'termination_race']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'mixed-preempted',
    'only the watch knows of the pod that was preempted; its successor waits',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.tell(
        pod,
        'DisruptionTarget',
        'True',
        -90,
        'PreemptionByScheduler',
        'default-scheduler: preempting to accommodate'
      )
      shop.deletes(pod, -90)
      shop.saw('MODIFIED', pod, -90)
      shop.sawGo(pod, -60)
      const next = shop.addPod(shop.replicaSet!, { created: -88 })
      shop.unschedulable(next, -88, '0/3 nodes are available: 3 Insufficient cpu.')
      shop.saw('ADDED', next, -57)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_evicted',
        chain: ['unschedulable'],
        must_cite: [`${ref(pod)} conditions[DisruptionTarget].reason=PreemptionByScheduler`],
        must_not: ['unschedulable', 'scaled_to_zero']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'mixed-namesake',
    'a workload of the same name in another namespace ran out of memory',
    shop => {
      const [pod] = shop.pods
      const other = shop.addWorkload('Deployment', shop.app, { namespace: 'staging' })
      const victim = shop.addPod(shop.addReplicaSet(other), {})
      shop.restarts(victim, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('premature_close', pod, { detail: { upstream_response_time: '0.500' } })
      return { root_cause: 'undetermined', must_not: ['oom_killed', 'app_crash', `cite:${ref(victim)}`] }
    },
    APP
  ),

  shopCase(
    'mixed-flapping',
    'ready and unready in turns; ready when the request ran',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      for (const [unready, ready] of [
        [-900, -840],
        [-500, -430],
        [100, 160]
      ] as const) {
        shop.unready(pod, unready)
        shop.saw('MODIFIED', pod, unready)
        shop.ready(pod, ready)
        shop.saw('MODIFIED', pod, ready)
      }
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001', request_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [ref(shop.ingress)],
        must_not: ['readiness_failing', 'node_not_ready']
      }
    },
    { ...APP, now: 900 }
  ),

  shopCase(
    'mixed-all-gone',
    'Service, workload and pods were deleted an hour later; the watch remembers',
    shop => {
      const [pod] = shop.pods
      for (const object of [shop.workload, shop.replicaSet!, shop.service, shop.ingress, pod])
        shop.saw('ADDED', object, -DAY)
      shop.restarts(pod, { ...OOM, at: -3, up: 1, ready: 12 })
      shop.saw('MODIFIED', pod, 13)
      for (const object of [shop.ingress, shop.service, shop.workload, shop.replicaSet!, pod]) shop.sawGo(object, HOUR)
      shop.fails('connection_refused', null, { upstream_addr: shop.upstreamAddress(pod) })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['ingress_service_missing', 'stale_endpoints', 'undetermined']
      }
    },
    { ...APP, replicas: 1, now: 2 * HOUR }
  ),

  shopCase(
    'mixed-long-address',
    'an IPv6 address with all its zeros',
    shop => {
      const [pod] = shop.pods
      const long = 'FD00:0010:0244:0000:0000:0000:0000:00B7'
      pod.status.podIP = 'fd00:10:244::b7'
      pod.status.podIPs = [{ ip: 'fd00:10:244::b7' }]
      shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod, { upstream_addr: `[${long}]:8080` })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['undetermined', 'stale_endpoints']
      }
    },
    { ...APP, families: ['IPv6'], service: { ipFamilies: ['IPv6'] } }
  ),

  shopCase(
    'mixed-slice-unset',
    'a slice without conditions counts as ready; the pod has not been for a minute',
    shop => {
      const [pod] = shop.pods
      const slice = shop.slices()[0]!
      for (const endpoint of slice.endpoints) endpoint.conditions = {}
      shop.withoutSlices(shop.service)
      shop.add(slice)
      shop.unready(pod, -80)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'stale_endpoints',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, ref(slice)],
        must_not: ['readiness_failing', 'publish_not_ready', 'app_not_listening']
      }
    },
    APP
  )
]
