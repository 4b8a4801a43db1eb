import type { Container } from '../../cluster/objects.ts'
import { eventsOf } from '../events.ts'
import { drainOf } from '../eviction.ts'
import { absent, eventFacts, type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import type { Deletion, PodView } from '../podView.ts'
import type { Rule } from '../rule.ts'
import { ownersOf, type Scene } from '../scene.ts'
import { replicaSetsOf } from '../workloads.ts'

/** A deletion that follows later than this has nothing to do with the failure. */
const SOON_MS = 60_000

/** The pod had been asked to go, and the proxy had not heard of it yet: removal and SIGTERM begin in the same moment. */
export const terminationRace: Rule = {
  cause: 'termination_race',
  isOfPod: true,
  explains: ['app_crash'],
  judge(scene) {
    const { pod, moment } = scene
    const deletion = pod?.deletion ?? null
    if (pod === null || deletion === null) return null
    const { requestedMs } = deletion
    if (!moment.isPast(requestedMs - SOON_MS)) return null
    if (!moment.isPast(requestedMs - EPSILON_MS))
      return { because: `${pod.ref} was asked to go only after the failure` }
    if (moment.isAfter(requestedMs + PROPAGATION_MS))
      return { because: `${pod.ref} was asked to go more than ${PROPAGATION_MS / 1000} s before` }
    const { variant, why } = variantOf(scene, pod, deletion)
    return {
      tier: 'A',
      variant,
      ref: pod.ref,
      atMs: requestedMs,
      needs: [...deletionFacts(pod, deletion), ...lifecycleFacts(scene, pod)],
      supports: why
    }
  }
}

/** How the deletion is known: by the object, the kubelet, or the watch that saw it go. */
export function deletionFacts(pod: PodView, { timestamp, requestedMs, graceMs }: Deletion): Fact[] {
  const { history, killing } = pod
  const facts: Fact[] = []
  if (timestamp !== null) {
    const text = `${pod.ref} was asked to go: its grace period of ${graceMs / 1000} s ends at ${timestamp}`
    facts.push(
      field(history, 'metadata.deletionTimestamp', timestamp, text, requestedMs),
      field(history, 'metadata.deletionGracePeriodSeconds', graceMs / 1000, text, requestedMs)
    )
  }
  if (killing !== null) facts.push(...eventFacts(killing, killing.firstMs, `${pod.ref}: ${killing.message}`))
  if (facts.length === 0)
    facts.push(absent('Pod', history.namespace, history.name, `${pod.ref} was deleted while it was watched`))
  return facts
}

/** What the serving container does before SIGTERM: nothing, or too little. */
function lifecycleFacts(scene: Scene, pod: PodView): Fact[] {
  const { container } = scene
  if (container === null) return []
  const path = `spec.containers[${container.name}].lifecycle`
  const { preStop } = container.lifecycle ?? {}
  if (preStop === undefined || preStop === null) {
    const text = `container ${container.name} has no preStop hook: it stops listening while requests still come`
    const where = container.lifecycle === undefined ? path : `${path}.preStop`
    return [field(pod.history, where, null, text)]
  }
  const text = `the preStop hook of container ${container.name} ends before the proxy has heard of it`
  const [where, value] = preStopValue(preStop)
  return [field(pod.history, `${path}.preStop.${where}`, value, text)]
}

function preStopValue({ sleep, exec }: NonNullable<NonNullable<Container['lifecycle']>['preStop']>): [string, string] {
  if (sleep !== undefined && sleep !== null) return ['sleep.seconds', String(sleep.seconds)]
  const command = Array.isArray(exec?.command) ? exec.command.join(' ') : null
  return command === null ? ['httpGet', 'present'] : ['exec.command', command]
}

interface Variant {
  variant: 'rollout' | 'scale_in' | 'drain' | 'manual'
  why: Fact[]
}

const NEAR_MS = 30_000

function variantOf(scene: Scene, pod: PodView, { requestedMs }: Deletion): Variant {
  const drain = drainOf(pod)
  if (drain !== null) return { variant: 'drain', why: [drain] }
  const owners = ownersOf(pod.history, scene.state, scene.moment)
  const [parent] = owners
  const top = owners.at(-1)
  if (parent === undefined || top === undefined) return { variant: 'manual', why: [] }
  if (parent !== top) {
    const newest = replicaSetsOf(scene, top).at(-1)
    if (newest !== undefined && newest.history.uid !== parent.history.uid && (newest.object.spec?.replicas ?? 1) > 0) {
      const text = `${newest.history.name} replaces ${parent.history.name}`
      const why = field(
        newest.history,
        'spec.replicas',
        newest.object.spec?.replicas ?? 1,
        text,
        newest.history.createdMs
      )
      return { variant: 'rollout', why: [why] }
    }
  }
  const scaling = [...eventsOf(scene.state, top.history), ...eventsOf(scene.state, parent.history)].find(
    ({ reason, message, firstMs, lastMs }) =>
      reason === 'ScalingReplicaSet' &&
      message.startsWith('Scaled down') &&
      message.includes(parent.history.name) &&
      requestedMs >= firstMs - NEAR_MS &&
      requestedMs <= lastMs + NEAR_MS
  )
  if (scaling !== undefined) return { variant: 'scale_in', why: eventFacts(scaling, scaling.lastMs, scaling.message) }
  if (hasShrunk(parent.history.versions, requestedMs) || isBeyondLast(pod, parent.object.spec?.replicas))
    return { variant: 'scale_in', why: [] }
  return { variant: isOldRevision(scene, pod) ? 'rollout' : 'manual', why: [] }
}

/** Its replicas were lowered about then. */
function hasShrunk(
  versions: readonly { atMs: number; object: { spec?: { replicas?: number } } }[],
  requestedMs: number
): boolean {
  return versions.some(({ atMs, object }, index) => {
    const before = versions[index - 1]?.object.spec?.replicas
    return Math.abs(atMs - requestedMs) <= NEAR_MS && before !== undefined && (object.spec?.replicas ?? before) < before
  })
}

/** A StatefulSet's pod with an ordinal that is no longer wanted. */
function isBeyondLast(pod: PodView, replicas: number | undefined): boolean {
  const ordinal = pod.object.metadata.labels?.['apps.kubernetes.io/pod-index'] ?? /-(\d+)$/.exec(pod.history.name)?.[1]
  const owner = pod.object.metadata.ownerReferences?.[0]?.kind
  return owner === 'StatefulSet' && ordinal !== undefined && replicas !== undefined && Number(ordinal) >= replicas
}

/** A pod of the same name or maker came back with another revision of the template. */
function isOldRevision(scene: Scene, pod: PodView): boolean {
  const revision = pod.object.metadata.labels?.['controller-revision-hash']
  if (revision === undefined) return false
  return scene.state.named('Pod', pod.history.namespace, pod.history.name).some(({ versions, createdMs }) => {
    const other = versions.at(-1)!.object.metadata.labels?.['controller-revision-hash']
    return (createdMs ?? 0) > (pod.history.createdMs ?? 0) && other !== undefined && other !== revision
  })
}
