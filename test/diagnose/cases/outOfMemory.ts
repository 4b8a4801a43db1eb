/** `oom_killed`, and what only looks like it. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'
import { askToDelete } from '../support/podState.ts'

const OOM = { reason: 'OOMKilled', exitCode: 137 }
const SIDECAR = webContainer('istio-proxy', { ports: [{ name: 'http-envoy-prom', containerPort: 15090 }] })

export const CASES: DiagnosisCase[] = [
  shopCase('oom-refused', 'killed two seconds before, back eleven seconds later', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { ...OOM, at: -2, up: 1, ready: 11 })
    shop.fails('connection_refused', pod)
    return {
      root_cause: 'oom_killed',
      ref: ref(pod),
      must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
      must_not: ['app_crash', 'app_not_listening', 'crash_loop']
    }
  }),

  shopCase(
    'oom-cut',
    'killed in the middle of a response, not started again yet',
    shop => {
      const [pod] = shop.pods
      shop.ends(pod, { ...OOM, at: 0 })
      shop.fails('premature_close', pod, { detail: { method: 'GET', upstream_response_time: '3.120' } })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} state.terminated.reason=OOMKilled`],
        must_not: ['keepalive_mismatch', 'app_crash']
      }
    },
    { now: 2 }
  ),

  shopCase(
    'oom-reset',
    'the connection is reset by the kill; nodes were not collected',
    shop => {
      const pod = shop.pods[1]!
      shop.restarts(pod, { ...OOM, at: -1, up: 2, ready: 15 })
      shop.fails('connection_reset', pod, { detail: { upstream_response_time: '1.400' } })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} terminated.reason=OOMKilled`],
        must_not: ['node_not_ready']
      }
    },
    { isWhole: false, kind: 'StatefulSet' }
  ),

  shopCase(
    'oom-loop',
    'a crash loop whose last end was a kill for memory',
    shop => {
      const [pod] = shop.pods
      shop.backsOff(pod, { ...OOM, startedAt: -100, at: -70, restarts: 6, unready: -70 })
      shop.addEvent(pod, 'BackOff', 'Back-off restarting failed container', { first: -600, last: 30, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'oom_killed',
        chain: ['crash_loop'],
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_crash', 'readiness_failing']
      }
    },
    { replicas: 1, containers: [webContainer('app')] }
  ),

  shopCase(
    'oom-majority',
    'two of three unready pods were killed for memory, one is crashing',
    shop => {
      const [first, second, third] = shop.pods
      shop.backsOff(first, { ...OOM, startedAt: -100, at: -70, restarts: 5, unready: -70 })
      shop.backsOff(second!, { ...OOM, startedAt: -90, at: -66, restarts: 5, unready: -66 })
      shop.backsOff(third!, { reason: 'Error', exitCode: 1, startedAt: -80, at: -78, restarts: 7, unready: -78 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(first)} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_crash', 'readiness_failing']
      }
    },
    { replicas: 3 }
  ),

  shopCase(
    'oom-minority',
    'one of three unready pods was killed for memory, two cannot start',
    shop => {
      const [first, second, third] = shop.pods
      shop.backsOff(first, { ...OOM, startedAt: -100, at: -70, restarts: 5, unready: -70 })
      for (const pod of [second!, third!]) {
        const exit = { reason: 'Error', exitCode: 1, message: 'panic: missing DATABASE_URL' }
        shop.backsOff(pod, { ...exit, startedAt: -80, at: -78, restarts: 7, unready: -78 })
      }
      shop.fails('no_endpoints', null)
      return { root_cause: 'crash_loop', must_cite: [`${ref(second!)} state.waiting.reason=CrashLoopBackOff`] }
    },
    { replicas: 3 }
  ),

  shopCase('oom-hour-ago', 'killed an hour ago and Ready since: nothing is known of this close', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { ...OOM, at: -HOUR, up: -HOUR + 3, ready: -HOUR + 14 })
    shop.fails('premature_close', pod, { detail: { method: 'GET', upstream_response_time: '2.750' } })
    return { root_cause: 'undetermined', must_not: ['oom_killed', 'app_crash', 'keepalive_mismatch'] }
  }),

  shopCase('oom-later', 'killed forty seconds after a failure that it cannot explain', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { ...OOM, at: 40, up: 43, ready: 55 })
    shop.fails('premature_close', pod, { detail: { method: 'GET', upstream_response_time: '2.750' } })
    return { root_cause: 'undetermined', must_not: ['oom_killed', 'app_crash'] }
  }),

  shopCase(
    'oom-of-sidecar',
    'the mesh sidecar was killed; the server listens on no declared port',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.targetPort = 9090
      shop.ends(pod, { ...OOM, container: 'istio-proxy', at: 1 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=9090`, `${ref(pod)} containerPort=8080`],
        must_not: ['oom_killed']
      }
    },
    { containers: [webContainer('app'), SIDECAR], now: 5 }
  ),

  shopCase('oom-of-neighbour', 'the other replica was killed, not the one that answered', shop => {
    const [pod, other] = shop.pods
    shop.restarts(other!, { ...OOM, at: -2, up: 1, ready: 12 })
    shop.fails('premature_close', pod, { detail: { method: 'GET', upstream_response_time: '0.900' } })
    return {
      root_cause: 'undetermined',
      must_not: ['oom_killed', `cite:${ref(other!)} lastState.terminated.reason=OOMKilled`]
    }
  }),

  shopCase(
    'oom-counter-of-stopped',
    'reason OOMKilled, but exit code 143 while it was being deleted',
    shop => {
      const [pod] = shop.pods
      askToDelete(pod, shop.at(-4))
      shop.ends(pod, { reason: 'OOMKilled', exitCode: 143, at: -1 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['oom_killed', 'app_crash', 'stale_endpoints']
      }
    },
    { now: 10 }
  ),

  shopCase(
    'oom-watched',
    'the watch saw the kill; the snapshot shows a later, harmless restart',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -HOUR)
      shop.restarts(pod, { ...OOM, at: -5, up: -2, ready: 9 })
      shop.saw('MODIFIED', pod, -1)
      shop.restarts(pod, { reason: 'Completed', exitCode: 0, at: 900, up: 903, ready: 914 })
      shop.saw('MODIFIED', pod, 915)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_crash']
      }
    },
    { now: 1800 }
  )
]
