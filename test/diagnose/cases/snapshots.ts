/** What a snapshot tells happened only after the failure: a later end of a container, and the Ready that came after it. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { HOUR } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { replicas: 1, containers: [webContainer('app')], now: 1800 }
const WITH_LOGS = {
  ...APP,
  containers: [webContainer('app'), { name: 'log-shipper', image: 'registry.example.com/logs:4' }]
}
const CRASH = { reason: 'Error', exitCode: 1 }
const SLOW = { detail: { upstream_response_time: '60.001', request_time: '60.002' } }

/** Killed for memory five minutes after the failure; up since `startedAt`. */
function killedLater(shop: Shop, pod: PodObject, startedAt = -2 * HOUR): void {
  shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, container: 'app', startedAt, at: 300, up: 303, ready: 315 })
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'later-kill-slow',
    'it answered too late, and was killed for memory five minutes after that',
    shop => {
      const [pod] = shop.pods
      killedLater(shop, pod)
      shop.fails('read_timeout', pod, SLOW)
      return {
        root_cause: 'app_slow',
        confidence_max: 0.7,
        must_cite: [ref(shop.ingress), `${ref(pod)} lastState.terminated.finishedAt`],
        must_not: ['oom_killed', 'readiness_failing', 'app_crash', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'later-kill-port',
    'the Service leads to a port that the pod has not; the pod crashes minutes later',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.targetPort = 9999
      shop.restarts(pod, { ...CRASH, startedAt: -2 * HOUR, at: 300, up: 303, ready: 315 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=9999`],
        must_not: ['app_crash', 'readiness_failing']
      }
    },
    APP
  ),

  shopCase(
    'later-kill-beside',
    'the app was killed an hour before, its log shipper five minutes after: being Ready then is not the end of the hour',
    shop => {
      const [pod] = shop.pods
      shop.service.spec.ports[0]!.targetPort = 9999
      shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -HOUR, up: -HOUR + 2, ready: null })
      shop.restarts(pod, { ...CRASH, container: 'log-shipper', startedAt: -2 * HOUR, at: 300, up: 303, ready: 315 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=9999`],
        must_not: ['oom_killed', 'readiness_failing', 'undetermined']
      }
    },
    WITH_LOGS
  ),

  shopCase(
    'later-kill-while-unready',
    'its probe failed when the request did; that it was killed later does not make it ready',
    shop => {
      const [pod] = shop.pods
      killedLater(shop, pod)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
      shop.addEvent(pod, 'Unhealthy', message, { first: -60, last: 30, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        confidence_min: 0.6,
        must_cite: [`Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['oom_killed', 'stale_endpoints', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'later-kill-of-young',
    'it had been up for two seconds, too short for its probe, and crashed again later',
    shop => {
      const [pod] = shop.pods
      killedLater(shop, pod, -2)
      shop.fails('no_endpoints', null)
      return { root_cause: 'readiness_failing', confidence_max: 0.45, must_not: ['oom_killed', 'stale_endpoints'] }
    },
    APP
  ),

  shopCase(
    'later-ready-alone',
    'that it became Ready after the failure is all that is told',
    shop => {
      const [pod] = shop.pods
      shop.ready(pod, 40)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        confidence_max: 0.45,
        must_cite: [`${ref(pod)} conditions[Ready].lastTransitionTime`],
        must_not: ['stale_endpoints', 'app_crash']
      }
    },
    APP
  )
]
