import type { Workload } from '../../cluster/objects.ts'
import type { Current } from '../current.ts'
import { current } from '../current.ts'
import { type Fact, field } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'

/** So long after a rollout an error is likely its doing. */
const RECENT_MS = 30 * 60_000
const RECENT_BONUS = 0.15
const REVISION = 'deployment.kubernetes.io/revision'

/** The app answered 5xx itself. */
export const appError: Rule = {
  cause: 'app_error',
  isOfPod: true,
  judge(scene) {
    const { pod } = scene
    const status = scene.input.detail.upstreamStatus ?? scene.input.status
    if (status !== null && (status < 500 || status > 599)) return { because: `the pod answered ${status}` }
    if (pod === null) {
      const { service } = scene
      if (service === null) return null
      const { type = 'ClusterIP' } = service.object.spec ?? {}
      const needs = [field(service.history, 'spec.type', type, 'which pod answered is not known')]
      return {
        tier: 'C',
        ref: `Service ${service.history.namespace}/${service.history.name}`,
        atMs: null,
        needs,
        isUnobserved: true
      }
    }
    const { ready } = pod
    const rollout = recentRollout(scene)
    const text =
      ready.status === 'True'
        ? `${pod.ref} was Ready and answered ${status ?? '5xx'} itself`
        : `${pod.ref} answered ${status ?? '5xx'}`
    const finding: Finding = {
      tier: ready.status === 'True' ? 'C' : 'D',
      ref: pod.ref,
      atMs: rollout?.atMs ?? null,
      needs: [...readyFacts(pod, text).slice(0, 2), ...(rollout?.facts ?? [])],
      isInferred: ready.isInferred
    }
    const variant = rollout === null ? variantOf(scene) : 'after_rollout'
    if (variant !== null) finding.variant = variant
    if (rollout !== null)
      finding.adjustments = [[`its revision was rolled out at ${timeText(rollout.atMs)}`, RECENT_BONUS]]
    return finding
  }
}

/** Of one failure alone nothing tells whether other pods answer so too, unless there is no other. */
function variantOf({ pods, pod }: Scene): string | null {
  return pods.length === 1 && pods[0] === pod ? 'all_pods' : null
}

interface Rollout {
  atMs: number
  facts: Fact[]
}

/** The Deployment's current ReplicaSet was made in the half hour before T, and the pod is of it. */
function recentRollout(scene: Scene): Rollout | null {
  const { workload, parent, moment } = scene
  if (workload === null || workload.history.kind !== 'Deployment') return null
  const newest = currentReplicaSet(scene, workload)
  if (newest === null) return null
  const { createdMs } = newest.history
  if (createdMs === null || !moment.isWithin(createdMs - EPSILON_MS, createdMs + RECENT_MS)) return null
  if (parent !== null && parent.history.kind === 'ReplicaSet' && parent.history.uid !== newest.history.uid) return null
  const revision = workload.object.metadata.annotations?.[REVISION]
  const text = `a new revision was rolled out at ${timeText(createdMs)}`
  const facts = [
    field(
      newest.history,
      'metadata.creationTimestamp',
      newest.object.metadata.creationTimestamp ?? timeText(createdMs),
      text,
      createdMs
    )
  ]
  if (revision !== undefined)
    facts.unshift(
      field(
        workload.history,
        `metadata.annotations[${REVISION}]`,
        revision,
        `the Deployment is at revision ${revision}`
      )
    )
  return { atMs: createdMs, facts }
}

function replicaSets({ state, moment }: Scene, { history }: Current<Workload>): Current<Workload>[] {
  const found: Current<Workload>[] = []
  for (const owned of state.ownedBy(history.uid)) {
    if (owned.kind !== 'ReplicaSet') continue
    const at = current(owned as Current<Workload>['history'], moment)
    if (at !== null) found.push(at)
  }
  return found.sort((a, b) => (a.history.createdMs ?? 0) - (b.history.createdMs ?? 0))
}

/** The one of the Deployment's revision; where that is not told, the newest with pods. */
function currentReplicaSet(scene: Scene, workload: Current<Workload>): Current<Workload> | null {
  const all = replicaSets(scene, workload)
  const revision = workload.object.metadata.annotations?.[REVISION]
  const same = all.filter(({ object }) => object.metadata.annotations?.[REVISION] === revision)
  if (revision !== undefined && same.length > 0) return same.at(-1)!
  return all.findLast(({ object }) => (object.spec?.replicas ?? 0) > 0) ?? all.at(-1) ?? null
}
