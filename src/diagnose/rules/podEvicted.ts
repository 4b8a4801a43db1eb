import { drainOf, type Eviction, evictionOf, unseenEvictions } from '../eviction.ts'
import { type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import { PodView } from '../podView.ts'
import type { Exclusion, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { makerOf, siblingsOf } from '../siblings.ts'

/** A controller makes the next pod at once; a node's last word can take minutes. */
const SUCCESSOR_MS = 300_000

/** Kubelet, taint manager or a preemption removed the pod, and nothing has taken its place. */
export const podEvicted: Rule = {
  cause: 'pod_evicted',
  isOfPod: true,
  explains: ['termination_race', 'unschedulable', 'pod_creation_blocked', 'grace_period_too_short'],
  judge(scene) {
    if (scene.symptom === 'no_endpoints') return scene.pod === null ? ofGonePods(scene) : ofUnreadyPod(scene, scene.pod)
    const { pod, moment } = scene
    if (pod === null) return null
    const eviction = evictionOf(pod)
    if (eviction === null) return drainOf(pod) === null ? null : { because: `${pod.ref} was drained, not evicted` }
    const { atMs } = eviction
    if (atMs !== null && !moment.isWithin(atMs - EPSILON_MS, atMs + PROPAGATION_MS))
      return { because: `${pod.ref} was evicted at another time` }
    return findingOf(pod.ref, eviction)
  }
}

/** No endpoints: it was evicted at any time before T, or the pod that it replaces was. */
function ofUnreadyPod(scene: Scene, pod: PodView): Finding | Exclusion | null {
  const siblings = siblingsOf(scene, pod)
  const own = evictionOf(pod)
  if (own !== null && isPast(scene, own)) {
    if (isReplaced(own, siblings, pod)) return { because: `${pod.ref} was evicted, and another took its place` }
    return findingOf(pod.ref, own)
  }
  if (drainOf(pod) !== null) return { because: `${pod.ref} was drained, not evicted` }
  const before = evictedBefore(scene, pod, siblings)
  if (before === null) return null
  return findingOf(before.ref, before, successorFacts(pod))
}

/** Nothing came after: pods that the Service once selected, of which the last was evicted. */
function ofGonePods(scene: Scene): Finding | null {
  const { service, state, moment, pods } = scene
  const selector = service?.object.spec?.selector ?? {}
  if (service === null || pods.length > 0 || Object.keys(selector).length === 0) return null
  const gone = state
    .podsWithLabels(service.history.namespace, selector)
    .filter(({ createdMs }) => createdMs === null || moment.isPast(createdMs))
    .sort((a, b) => (a.createdMs ?? 0) - (b.createdMs ?? 0))
    .at(-1)
  if (gone === undefined) return null
  const pod = new PodView(gone, state, moment)
  const eviction = evictionOf(pod)
  return eviction === null || !isPast(scene, eviction) ? null : findingOf(pod.ref, eviction)
}

/** The eviction that made room for this pod; null: it was made for another reason, or has been Ready since. */
function evictedBefore(scene: Scene, pod: PodView, siblings: readonly PodView[]): (Eviction & { ref: string }) | null {
  const { createdMs } = pod.history
  const maker = makerOf(pod.history)
  if (createdMs === null || maker === null || pod.wasReady) return null
  const seen = siblings.flatMap(sibling => {
    const eviction = evictionOf(sibling)
    return eviction === null ? [] : [{ ...eviction, ref: sibling.ref }]
  })
  const all = [...seen, ...unseenEvictions(scene, pod.history.namespace, maker)]
  // A name that comes back may take its time: the old pod must be gone first.
  const before = all.filter(({ atMs, ref }) => {
    if (atMs === null || atMs - EPSILON_MS > createdMs) return false
    return createdMs - atMs <= SUCCESSOR_MS || ref === pod.ref
  })
  return before.sort((a, b) => b.atMs! - a.atMs!)[0] ?? null
}

/** A later pod was Ready since; or the one that waits now came much later, so that another had been there between. */
function isReplaced({ atMs }: Eviction, siblings: readonly PodView[], pod: PodView): boolean {
  const evictedMs = atMs ?? pod.history.createdMs ?? Number.NEGATIVE_INFINITY
  const born = ({ history }: PodView): number => history.createdMs ?? Number.NEGATIVE_INFINITY
  const later = siblings.filter(item => born(item) >= evictedMs - EPSILON_MS && item.moment.isPast(born(item)))
  if (later.some(item => item.wasReady)) return true
  const waiting = later.filter(item => evictionOf(item) === null)
  return waiting.length > 0 && waiting.every(item => born(item) > evictedMs + SUCCESSOR_MS)
}

function isPast({ moment }: Scene, { atMs }: Eviction): boolean {
  return atMs === null || moment.isPast(atMs - EPSILON_MS)
}

function successorFacts(pod: PodView): Fact[] {
  const { status, reason, sinceMs } = pod.condition('PodScheduled')
  if (status === 'False') {
    const text = `${pod.ref}, which replaces it, is not scheduled`
    const path = 'status.conditions[PodScheduled]'
    return [
      field(pod.history, `${path}.status`, 'False', text, sinceMs),
      ...(reason === null ? [] : [field(pod.history, `${path}.reason`, reason, text, sinceMs)])
    ]
  }
  const text = `${pod.ref}, which replaces it, was not Ready`
  return [field(pod.history, 'status.conditions[Ready].status', pod.ready.status, text, pod.ready.sinceMs)]
}

function findingOf(ref: string, { atMs, facts }: Eviction, more: readonly Fact[] = []): Finding {
  return { tier: 'A', ref, atMs, needs: [...facts, ...more], isUnobserved: atMs === null }
}
