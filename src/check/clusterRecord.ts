/** Whether the recorded state of the cluster is there, and a watch writes to it. */

import type { ClusterRecord, RecordedEvent } from '../cluster/record.ts'
import { isWholeListEnd } from '../cluster/record.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

/** A watch that lives is heard every 2 s. */
const AWAY_MS = 15_000
const RUN_WATCH = 'start one: why5xx run --set roles=watch --set kubernetes.api=in-cluster (or kubeconfig)'

export interface RecordFacts {
  isMissing: boolean
  /** Of the newest heartbeat, Unix ms; null: none was read. */
  heartbeatMs: number | null
  /** Of the newest whole list. */
  listedMs: number | null
}

/** From the last list before `nowMs` to the end; gives up after `waitMs` with what was read until then. */
export async function readRecordFacts(
  record: ClusterRecord,
  nowMs: number,
  wait: () => Promise<unknown>
): Promise<RecordFacts> {
  const facts: RecordFacts = { isMissing: false, heartbeatMs: null, listedMs: null }
  let end: () => void = () => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  const reader = record.read(nowMs, {
    begins: () => {},
    events(events: readonly RecordedEvent[]) {
      for (const event of events) {
        if (event.type === 'HEARTBEAT') facts.heartbeatMs = Math.max(facts.heartbeatMs ?? 0, event.at)
        if (isWholeListEnd(event)) facts.listedMs = Math.max(facts.listedMs ?? 0, event.at)
      }
    },
    caughtUp: () => end(),
    missing() {
      facts.isMissing = true
      end()
    }
  })
  reader.readTo(Number.POSITIVE_INFINITY)
  await Promise.race([ended, wait()])
  await reader.close()
  return facts
}

/** `about`: `kubernetes.topic`, or the folder's option. `isNeeded`: somebody is configured to read it. */
export function recordFinding(about: string, place: string, facts: RecordFacts, nowMs: number): Finding {
  const { isMissing, heartbeatMs, listedMs } = facts
  if (isMissing)
    return hint(about, `${place}: no state of the cluster is recorded, so causes come without root causes`, RUN_WATCH)
  if (listedMs === null)
    return problem(
      about,
      `${place}: there is no whole list of the cluster in it`,
      `look at the log of the watch role, or ${RUN_WATCH}`
    )
  const newestMs = Math.max(listedMs, heartbeatMs ?? 0)
  const seconds = Math.max(0, Math.round((nowMs - newestMs) / 1_000))
  if (nowMs - newestMs > AWAY_MS)
    return problem(
      about,
      `${place}: the watch was heard ${seconds} s ago for the last time`,
      `look at its log, or ${RUN_WATCH}`
    )
  return ok(
    about,
    `${place}: the watch was heard ${seconds} s ago, the last whole list is of ${new Date(listedMs).toISOString()}`
  )
}
