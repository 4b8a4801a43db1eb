/**
 * The record of a cluster's state: events in the order in which a watch saw them, kept where other processes can read them:
 * in a Kafka topic, or in a folder. Every hour it holds a whole list, so that a reader need not begin at the beginning.
 */

import type { ClusterEvent } from './event.ts'

/**
 * An event as it is kept. Two watches that run by mistake write into one record: `writer` tells them apart, and `number`
 * counts the events of each, so that what was sent twice is known.
 */
export type RecordedEvent = ClusterEvent & { writer: string; number: number }

export interface ClusterRecordWriter {
  /** What it has done since it was opened. */
  readonly facts: RecordWriterFacts
  /**
   * Resolves when the events are durable, or were given up because too much waits (then `onOverflow` is told, and the
   * watch must list again). Order is kept whether or not the caller waits. Rejects with Why5xxError when nothing more can
   * be written, ever.
   */
  append(events: readonly ClusterEvent[]): Promise<void>
  /** Writes what waits, for a while. */
  close(): Promise<void>
}

export interface RecordWriterFacts {
  /** Events that are durable, by type. */
  events: Map<ClusterEvent['type'], number>
  /** Of those, as JSON. */
  bytes: number
  /** Events that were given up. */
  dropped: number
  /** Objects that were too large for one message, and were cut. */
  cut: number
  /** `at` of the last whole list that is durable, Unix ms; null: none yet. */
  listedMs: number | null
  /** `at` of the last heartbeat that is durable; null: none yet. */
  heartbeatMs: number | null
  /** Why nothing can be written just now; null: all is well. */
  pausedBecause: string | null
}

export function noFacts(): RecordWriterFacts {
  return { events: new Map(), bytes: 0, dropped: 0, cut: 0, listedMs: null, heartbeatMs: null, pausedBecause: null }
}

/** Counts events that have become durable. */
export function countDurable(facts: RecordWriterFacts, events: readonly ClusterEvent[], bytes: number): void {
  facts.bytes += bytes
  for (const event of events) {
    facts.events.set(event.type, (facts.events.get(event.type) ?? 0) + 1)
    if (isWholeListEnd(event)) facts.listedMs = event.at
    if (event.type === 'HEARTBEAT') facts.heartbeatMs = event.at
  }
}

/** The end of a list of everything. */
export function isWholeListEnd(event: ClusterEvent): boolean {
  return event.type === 'LIST_END' && event.isPartial !== true
}

/** What a reader tells. All of them return at once. */
export interface RecordHandlers {
  /** Once, before the first events: the list that it begins with. Moments before `atMs` are known by object times alone. */
  begins(atMs: number): void
  /** In order, beginning with a LIST_START. */
  events(events: readonly RecordedEvent[]): void
  /** Everything that is in the record just now was told, or there is no whole list in it yet. Comes again after more. */
  caughtUp(): void
  /** There is no record; the reader goes on looking for one. */
  missing(): void
}

export interface ClusterRecordReader {
  /** Reads no further than the first event behind this moment, until it is raised; Infinity: follows. */
  readTo(atMs: number): void
  close(): Promise<void>
}

export interface ClusterRecord {
  /**
   * Begins at the last whole list whose begin is at or before `fromMs`, else at the oldest there is, and follows. Returns at
   * once; what goes wrong later is logged and tried again.
   */
  read(fromMs: number, handlers: RecordHandlers): ClusterRecordReader
}
