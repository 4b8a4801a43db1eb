/** The edges of time: tolerances, late reports, facts that were mended since. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { DAY, HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const OOM = { reason: 'OOMKilled', exitCode: 137 }
const SAYS_503 = 'Readiness probe failed: HTTP probe failed with statuscode: 503'

/** A kill for memory close to an edge of the down interval, which is widened by two seconds at both ends. */
function downCase(id: string, times: { at: number; up: number; ready: number }, isInside: boolean): DiagnosisCase {
  const title = `killed at ${times.at}, ready at ${times.ready}: ${isInside ? 'just inside' : 'just outside'}`
  return shopCase(
    id,
    title,
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.restarts(pod, { ...OOM, ...times })
      shop.saw('MODIFIED', pod, Math.max(times.ready, 1))
      shop.fails('connection_refused', pod)
      if (!isInside) return { root_cause: 'undetermined', must_not: ['oom_killed', 'app_not_listening', 'app_crash'] }
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['readiness_failing', 'app_crash', 'app_not_listening']
      }
    },
    APP
  )
}

/** A deletion close to an edge: two seconds before it was asked for, ten seconds after. */
function deletionCase(
  id: string,
  asked: number,
  root: 'termination_race' | 'stale_endpoints' | 'undetermined'
): DiagnosisCase {
  return shopCase(
    id,
    `deletion was asked for at ${asked}`,
    shop => {
      const [pod] = shop.pods
      shop.comesAndGoes(pod, asked, asked + 6)
      shop.fails('connection_refused', pod)
      const others = ['termination_race', 'stale_endpoints', 'app_crash', 'app_not_listening'].filter(
        slug => slug !== root
      )
      const must_cite = root === 'undetermined' ? [] : [`${ref(pod)} metadata.deletionTimestamp`]
      return { root_cause: root, must_cite, must_not: others }
    },
    APP
  )
}

export const CASES: DiagnosisCase[] = [
  downCase('down-ends-after', { at: 2, up: 5, ready: 14 }, true),
  downCase('down-begins-later', { at: 3, up: 6, ready: 15 }, false),
  downCase('down-just-back', { at: -14, up: -11, ready: -2 }, true),
  downCase('down-back-before', { at: -15, up: -12, ready: -3 }, false),

  deletionCase('deletion-soon', 2, 'termination_race'),
  deletionCase('deletion-later', 3, 'undetermined'),
  deletionCase('deletion-ten', -10, 'termination_race'),
  deletionCase('deletion-eleven', -11, 'stale_endpoints'),

  shopCase(
    'deletion-forced',
    'deleted by force, without a grace period',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.deletes(pod, -3, 0)
      shop.sawGo(pod, -3)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['stale_endpoints', 'undetermined', 'app_crash']
      }
    },
    APP
  ),

  shopCase(
    'deletion-long-grace',
    'two seconds into a grace period of five minutes',
    shop => {
      const [pod] = shop.pods
      shop.deletes(pod, -2, 300)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['grace_period_too_short', 'stale_endpoints', 'app_not_listening']
      }
    },
    { ...APP, now: 20 }
  ),

  shopCase(
    'told-late',
    'the kubelet told of the kill half a minute later',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -DAY)
      shop.restarts(pod, { ...OOM, at: -4, up: 3, ready: 22 })
      shop.saw('MODIFIED', pod, 30)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['app_not_listening', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'selector-mended',
    'the selector was wrong then and has been mended since',
    shop => {
      const right = shop.service.spec.selector
      const [pod] = shop.pods
      shop.service.spec.selector = { app: 'web' }
      shop.saw('ADDED', shop.service, -HOUR)
      shop.service.spec.selector = right!
      shop.saw('MODIFIED', shop.service, 400)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        must_cite: [`${ref(shop.service)} spec.selector.app=web`, `${ref(pod)} metadata.labels.app=${shop.app}`],
        must_not: ['stale_endpoints', 'readiness_failing', 'rollout_gap', 'scaled_to_zero']
      }
    },
    { ...APP, replicas: 1, now: 900 }
  ),

  shopCase(
    'port-broken-since',
    'the targetPort was changed an hour after the failure',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', shop.service, -HOUR)
      shop.saw('ADDED', pod, -HOUR)
      shop.fails('connection_refused', pod)
      shop.service.spec.ports[0]!.targetPort = 9999
      shop.saw('MODIFIED', shop.service, HOUR)
      return { root_cause: 'undetermined', must_not: ['target_port_mismatch', 'app_not_listening'] }
    },
    { ...APP, now: HOUR + 60 }
  ),

  shopCase(
    'probe-period',
    'a probe every thirty seconds: it last failed eighty seconds before',
    shop => {
      const [pod] = shop.pods
      pod.spec.containers[0]!.readinessProbe!.periodSeconds = 30
      shop.unready(pod, -170)
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -230, last: -80, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['rollout_gap', 'stale_endpoints']
      }
    },
    { ...APP, replicas: 1, now: 5 }
  ),

  shopCase(
    'event-expired',
    'not ready for hours; its events have expired',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -5 * HOUR)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['crash_loop', 'readiness_probe_misconfigured', 'rollout_gap', 'stale_endpoints']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'event-series',
    'an event in the newer form: times in eventTime and series',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -300)
      const event = shop.addEvent(pod, 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 404', {
        first: -330,
        container: 'app'
      })
      const newer = { eventTime: shop.at(-330), series: { count: 33, lastObservedTime: shop.at(3) } }
      Object.assign(event, { firstTimestamp: null, lastTimestamp: null, count: null, ...newer })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_probe_misconfigured',
        must_cite: [`Event ${ref(pod)} message~statuscode: 404`],
        must_not: ['readiness_failing', 'rollout_gap']
      }
    },
    { ...APP, replicas: 1, podsCreated: -400 }
  )
]
