/** Pods that were put out by kubelet, taint manager or scheduler; a drain through the API is none of these. */

import { listOf } from './conditions.ts'
import { type EventSpan, spanOf } from './events.ts'
import { eventFacts, type Fact, field } from './fact.ts'
import type { PodView } from './podView.ts'
import type { Scene } from './scene.ts'
import { timeOf } from './times.ts'

export interface Eviction {
  /** When, Unix ms; null: nothing tells. */
  atMs: number | null
  /** Who says so, the surest first. */
  facts: Fact[]
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['TerminationByKubelet', 'the kubelet ended it for lack of a resource on its node'],
  ['DeletionByTaintManager', 'a taint of its node put it out'],
  ['PreemptionByScheduler', 'a pod of higher priority took its place'],
  ['PreemptionByKubeScheduler', 'a pod of higher priority took its place']
])
const EVENT_REASONS: ReadonlySet<string> = new Set(['Evicted', 'Preempted', 'TaintManagerEviction'])
const BY_API = 'EvictionByEvictionAPI'

/** Whether and when a pod was evicted, whatever the moment asked. null: nothing says so. */
export function evictionOf(pod: PodView): Eviction | null {
  if (drainOf(pod) !== null) return null
  const { history } = pod
  const facts: Fact[] = []
  let atMs: number | null = null
  for (const { atMs: seenMs, isObserved, object } of history.versions) {
    const { reason, message, conditions } = object.status ?? {}
    const disruption = listOf(conditions).find(({ type, status }) => type === 'DisruptionTarget' && status === 'True')
    const why = REASONS.get(disruption?.reason ?? '')
    if (disruption !== undefined && why !== undefined) {
      const sinceMs = timeOf(disruption.lastTransitionTime) ?? (isObserved ? seenMs : null)
      atMs ??= sinceMs
      const path = 'status.conditions[DisruptionTarget].reason'
      facts.push(field(history, path, disruption.reason, `${pod.ref} was evicted: ${why}`, sinceMs))
    }
    if (reason !== 'Evicted') continue
    const text = `${pod.ref} was evicted${message === undefined ? '' : `: ${message}`}`
    facts.push(field(history, 'status.reason', 'Evicted', text))
    if (message !== undefined) facts.push(field(history, 'status.message', message, text))
    if (isObserved && atMs === null) atMs = seenMs
  }
  for (const span of pod.events.filter(isEviction)) {
    atMs = atMs === null ? span.firstMs : Math.min(atMs, span.firstMs)
    facts.push(...eventFacts(span, span.firstMs, `${pod.ref}: ${span.message}`))
  }
  if (facts.length === 0) return null
  return { atMs: atMs ?? endOf(pod), facts: onceEach(facts) }
}

/** Since when a drain asks the pod to go (`kubectl drain`, the API for evictions); null: none does. */
export function drainOf(pod: PodView): Fact | null {
  for (const { object } of pod.history.versions) {
    const condition = listOf(object.status?.conditions).find(
      ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === BY_API
    )
    if (condition === undefined) continue
    const text = 'it was asked to go through the API for evictions: a drain'
    const sinceMs = timeOf(condition.lastTransitionTime)
    return field(pod.history, 'status.conditions[DisruptionTarget].reason', BY_API, text, sinceMs)
  }
  return null
}

/** Evictions of pods that were never seen themselves, by the Events about them: those that a workload of that name made. */
export function unseenEvictions(scene: Scene, namespace: string, workload: string): (Eviction & { ref: string })[] {
  const found: (Eviction & { ref: string })[] = []
  for (const history of scene.state.all('Event', namespace)) {
    const span = spanOf(history)
    const { kind, name = '', uid = '' } = span.object.involvedObject ?? {}
    if (!isEviction(span) || kind !== 'Pod' || !name.startsWith(`${workload}-`)) continue
    if (scene.state.byUid('Pod', uid) !== null) continue
    const facts = eventFacts(span, span.firstMs, `Pod ${namespace}/${name}: ${span.message}`)
    found.push({ atMs: span.firstMs, facts, ref: `Pod ${namespace}/${name}` })
  }
  return found
}

function isEviction({ reason, message }: EventSpan): boolean {
  return EVENT_REASONS.has(reason) && !message.startsWith('Cancelling')
}

/** When its containers ended, or it stopped being Ready, or was deleted. */
function endOf(pod: PodView): number | null {
  const ends = pod.containers.flatMap(({ name }) => pod.terminations(name).map(({ finishedMs }) => finishedMs))
  const { sinceMs, status, next } = pod.ready
  const unready = status === 'False' ? sinceMs : next?.status === 'False' ? next.atMs : null
  return ends.length > 0 ? Math.max(...ends) : (unready ?? pod.deletion?.requestedMs ?? null)
}

function onceEach(facts: readonly Fact[]): Fact[] {
  return [...new Map(facts.map(fact => [fact.cite, fact])).values()]
}
