/** Was a container in a crash loop at T? Such a container may be up for moments: what counts is the loop. */

import { listOf } from './conditions.ts'
import { isAbout } from './containerExit.ts'
import { covers, type EventSpan } from './events.ts'
import { eventFacts, type Fact, field } from './fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from './moment.ts'
import { type PodView, statusIn, type Termination } from './podView.ts'
import { timeOf } from './times.ts'

export interface CrashLoop {
  container: string
  /** The newest end by T; when the status tells of a later one only, that one. null: none is told. */
  termination: Termination | null
  facts: Fact[]
  /** When it was said first, Unix ms. */
  sinceMs: number | null
  /** Only a status after T says so, of a pod that has not been Ready since before T. */
  isInferred: boolean
}

const RESTARTS_MIN = 3
const REASON = 'CrashLoopBackOff'

/** null: not in a loop, or the pod was Ready throughout T. */
export function crashLoopOf(pod: PodView, container: string): CrashLoop | null {
  const { moment, history, ready } = pod
  const isSoonUnready = ready.next?.status === 'False' && moment.isPast(ready.next.atMs - PROPAGATION_MS)
  if (ready.status === 'True' && !isSoonUnready && pod.down(container) === null) return null
  const said = pod.waitings(container).find(({ reason }) => reason === REASON)
  const later = said === undefined ? saidLater(pod, container) : null
  const waiting = said ?? later
  const backOff = backOffOf(pod, container)
  const at = pod.statusAt(container)
  const restarts = restartsOf(pod, container)
  if (!waiting && (backOff === null || restarts === null || restarts < RESTARTS_MIN)) return null
  const ends = pod.terminations(container)
  const termination = ends.findLast(({ finishedMs }) => moment.isPast(finishedMs - EPSILON_MS)) ?? ends[0] ?? null
  const facts: Fact[] = []
  if (waiting) {
    facts.push(field(history, `${waiting.path}.reason`, REASON, `container ${container} keeps dying`))
    if (waiting.message !== null)
      facts.push(field(history, `${waiting.path}.message`, waiting.message, waiting.message))
  }
  if (at !== null && restarts !== null)
    facts.push(field(history, `${at.path}.restartCount`, restarts, `it was restarted ${restarts} times`))
  if (backOff !== null)
    facts.push(...eventFacts(backOff, backOff.lastMs, `kubelet waits before it restarts ${container}`))
  const sinceMs = backOff?.firstMs ?? ready.sinceMs ?? termination?.finishedMs ?? null
  return { container, termination, facts, sinceMs, isInferred: later !== null && backOff === null }
}

/** The Event about waiting before the next restart, going on at T. */
function backOffOf(pod: PodView, container: string): EventSpan | null {
  return (
    pod.events.findLast(
      event =>
        event.reason === 'BackOff' &&
        event.message.includes('restarting failed container') &&
        isAbout(event, container) &&
        covers(event, pod.moment)
    ) ?? null
  )
}

function restartsOf(pod: PodView, container: string): number | null {
  const counts = pod.history.versions.map(({ object }) => statusIn(object, container)?.status.restartCount)
  const known = counts.filter(count => typeof count === 'number')
  return known.length === 0 ? null : Math.max(...known)
}

/** A version that tells of the loop, of a pod whose readiness has not changed between T and then. */
function saidLater(pod: PodView, container: string) {
  const { ready, moment, history } = pod
  for (const { object } of history.versions) {
    const found = statusIn(object, container)
    const waiting = found?.status.state?.waiting
    if (!found || waiting?.reason !== REASON) continue
    const condition = listOf(object.status?.conditions).find(({ type }) => type === 'Ready')
    const changedMs = timeOf(condition?.lastTransitionTime)
    if (condition?.status === 'True' || changedMs === null) continue
    if (changedMs === ready.sinceMs || (ready.status === 'True' && moment.isPast(changedMs - PROPAGATION_MS)))
      return { reason: REASON, message: waiting.message ?? null, path: `${found.path}.state.waiting` }
  }
  return null
}
