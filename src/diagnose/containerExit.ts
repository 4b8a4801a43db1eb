/** Why an instance of a container ended, as far as its status and the pod's Events tell. */

import { covers, type EventSpan } from './events.ts'
import { type Fact, field } from './fact.ts'
import { EPSILON_MS } from './moment.ts'
import type { PodView, Termination } from './podView.ts'
import { timeText } from './times.ts'

/** `crash`: by itself, or by a signal that nobody explains. */
export type ExitKind = 'oom' | 'probe' | 'start' | 'crash'

/** SIGTERM. The runtime's OOM counter is cumulative: with this code the exit was asked for, whatever the reason says. */
export const TERMINATED = 143
const START_REASONS: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun'])
/** Not executable, not found, and what runtimes say when a process cannot be begun. */
const START_CODES: ReadonlySet<number> = new Set([126, 127, 128])
const PROBE_KILL = /failed (liveness|startup) probe/
/** A kill by a probe explains what happens so long after it. */
const KILL_MS = 120_000

export function exitKind(pod: PodView, container: string, termination: Termination): ExitKind {
  if (probeKill(pod, container, termination) !== null) return 'probe'
  if (isOutOfMemory(termination)) return 'oom'
  return isStartFailure(termination) ? 'start' : 'crash'
}

export function isOutOfMemory({ reason, exitCode }: Termination): boolean {
  return reason === 'OOMKilled' && exitCode !== TERMINATED
}

export function isStartFailure({ reason, exitCode }: Termination): boolean {
  return START_REASONS.has(reason ?? '') || (exitCode !== null && START_CODES.has(exitCode))
}

export interface ProbeKill {
  event: EventSpan
  probe: 'liveness' | 'startup'
}

/**
 * The Event of a liveness or startup probe that had the container killed around T. One that was before the instance began
 * killed another: it does not explain this end. `termination` null: nothing tells of an end.
 */
export function probeKill(pod: PodView, container: string, termination: Termination | null): ProbeKill | null {
  const { livenessProbe, startupProbe } = pod.container(container) ?? {}
  const periodMs = Math.max(livenessProbe?.periodSeconds ?? 0, startupProbe?.periodSeconds ?? 0) * 1000
  for (const event of pod.events.toReversed()) {
    const { reason, message, firstMs, lastMs } = event
    const probe = reason === 'Killing' ? PROBE_KILL.exec(message)?.[1] : undefined
    if (probe === undefined || !isAbout(event, container)) continue
    const isNear = pod.moment.isWithin(lastMs - EPSILON_MS, lastMs + KILL_MS) || covers(event, pod.moment, periodMs)
    if (!isNear) continue
    if (termination !== null) {
      const { startedMs, finishedMs } = termination
      if (firstMs > finishedMs + EPSILON_MS || (startedMs !== null && lastMs < startedMs - EPSILON_MS)) continue
    }
    return { event, probe: probe as ProbeKill['probe'] }
  }
  return null
}

/** By `fieldPath`; where that is missing, by the name in the message. */
export function isAbout({ container, message }: EventSpan, name: string): boolean {
  if (container !== null) return container === name
  const named = /\bcontainer "?([a-z0-9][-a-z0-9]*)"?/i.exec(message)?.[1]
  return named === undefined || named === name || !/^(?:[Cc]ontainer|Back-off)/.test(message)
}

/** Everything that is told of an end, wherever a version tells it. */
export function terminationFacts({ history }: PodView, termination: Termination, text: string): Fact[] {
  const { paths, reason, exitCode, message, finishedMs } = termination
  const ended = timeText(finishedMs)
  return paths.flatMap(path => [
    ...(reason === null ? [] : [field(history, `${path}.reason`, reason, text, finishedMs)]),
    ...(exitCode === null
      ? []
      : [field(history, `${path}.exitCode`, exitCode, `it ended with exit code ${exitCode}`, finishedMs)]),
    ...(message === null
      ? []
      : [field(history, `${path}.message`, message, `its last words: ${message.slice(0, 200)}`, finishedMs)]),
    field(history, `${path}.finishedAt`, ended, `it ended at ${ended}`, finishedMs)
  ])
}
