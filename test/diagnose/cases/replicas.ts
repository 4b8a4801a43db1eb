/** Nobody is there: `rollout_gap`, `scaled_to_zero`, `pod_creation_blocked`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { autoscaler } from '../support/extraObjects.ts'
import { DAY, HOUR } from '../support/moment.ts'
import type { PodObject, WorkloadObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }

/** A rollout: the pods of the old ReplicaSet are gone, the new one's are created and ready when told. */
function rollsOut(shop: Shop, created: number, ready: number): { next: WorkloadObject; fresh: PodObject[] } {
  const old = shop.replicaSet!
  const wanted = shop.workload.spec.replicas!
  for (const pod of shop.pods) shop.remove(pod)
  old.spec.replicas = 0
  old.status = { replicas: 0 }
  const next = shop.addReplicaSet(shop.workload, { created: created - 1, replicas: wanted })
  const normal = { type: 'Normal' as const, by: 'deployment-controller' }
  const down = `Scaled down replica set ${old.metadata.name} to 0 from ${wanted}`
  shop.addEvent(shop.workload, 'ScalingReplicaSet', down, { first: created - 30, ...normal })
  const up = `Scaled up replica set ${next.metadata.name} to ${wanted} from 0`
  shop.addEvent(shop.workload, 'ScalingReplicaSet', up, { first: created - 1, ...normal })
  return { next, fresh: Array.from({ length: wanted }, () => shop.addPod(next, { created, ready })) }
}

function scalesToZero(shop: Shop, since: number | null): void {
  const { name } = shop.replicaSet!.metadata
  shop.workload.status = { observedGeneration: 2 }
  if (since === null) return
  const normal = { type: 'Normal' as const, by: 'deployment-controller' }
  shop.addEvent(shop.workload, 'ScalingReplicaSet', `Scaled down replica set ${name} to 0 from 2`, {
    first: since,
    ...normal
  })
}

/** The API refuses to make pods. */
function blockedCase(id: string, variant: string, message: string, kind: 'Deployment' | 'StatefulSet'): DiagnosisCase {
  return shopCase(
    id,
    `no new pods: ${variant}`,
    shop => {
      const creator = shop.replicaSet ?? shop.workload
      for (const pod of shop.pods) shop.remove(pod)
      creator.status = { replicas: 0 }
      const why = `pods "${creator.metadata.name}-x7k2p" is forbidden: ${message}`
      const full = `Error creating: ${variant === 'webhook' ? `Internal error occurred: ${message}` : why}`
      shop.addEvent(creator, 'FailedCreate', full, { first: -500, last: 15, by: 'replicaset-controller' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_creation_blocked',
        variant,
        must_cite: [`Event ${ref(creator)} reason=FailedCreate`],
        must_not: ['scaled_to_zero', 'selector_mismatch', 'unschedulable', 'rollout_gap', 'config_missing']
      }
    },
    { ...APP, kind, replicas: 1 }
  )
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'gap-recreate',
    'Recreate: the new pods are ready fifteen seconds too late',
    shop => {
      shop.workload.spec.strategy = { type: 'Recreate' }
      const { fresh } = rollsOut(shop, -12, 15)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'rollout_gap',
        must_cite: [
          `${ref(shop.workload)} spec.strategy.type=Recreate`,
          `${ref(fresh[0]!)} conditions[Ready].lastTransitionTime`
        ],
        must_not: ['readiness_failing', 'scaled_to_zero', 'selector_mismatch', 'stale_endpoints']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'gap-unavailable',
    'all replicas may be unavailable, and none may be added',
    shop => {
      const rollingUpdate = { maxUnavailable: '100%', maxSurge: 0 }
      shop.workload.spec.strategy = { type: 'RollingUpdate', rollingUpdate }
      const { fresh } = rollsOut(shop, -9, 21)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'rollout_gap',
        must_cite: [
          `${ref(shop.workload)} maxUnavailable=100%`,
          `${ref(fresh[0]!)} conditions[Ready].lastTransitionTime`
        ],
        must_not: ['readiness_failing', 'scaled_to_zero', 'termination_race']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'gap-watched',
    'the watch saw the last old pod go and the first new one come',
    shop => {
      shop.workload.spec.strategy = { type: 'Recreate' }
      const [old] = shop.pods
      shop.saw('ADDED', old, -DAY)
      shop.deletes(old, -25)
      shop.saw('MODIFIED', old, -25)
      shop.saw('DELETED', old, -2)
      const { fresh } = rollsOut(shop, 1, 14)
      shop.saw('ADDED', fresh[0]!, 1)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'rollout_gap',
        must_cite: [`${ref(shop.workload)} spec.strategy.type=Recreate`],
        must_not: ['selector_mismatch', 'scaled_to_zero', 'pod_creation_blocked', 'ingress_service_missing']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'gap-but-image',
    'Recreate, but the new pods cannot get their image',
    shop => {
      shop.workload.spec.strategy = { type: 'Recreate' }
      const { fresh } = rollsOut(shop, -400, -390)
      shop.waitsFor(fresh, 'ErrImagePull', 'manifest for registry.example.com/app:2.5 not found')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'image_pull_failed',
        must_cite: [`${ref(fresh[0]!)} state.waiting.reason=ErrImagePull`],
        must_not: ['rollout_gap', 'scaled_to_zero']
      }
    },
    APP
  ),

  shopCase(
    'zero-manual',
    'somebody scaled it to nothing',
    shop => {
      scalesToZero(shop, -600)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        variant: 'manual',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`, `Event ${ref(shop.workload)} reason=ScalingReplicaSet`],
        must_not: ['selector_mismatch', 'rollout_gap', 'pod_creation_blocked']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'zero-keda',
    'KEDA let it sleep',
    shop => {
      scalesToZero(shop, -900)
      const range = { min: 1, max: 10, current: 0, cpuPercent: 0 }
      const hpa = shop.add(autoscaler(shop.workload, range, [], shop.at(-30 * DAY)))
      hpa.metadata.name = `keda-hpa-${shop.app}`
      hpa.metadata.labels = { 'app.kubernetes.io/managed-by': 'keda-operator', 'scaledobject.keda.sh/name': shop.app }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        variant: 'keda',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['autoscaler_limited', 'selector_mismatch']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'zero-undated',
    'scaled to nothing, and no event tells when',
    shop => {
      scalesToZero(shop, null)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        confidence_max: 0.84,
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['selector_mismatch', 'pod_creation_blocked']
      }
    },
    { ...APP, replicas: 0 }
  ),

  shopCase(
    'zero-then-more',
    'at nothing when it failed, scaled up a minute later',
    shop => {
      shop.workload.spec.replicas = 0
      shop.saw('ADDED', shop.workload, -HOUR)
      const { name } = shop.replicaSet!.metadata
      shop.addEvent(shop.workload, 'ScalingReplicaSet', `Scaled down replica set ${name} to 0 from 2`, {
        first: -2000,
        type: 'Normal'
      })
      shop.workload.spec.replicas = 2
      shop.saw('MODIFIED', shop.workload, 60)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['rollout_gap', 'readiness_failing', 'selector_mismatch']
      }
    },
    { ...APP, podsCreated: 61, now: 300 }
  ),

  shopCase(
    'zero-of-other',
    'another workload is at zero; ours is not ready',
    shop => {
      const [pod] = shop.pods
      const other = shop.addWorkload('Deployment', 'nightly', { replicas: 0 })
      shop.unready(pod, -200)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 500'
      shop.addEvent(pod, 'Unhealthy', message, { first: -230, last: 5, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['scaled_to_zero', `cite:${ref(other)}`]
      }
    },
    { ...APP, replicas: 1 }
  ),

  blockedCase(
    'blocked-quota',
    'quota',
    'exceeded quota: team, requested: pods=1, used: pods=20, limited: pods=20',
    'Deployment'
  ),
  blockedCase(
    'blocked-range',
    'limit_range',
    'maximum memory usage per Container is 128Mi, but limit is 256Mi',
    'Deployment'
  ),
  blockedCase(
    'blocked-security',
    'pod_security',
    'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    'StatefulSet'
  ),
  blockedCase(
    'blocked-webhook',
    'webhook',
    'failed calling webhook "validate.policy.example.com": context deadline exceeded',
    'Deployment'
  ),
  blockedCase(
    'blocked-account',
    'service_account',
    'error looking up service account: serviceaccount "web" not found',
    'Deployment'
  ),

  shopCase(
    'blocked-condition',
    'the events are gone, but the ReplicaSet still says ReplicaFailure',
    shop => {
      const set = shop.replicaSet!
      for (const pod of shop.pods) shop.remove(pod)
      const message = 'pods "x" is forbidden: exceeded quota: team, requested: limits.memory=256Mi'
      const lastTransitionTime = shop.at(-3 * HOUR)
      set.status = {
        replicas: 0,
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message, lastTransitionTime }]
      }
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'pod_creation_blocked',
        must_cite: [`${ref(set)} conditions[ReplicaFailure].status=True`],
        must_not: ['scaled_to_zero', 'selector_mismatch', 'rollout_gap']
      }
    },
    APP
  ),

  shopCase(
    'blocked-other',
    'the quota stopped another workload; ours is scaled to nothing',
    shop => {
      const set = shop.addReplicaSet(shop.addWorkload('Deployment', 'nightly'))
      const message = 'Error creating: pods "nightly-1" is forbidden: exceeded quota: team, requested: pods=1'
      shop.addEvent(set, 'FailedCreate', message, { first: -500, last: 15 })
      scalesToZero(shop, -700)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'scaled_to_zero',
        must_cite: [`${ref(shop.workload)} spec.replicas=0`],
        must_not: ['pod_creation_blocked', `cite:${ref(set)}`]
      }
    },
    { ...APP, replicas: 0 }
  )
]
