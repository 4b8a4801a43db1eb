/** `crash_loop` and `app_crash`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { DAY, HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const PANIC = { reason: 'Error', exitCode: 1, message: 'panic: DATABASE_URL is not set' }
const PROXY = webContainer('istio-proxy', { ports: [{ name: 'http-envoy-prom', containerPort: 15090 }] })

export const CASES: DiagnosisCase[] = [
  shopCase(
    'crash-loop',
    'every instance ends with exit code 1',
    shop => {
      for (const pod of shop.pods) {
        shop.backsOff(pod, { ...PANIC, startedAt: -62, at: -60, restarts: 9, unready: -1200 })
        shop.addEvent(pod, 'BackOff', 'Back-off restarting failed container', {
          first: -1200,
          last: 20,
          container: 'app'
        })
      }
      shop.fails('no_endpoints', null)
      const [pod] = shop.pods
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} state.waiting.reason=CrashLoopBackOff`, `${ref(pod)} lastState.terminated.exitCode=1`],
        must_not: ['oom_killed', 'app_crash', 'container_start_failed', 'readiness_failing', 'selector_mismatch']
      }
    },
    { containers: [webContainer('app')] }
  ),

  shopCase(
    'crash-loop-between',
    'read while the ninth instance was just booting',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...PANIC, startedAt: -40, at: -33, up: -3, ready: null })
      shop.unready(pod, -900)
      pod.status.containerStatuses[0]!.restartCount = 8
      shop.addEvent(pod, 'BackOff', 'Back-off restarting failed container', { first: -880, last: -5, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} restartCount=8`, `Event ${ref(pod)} reason=BackOff`],
        must_not: ['readiness_failing', 'rollout_gap', 'app_crash']
      }
    },
    { replicas: 1, containers: [webContainer('app')], now: 1 }
  ),

  shopCase(
    'crash-loop-sidecar',
    'the mesh sidecar keeps dying and keeps the pod out',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'Error', exitCode: 255, message: 'no certificate from the control plane' }
      shop.backsOff(pod, { ...exit, container: 'istio-proxy', startedAt: -75, at: -60, restarts: 12, unready: -1500 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} status.containerStatuses[istio-proxy].state.waiting.reason=CrashLoopBackOff`],
        must_not: ['readiness_failing', 'app_crash', 'selector_mismatch']
      }
    },
    { replicas: 1, containers: [webContainer('app'), PROXY] }
  ),

  shopCase(
    'crash-loop-sidecar-memory',
    'the sidecar keeps dying of too little memory',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'OOMKilled', exitCode: 137 }
      shop.backsOff(pod, { ...exit, container: 'istio-proxy', startedAt: -75, at: -60, restarts: 12, unready: -1500 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} containerStatuses[istio-proxy].lastState.terminated.reason=OOMKilled`],
        must_not: ['readiness_failing']
      }
    },
    { replicas: 1, containers: [PROXY, webContainer('app')] }
  ),

  shopCase(
    'crash-loop-refused',
    'it was ready for forty seconds, then died once more under a request',
    shop => {
      const [pod] = shop.pods
      shop.backsOff(pod, { ...PANIC, startedAt: -45, at: -1, restarts: 6, unready: -1 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} state.waiting.reason=CrashLoopBackOff`],
        must_not: ['app_crash', 'readiness_failing', 'app_not_listening']
      }
    },
    { now: 30 }
  ),

  shopCase(
    'crash-loop-yesterday',
    'a crash loop of yesterday, Ready throughout since',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...PANIC, at: -DAY, up: -DAY + 60, ready: -DAY + 70 })
      pod.status.containerStatuses[0]!.restartCount = 11
      shop.addEvent(pod, 'BackOff', 'Back-off restarting failed container', { first: -DAY - 900, last: -DAY + 30 })
      shop.fails('connection_reset', pod, { detail: { method: 'GET', upstream_response_time: '1.912' } })
      return { root_cause: 'undetermined', must_not: ['crash_loop', 'app_crash', 'keepalive_mismatch'] }
    },
    { now: 60 }
  ),

  shopCase('crash-loop-of-new', 'a rollout is stuck in a crash loop; the old pods serve, slowly', shop => {
    const [pod] = shop.pods
    const next = shop.addReplicaSet(shop.workload, { created: -1800, replicas: 1 })
    const looping = shop.addPod(next, { created: -1800 })
    shop.backsOff(looping, { ...PANIC, startedAt: -62, at: -60, restarts: 9, unready: -1795 })
    shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.001' } })
    return {
      root_cause: 'app_slow',
      must_cite: [ref(shop.ingress), `${ref(pod)} conditions[Ready].status=True`],
      must_not: ['crash_loop', `cite:${ref(looping)}`]
    }
  }),

  shopCase('crash-fault', 'one segmentation fault', shop => {
    const pod = shop.pods[1]!
    shop.restarts(pod, { reason: 'Error', exitCode: 139, at: 0, up: 2, ready: 13 })
    shop.fails('premature_close', pod, { detail: { upstream_response_time: '0.310' } })
    return {
      root_cause: 'app_crash',
      ref: ref(pod),
      must_cite: [`${ref(pod)} lastState.terminated.exitCode=139`],
      must_not: ['oom_killed', 'crash_loop', 'probe_restart', 'keepalive_mismatch']
    }
  }),

  shopCase(
    'crash-completed',
    'the server ends itself with exit code 0',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { reason: 'Completed', exitCode: 0, at: -4, up: -1, ready: 10 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.reason=Completed`],
        must_not: ['crash_loop', 'readiness_failing', 'termination_race']
      }
    },
    { kind: 'DaemonSet', replicas: 3 }
  ),

  shopCase(
    'crash-while-deleted',
    'it ends with exit code 1, but because it was told to stop',
    shop => {
      const [pod] = shop.pods
      shop.deletes(pod, -5)
      shop.ends(pod, { reason: 'Error', exitCode: 1, at: -3 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['app_crash', 'crash_loop', 'stale_endpoints']
      }
    },
    { now: 8 }
  ),

  shopCase('crash-before', 'it crashed five minutes ago; its probe on that very port passes', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { reason: 'Error', exitCode: 139, at: -300, up: -298, ready: -287 })
    shop.fails('connection_refused', pod)
    return { root_cause: 'undetermined', must_not: ['app_crash', 'app_not_listening', 'target_port_mismatch'] }
  }),

  shopCase(
    'crash-third',
    'three restarts in a week and no back-off: one crash',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { reason: 'Error', exitCode: 2, startedAt: -2 * DAY, at: -1, up: 1, ready: 12 })
      pod.status.containerStatuses[0]!.restartCount = 3
      shop.fails('connection_reset', pod, { detail: { upstream_response_time: '0.700' } })
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=2`],
        must_not: ['crash_loop', 'oom_killed']
      }
    },
    { namespace: 'store-eu', podsCreated: -7 * DAY }
  ),

  shopCase(
    'crash-same-name',
    'the crash was of the pod that had the name before',
    shop => {
      const [pod] = shop.pods
      const before = structuredClone(pod)
      before.metadata.uid = '0f4b9f0e-5d0e-5c38-a0f6-5a5f5b0e8b11'
      before.metadata.creationTimestamp = shop.at(-9 * DAY)
      shop.saw('ADDED', before, -8 * DAY)
      shop.ends(before, { reason: 'Error', exitCode: 139, startedAt: -8 * DAY, at: -3 * HOUR })
      shop.saw('MODIFIED', before, -3 * HOUR + 1)
      shop.saw('DELETED', before, -2 * HOUR - 20)
      shop.saw('ADDED', pod, -2 * HOUR)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'undetermined',
        must_not: ['app_crash', 'termination_race', 'stale_endpoints', 'app_not_listening']
      }
    },
    { kind: 'StatefulSet', podsCreated: -2 * HOUR }
  )
]
