/** The cluster's state as a log of events: what a watch, a list or a file says, in one form. */

import type { Kind, KubeObject } from './objects.ts'

/**
 * One line of the record. `at` is when it was seen, Unix ms: by the watch that recorded it, or when a snapshot was taken.
 *
 *   ADDED, MODIFIED, DELETED   an object as it was then (DELETED: as it was last)
 *   LIST_START, LIST_END       between them every object of the kinds that could be read, as ADDED: what is not there is gone
 *   HEARTBEAT                  the watch lives, and everything before it has been recorded
 *   GAP_START, GAP_END         nothing of `kind` (null: of any) was seen between them; then either a list follows, or, where
 *                              the API still knew them, all changes of that time, late
 */
export type ClusterEvent = ObjectEvent | ListEvent | HeartbeatEvent | GapEvent

export interface ObjectEvent {
  at: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
}

/** Who may read what; on both ends of a list. */
export interface ListEvent {
  at: number
  type: 'LIST_START' | 'LIST_END'
  /** Kinds that are in the list, also when it holds no object of them. */
  kinds: Kind[]
  /** Kinds that could not be read, and why: a 403, an API that is not served. Nothing of them is ever called absent. */
  unreadable: Partial<Record<Kind, string>>
  /** The list holds these namespaces only; null: all. */
  namespaces: string[] | null
  /** After a gap: some kinds only. A reader of the record must not begin with it. */
  isPartial?: true
}

export interface HeartbeatEvent {
  at: number
  type: 'HEARTBEAT'
}

export interface GapEvent {
  at: number
  type: 'GAP_START' | 'GAP_END'
  kind: Kind | null
  /** GAP_START, where it was noticed late: since when nothing may have been seen, Unix ms. */
  since?: number
}
