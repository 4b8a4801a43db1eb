/** From sightings to histories: what was seen becomes versions, an end, and how sure both are. */

import { apiTime } from './apiTime.ts'
import type { Coverage } from './coverage.ts'
import { isHeartbeatOf } from './nodeHeartbeat.ts'
import { compareVersions, type Sighting, seenTo } from './sightingOrder.ts'
import type { SightingLog } from './sightings.ts'
import type { History, Version } from './state.ts'

/** A history, and what only its making tells. */
export interface Life {
  history: History
  /** Beside `history.versions`: until when each is known to have held. */
  knownTo: readonly number[]
}

/** A watch tells of a new object within this; a watch that tells of an older one has just begun. */
const ADDED_WITHIN_MS = 10_000

interface Draft {
  versions: Version<History['versions'][number]['object']>[]
  knownTo: number[]
  /** The last sight of it. */
  seenMs: number
  deletedMs: number | null
  isDeletionApproximate: boolean
}

/**
 * Nearly always one. An object that comes back after its end, as one without uid can, has several, oldest first; they
 * share their uid. `namesakes` are the logs of other uids under the same name.
 */
export function livesOf(log: SightingLog, namesakes: readonly SightingLog[], coverage: Coverage): Life[] {
  const drafts: Draft[] = []
  let draft: Draft | null = null
  let deletion: Sighting | null = null
  for (const sighting of log.sightings()) {
    if (deletion !== null) {
      // A list of an old cache can still show what was deleted before it.
      if (sighting.type === 'DELETED' || isNotNewer(sighting, deletion)) continue
      deletion = null
      draft = null
    }
    if (draft !== null && log.isUidMadeUp) {
      const missedMs = coverage.nextListMs(log.kind, log.namespace, draft.seenMs)
      if (missedMs < sighting.at) {
        end(draft, missedMs)
        draft = null
      }
    }
    if (draft === null) {
      draft = { versions: [], knownTo: [], seenMs: sighting.at, deletedMs: null, isDeletionApproximate: false }
      drafts.push(draft)
    }
    see(draft, sighting, log, coverage)
    if (sighting.type === 'DELETED') {
      deletion = sighting
      draft.deletedMs = sighting.at
    }
  }
  if (draft !== null && deletion === null) {
    const missedMs = coverage.nextListMs(log.kind, log.namespace, draft.seenMs)
    const endMs = Math.min(missedMs, succeededMs(log, draft.seenMs, namesakes))
    if (endMs !== Number.POSITIVE_INFINITY) end(draft, endMs)
  }
  return drafts.map(done => lifeOf(done, log, coverage))
}

/** Unix ms; null: the object does not tell. */
export function createdMs(object: { metadata: { creationTimestamp?: string } }): number | null {
  return apiTime(object.metadata.creationTimestamp)
}

function isNotNewer({ version }: Sighting, deletion: Sighting): boolean {
  return (version !== null && version === deletion.version) || compareVersions(version, deletion.version) < 0
}

function end(draft: Draft, ms: number): void {
  draft.deletedMs = ms
  draft.isDeletionApproximate = true
}

function see(draft: Draft, sighting: Sighting, log: SightingLog, coverage: Coverage): void {
  const isFirst = draft.versions.length === 0
  const last = draft.versions.at(-1)
  if (last !== undefined && !sighting.repeats && isHeartbeatOf(last.object, sighting.object)) {
    // The newest heartbeat counts; when the node came to be so does not change.
    last.object = sighting.object as Version<never>['object']
  } else if (isFirst || !sighting.repeats) {
    if (!isFirst) draft.knownTo[draft.versions.length - 1] = coverage.lastKnownMs(log.kind, draft.seenMs, sighting.at)
    const isObserved = isFirst
      ? isBirth(sighting, log, coverage)
      : !isListed(sighting, log, coverage) && !coverage.hasGap(log.kind, draft.seenMs, sighting.at)
    draft.versions.push({ atMs: sighting.at, isObserved, object: sighting.object as Version<never>['object'] })
  }
  draft.seenMs = Math.max(draft.seenMs, seenTo(sighting))
  draft.knownTo[draft.versions.length - 1] = draft.seenMs
}

function isListed(sighting: Sighting, log: SightingLog, coverage: Coverage): boolean {
  return sighting.type === 'ADDED' && coverage.isInList(log.kind, log.namespace, sighting.at)
}

/** A watch saw the object come into being. */
function isBirth(sighting: Sighting, log: SightingLog, coverage: Coverage): boolean {
  if (sighting.type !== 'ADDED' || isListed(sighting, log, coverage)) return false
  const created = createdMs(sighting.object)
  return created === null || sighting.at - created <= ADDED_WITHIN_MS
}

/** When another object was first known to have the name; Infinity: none has. It cannot have come before this one went. */
function succeededMs(log: SightingLog, seenMs: number, namesakes: readonly SightingLog[]): number {
  let first = Number.POSITIVE_INFINITY
  for (const other of namesakes) {
    let at = other.firstAfter(seenMs)
    if (other.firstAt === seenMs && isYounger(other, log)) at = seenMs
    if (at === Number.POSITIVE_INFINITY) continue
    const created = createdMs(other.sightings()[0]!.object)
    first = Math.min(first, created === null ? at : Math.max(seenMs, Math.min(at, created)))
  }
  return first
}

/** Of two objects that were seen under one name at one moment. */
function isYounger(log: SightingLog, other: SightingLog): boolean {
  const one = log.sightings()[0]!
  const two = other.sightings()[0]!
  const byTime = (createdMs(one.object) ?? 0) - (createdMs(two.object) ?? 0)
  return byTime !== 0 ? byTime > 0 : compareVersions(one.version, two.version) > 0
}

function lifeOf(draft: Draft, log: SightingLog, coverage: Coverage): Life {
  const { versions, knownTo, deletedMs, isDeletionApproximate } = draft
  const last = knownTo.length - 1
  if (isDeletionApproximate) knownTo[last] = coverage.lastKnownMs(log.kind, draft.seenMs, deletedMs!)
  else knownTo[last] = deletedMs ?? Number.POSITIVE_INFINITY
  const born = versions.map(version => createdMs(version.object)).find(ms => ms !== null) ?? null
  const { kind, namespace, name, uid } = log
  const history: History = {
    kind,
    namespace,
    name,
    uid,
    versions,
    createdMs: born,
    deletedMs,
    isDeletionApproximate
  }
  return { history, knownTo }
}
