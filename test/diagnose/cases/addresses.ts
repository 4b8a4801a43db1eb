/** Addresses that outlive their pods: `stale_endpoints`, and who held an address. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { strangerName } from '../support/cluster.ts'
import { DAY, HOUR } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }

/** A pod of another namespace that has an address of ours. */
function addStranger(shop: Shop, address: string, created: number): PodObject {
  const name = strangerName(shop.id)
  const owner = shop.addReplicaSet(shop.addWorkload('Deployment', name, { namespace: 'research' }))
  return shop.addPod(owner, { created, address })
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'stale-controller',
    'gone for half a minute, no slice has it, and the proxy still asks it',
    shop => {
      const [pod] = shop.pods
      shop.sawSlices(shop.service, -2 * DAY)
      shop.comesAndGoes(pod, -34, -29)
      shop.sawSlices(shop.service, -28)
      shop.watch.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'stale_endpoints',
        variant: 'controller_lag',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['termination_race', 'node_not_ready', 'pod_evicted', 'network_policy_block']
      }
    },
    { ...APP, now: 60 }
  ),

  shopCase(
    'stale-slice',
    'gone for a minute, and its slice still has it',
    shop => {
      const [pod] = shop.pods
      const [slice] = shop.slices()
      shop.withoutSlices(shop.service)
      shop.add(slice!)
      shop.comesAndGoes(pod, -64, -58)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'stale_endpoints',
        variant: 'slice_lag',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`, ref(slice!)],
        must_not: ['termination_race', 'app_not_listening', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'stale-unready',
    'not ready for a minute, and its slice says ready',
    shop => {
      const [pod] = shop.pods
      const [slice] = shop.slices()
      shop.withoutSlices(shop.service)
      shop.add(slice!)
      shop.unready(pod, -70)
      const message = `Readiness probe failed: dial tcp ${pod.status.podIP}:8080: connect: connection refused`
      shop.addEvent(pod, 'Unhealthy', message, { first: -100, last: 9, container: 'app' })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'stale_endpoints',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `${ref(slice!)} conditions.ready=true`],
        must_not: ['readiness_failing', 'publish_not_ready', 'termination_race', 'app_not_listening']
      }
    },
    APP
  ),

  shopCase(
    'stale-reused',
    'a stranger of another namespace has its address since',
    shop => {
      const [pod] = shop.pods
      const address = pod.status.podIP!
      shop.comesAndGoes(pod, -70, -64)
      const stranger = addStranger(shop, address, -30)
      shop.saw('ADDED', stranger, -28)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'stale_endpoints',
        // Its tenure is over, and the only one at that moment contradicts the Service: ambiguous, says the section on the index.
        acceptable: ['undetermined'],
        must_not: ['app_not_listening', 'target_port_mismatch', 'termination_race', 'readiness_probe_missing']
      }
    },
    APP
  ),

  shopCase(
    'race-reused',
    'a stranger got its address a second before; ours had it four seconds ago',
    shop => {
      const [pod] = shop.pods
      const address = pod.status.podIP!
      shop.comesAndGoes(pod, -6, -4)
      const stranger = addStranger(shop, address, -3)
      shop.saw('ADDED', stranger, -1)
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'termination_race',
        must_cite: [`${ref(pod)} metadata.deletionTimestamp`],
        must_not: ['readiness_probe_missing', 'stale_endpoints', 'app_not_listening', `cite:${ref(stranger)} status`]
      }
    },
    APP
  ),

  shopCase(
    'address-reused-later',
    'the snapshot shows a stranger at the address, created an hour later',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -2 * DAY)
      const address = pod.status.podIP!
      shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -3, up: 1, ready: 15 })
      shop.saw('MODIFIED', pod, 16)
      shop.deletes(pod, 1800)
      shop.sawGo(pod, 1830)
      const stranger = addStranger(shop, address, HOUR)
      shop.fails('connection_refused', null, { upstream_addr: `${address}:8080` })
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
        must_not: ['stale_endpoints', 'undetermined', `cite:${ref(stranger)}`]
      }
    },
    { ...APP, now: 2 * HOUR }
  ),

  shopCase(
    'address-unknown',
    'nobody ever had this address',
    shop => {
      shop.fails('connection_refused', null, { upstream_addr: '10.244.231.77:8080' })
      return { root_cause: 'undetermined', must_not: ['stale_endpoints', 'app_not_listening', 'target_port_mismatch'] }
    },
    APP
  ),

  shopCase(
    'address-created-later',
    'the only pod with the address was created after the failure',
    shop => {
      const fresh = shop.addPod(shop.replicaSet!, { created: 30 })
      shop.fails('connection_refused', fresh)
      return {
        root_cause: 'undetermined',
        must_not: ['readiness_probe_missing', 'app_not_listening', 'stale_endpoints', `cite:${ref(fresh)}`]
      }
    },
    APP
  )
]
