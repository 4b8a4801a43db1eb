/** Back to the revision before, when the one that fails is young and the one before was available; and a new start of all pods. */

import type { Workload } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { timeText } from '../times.ts'
import { changed, type Named, patch, rolloutHistory, rolloutUndo } from './kubectl.ts'
import type { Remediation } from './remedy.ts'
import type { Target } from './target.ts'

/** A revision that ran longer was not what broke. */
const YOUNG_MS = 30 * 60_000
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'

export function undoRollout(target: Target): Remediation {
  const { workload } = target
  if (workload === null)
    return target.manual('which workload makes these pods is not known: look at their owner, and at its revisions')
  const commands = [rolloutHistory(workload), rolloutUndo(workload)]
  const revisions = revisionsOf(target, workload)
  const doubt = doubtOf(target, revisions)
  if (doubt !== null) return { ...target.manual(doubt), commands }
  const [young, before] = revisions as [Revision, Revision]
  return {
    commands,
    diff: [
      changed(workload, 'metadata.annotations[deployment.kubernetes.io/revision]', young.revision, before.revision)
    ],
    // The revision that was left is then the one before.
    undo: [rolloutUndo(workload)],
    manifest: null,
    note: `revision ${young.revision} was ${minutes(young.ageMs)} old, and ${before.revision} had been available; make sure that it fits its data and configuration`,
    isAutomatic: true
  }
}

interface Revision {
  revision: string
  ageMs: number
  wasAvailable: boolean
}

/** Newest first. */
function revisionsOf({ state, diagnosis }: Target, { kind, namespace, name }: Named): Revision[] {
  const deployment = kind === 'Deployment' ? state?.named('Deployment', namespace, name).at(-1) : undefined
  if (state === null || deployment === undefined) return []
  const nowMs = momentOf(diagnosis)
  return state
    .ownedBy(deployment.uid)
    .filter((owned): owned is History<Workload> => owned.kind === 'ReplicaSet' && owned.deletedMs === null)
    .flatMap(owned => {
      const revision = owned.versions.at(-1)!.object.metadata.annotations?.['deployment.kubernetes.io/revision']
      if (revision === undefined || owned.createdMs === null || nowMs === null || owned.createdMs > nowMs) return []
      const wasAvailable = owned.versions.some(({ object }) => (object.status?.availableReplicas ?? 0) > 0)
      return [{ revision, ageMs: nowMs - owned.createdMs, wasAvailable }]
    })
    .sort((a, b) => Number(b.revision) - Number(a.revision))
}

/** Why it may be wrong to go back; null: nothing speaks against it. */
function doubtOf({ state }: Target, [young, before]: readonly Revision[]): string | null {
  const look = 'look at the revisions first'
  if (state === null || young === undefined) return `how old the revision is, is not known: ${look}`
  if (before === undefined) return `no revision before it is known: ${look}`
  if (young.ageMs > YOUNG_MS)
    return `the revision was ${minutes(young.ageMs)} old: a rollout is not what broke; ${look}`
  if (!before.wasAvailable) return `whether the revision before was available is not known: ${look}`
  return null
}

/** The latest moment that the diagnosis tells of. */
function momentOf({ atMs, evidence }: Target['diagnosis']): number | null {
  const times = [atMs, ...evidence.map(fact => fact.atMs)].filter(ms => ms !== null)
  return times.length === 0 ? null : Math.max(...times)
}

function minutes(ms: number): string {
  return `${Math.max(1, Math.round(ms / 60_000))} min`
}

/** What `kubectl rollout restart` does, which has no dry run. */
export function restart(target: Target, workload: Named, note: string): Remediation {
  const at = timeText(momentOf(target.diagnosis)) ?? 'after-failure'
  const payload = { spec: { template: { metadata: { annotations: { [RESTARTED_AT]: at } } } } }
  return {
    commands: [patch(workload, 'strategic', payload)],
    diff: [changed(workload, `spec.template.metadata.annotations[${RESTARTED_AT}]`, undefined, at)],
    undo: [rolloutUndo(workload)],
    manifest: null,
    note,
    isAutomatic: true
  }
}
