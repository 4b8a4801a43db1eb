import type { Pod, Workload } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { transitionsOf } from '../conditions.ts'
import type { Current } from '../current.ts'
import { covers, eventsOf } from '../events.ts'
import { eventFacts, type Fact, field, nameOf } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import { PodView } from '../podView.ts'
import { type GapStrategy, gapStrategy } from '../rolloutStrategy.ts'
import type { Exclusion, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { isCreating, unscheduledOf } from '../starting.ts'
import { timeText } from '../times.ts'
import { isOfKind, revisionOf, workloadsOf } from '../workloads.ts'

/** The new pods follow the old ones at once; what comes much later is another story. */
const FOLLOW_MS = 300_000
/** New pods that are cited, those first that were Ready first. */
const CITED_MAX = 4

/** A rollout took all old pods away before a new one was Ready. */
export const rolloutGap: Rule = {
  cause: 'rollout_gap',
  explains: ['readiness_failing'],
  judge(scene) {
    let excluded: Exclusion | null = null
    for (const workload of workloadsOf(scene)) {
      const result = judgeOne(scene, workload)
      if (result !== null && 'tier' in result) return result
      excluded ??= result
    }
    return excluded
  }
}

function judgeOne(scene: Scene, workload: Current<Workload>): Finding | Exclusion | null {
  const { moment, state } = scene
  const { history } = workload
  const gone = goneBefore(scene, workload)
  if (gone === null) return null
  const fresh = gone.fresh.filter(({ createdMs }) => createdMs === null || moment.isPast(createdMs - FOLLOW_MS))
  const pods = fresh.map(item => new PodView(item, state, moment))
  if (pods.length === 0) return null
  const news = pods.map(pod => ({ pod, readyMs: firstReadyMs(pod.history) }))
  if (news.some(({ readyMs }) => readyMs !== null && moment.isPast(readyMs + PROPAGATION_MS))) return null
  if (news.some(({ pod, readyMs }) => pod.wasReady && readyMs === null)) return null
  const strategy = gone.isRollout ? gapStrategy(workload) : ONE_BY_ONE
  if (strategy === null) return { because: `the strategy of ${nameOf(history)} keeps pods while it replaces them` }
  const failing = pods.find(hasError)
  if (failing !== undefined) return { because: `${failing.ref} had an error of its own` }
  const late = news.filter(({ readyMs }) => readyMs !== null).sort((a, b) => a.readyMs! - b.readyMs!)
  const needs: Fact[] = [...strategy.facts]
  for (const { pod, readyMs } of late.slice(0, CITED_MAX)) {
    const text = `${pod.ref}, a new pod, was Ready only at ${timeText(readyMs)}`
    const path = 'status.conditions[Ready]'
    needs.push(
      field(pod.history, `${path}.lastTransitionTime`, timeText(readyMs), text, readyMs),
      field(pod.history, `${path}.status`, 'True', text, readyMs)
    )
  }
  if (late.length === 0) {
    const { ref, history: pod } = pods[0]!
    needs.push(field(pod, 'status.conditions[Ready].status', 'False', `${ref}, a new pod, was not Ready yet`))
  }
  return {
    tier: strategy.tier,
    ref: nameOf(history),
    atMs: gone.atMs,
    needs: [...needs, ...gone.facts],
    supports: gone.supports,
    isUnobserved: late.length === 0
  }
}

/** No rollout, but the only pods were replaced all the same: by hand, or by a drain. */
const ONE_BY_ONE: GapStrategy = { tier: 'C', facts: [] }

interface Gone {
  /** A new revision replaces an old one; else the same one its own pods. */
  isRollout: boolean
  /** Pods of the newest revision. */
  fresh: History<Pod>[]
  /** When the old ones were told to go; null: not told. */
  atMs: number | null
  facts: Fact[]
  supports: Fact[]
}

/** That a rollout had taken the old pods away by T, and who followed; null: nothing tells of one. */
function goneBefore(scene: Scene, workload: Current<Workload>): Gone | null {
  const { history } = workload
  if (history.kind === 'Deployment')
    return byReplicaSets(scene, workload) ?? byOwnPods(scene, setsOf(scene, history).at(-1) ?? null)
  return history.kind === 'StatefulSet' ? (byRevisions(scene, history) ?? byOwnPods(scene, history)) : null
}

function byReplicaSets(scene: Scene, { history }: Current<Workload>): Gone | null {
  const { state, moment } = scene
  const sets = setsOf(scene, history)
  const newest = sets.at(-1)
  if (newest === undefined) return null
  const old = sets.slice(0, -1).filter(item => lastOf(item).spec?.replicas === 0)
  const event = eventsOf(state, history).findLast(
    ({ reason, message, firstMs }) =>
      reason === 'ScalingReplicaSet' &&
      /\bto 0\b/.test(message) &&
      !message.includes(newest.name) &&
      moment.isPast(firstMs - EPSILON_MS)
  )
  const gone = sets.slice(0, -1).flatMap(({ uid }) => podsOf(scene, uid))
  if (old.length === 0 && event === undefined && gone.length === 0) return null
  if (gone.some(pod => !pod.isBeingDeleted && !pod.isOver && !isGone(pod))) return null
  const former = old.at(-1)
  const atMs = event?.lastMs ?? latest(gone)
  const text = `${former === undefined ? 'the old ReplicaSet' : nameOf(former)} had been brought to 0`
  return {
    isRollout: true,
    fresh: podsOf(scene, newest.uid).map(pod => pod.history),
    atMs,
    facts: former === undefined ? [] : [field(former, 'spec.replicas', 0, text, atMs)],
    supports: event === undefined ? [] : eventFacts(event, event.lastMs, event.message)
  }
}

/** A StatefulSet's pod came back under its name with another revision. */
function byRevisions(scene: Scene, history: History): Gone | null {
  const pods = podsOf(scene, history.uid)
  const revision = ({ object }: PodView) => object.metadata.labels?.['controller-revision-hash']
  const fresh = pods.filter(pod =>
    pods.some(
      other =>
        other.history.name === pod.history.name &&
        (other.history.createdMs ?? 0) < (pod.history.createdMs ?? 0) &&
        revision(other) !== revision(pod)
    )
  )
  if (fresh.length === 0) return null
  const gone = pods.filter(pod => !fresh.includes(pod))
  if (gone.some(pod => !pod.isBeingDeleted && !isGone(pod))) return null
  return { isRollout: true, fresh: fresh.map(pod => pod.history), atMs: latest(gone), facts: [], supports: [] }
}

/** All its pods had gone, or were asked to, and others of the same revision came in their place. */
function byOwnPods(scene: Scene, maker: History | null): Gone | null {
  const pods = maker === null ? [] : podsOf(scene, maker.uid)
  const gone = pods.filter(pod => pod.isBeingDeleted || isGone(pod))
  const atMs = latest(gone)
  if (atMs === null) return null
  const fresh = pods.filter(pod => !gone.includes(pod))
  if (fresh.some(({ history }) => (history.createdMs ?? 0) < atMs - EPSILON_MS)) return null
  return { isRollout: false, fresh: fresh.map(pod => pod.history), atMs, facts: [], supports: [] }
}

/** By revision, the newest last; also those that were made after T. */
function setsOf({ state }: Scene, { uid }: History): History<Workload>[] {
  const sets = state.ownedBy(uid).filter(item => isOfKind(item, 'ReplicaSet'))
  return sets.sort((a, b) => revisionOf(lastOf(a)) - revisionOf(lastOf(b)) || (a.createdMs ?? 0) - (b.createdMs ?? 0))
}

function lastOf({ versions }: History<Workload>): Workload {
  return versions.at(-1)!.object
}

function podsOf({ state, moment }: Scene, owner: string): PodView[] {
  return state
    .ownedBy(owner)
    .filter(item => isOfKind(item, 'Pod'))
    .map(item => new PodView(item, state, moment))
}

function isGone({ history, moment }: PodView): boolean {
  return history.deletedMs !== null && moment.isPast(history.deletedMs - EPSILON_MS)
}

function latest(pods: readonly PodView[]): number | null {
  const times = pods.map(({ deletion }) => deletion?.requestedMs ?? null).filter(ms => ms !== null)
  return times.length === 0 ? null : Math.max(...times)
}

function firstReadyMs(history: History<Pod>): number | null {
  return transitionsOf(history, 'Ready').find(({ status }) => status === 'True')?.atMs ?? null
}

/** Something that keeps it from starting. Probes that fail before the process listens are how every start looks. */
function hasError(pod: PodView): boolean {
  if (pod.isOver || unscheduledOf(pod) !== null) return true
  const isStopped = pod.containers.some(({ name }) => {
    if (pod.terminations(name).some(({ finishedMs }) => pod.moment.isPast(finishedMs - EPSILON_MS))) return true
    return pod.waiting(name) !== null && !isCreating(pod)
  })
  const isTold = pod.events.some(span => {
    if (span.object.type !== 'Warning' || !covers(span, pod.moment)) return false
    return span.reason !== 'Unhealthy' || /statuscode/i.test(span.message)
  })
  return isStopped || isTold
}
