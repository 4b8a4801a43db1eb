/** What is cited for a condition of a pod as it was at T. */

import { type Fact, field } from './fact.ts'
import type { PodView } from './podView.ts'
import { timeText } from './times.ts'

/**
 * Its status and since when. Read backwards, the change after T is cited, as the object tells it: the opposite was true
 * before.
 */
export function conditionFacts(pod: PodView, type: string, text: string): Fact[] {
  const { status, sinceMs, reason, message, isInferred, next } = pod.condition(type)
  const path = `status.conditions[${type}]`
  if (isInferred && next !== null) {
    const changed = `${type} became ${next.status} only at ${timeText(next.atMs)}`
    return [
      field(pod.history, `${path}.lastTransitionTime`, timeText(next.atMs), `${text}: ${changed}`, next.atMs),
      field(pod.history, `${path}.status`, next.status, changed, next.atMs)
    ]
  }
  if (status === null) return []
  const facts = [field(pod.history, `${path}.status`, status, text, sinceMs)]
  if (sinceMs !== null)
    facts.push(
      field(pod.history, `${path}.lastTransitionTime`, timeText(sinceMs), `since ${timeText(sinceMs)}`, sinceMs)
    )
  if (reason) facts.push(field(pod.history, `${path}.reason`, reason, `the reason is ${reason}`, sinceMs))
  if (message) facts.push(field(pod.history, `${path}.message`, message, message, sinceMs))
  return facts
}

export function readyFacts(pod: PodView, text: string): Fact[] {
  const { laterEnd, next } = pod.ready
  if (laterEnd === null) return conditionFacts(pod, 'Ready', text)
  const { path, startedMs, finishedMs } = laterEnd
  const from = timeText(startedMs!)
  const until = timeText(finishedMs)
  const why = `${text}: what ran then ended only at ${until}`
  // As the object tells it: it has become Ready again since.
  const status = conditionFacts(pod, 'Ready', text).filter(({ cite }) => cite.endsWith('.status=True'))
  return [
    ...status.map(fact => ({ ...fact, text: why })),
    field(pod.history, `${path}.finishedAt`, until, why, next?.atMs ?? null),
    field(pod.history, `${path}.startedAt`, from, `it ran since ${from}`, startedMs)
  ]
}
