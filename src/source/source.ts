/** The contract of everything that lines come from: files that are followed, stdin, Kafka partitions. */

import type { MessageBatch } from '../../parsers/messageBatch.ts'
import type { ReadPosition } from '../checkpoint.ts'
import type { ShipperRuns } from './shipperRuns.ts'

/** What is special about a partition. */
export interface StreamPartition {
  topic: string
  partition: number
  /** Recognises what the shipper sent before; its state is part of `place`. */
  shipper: ShipperRuns
}

/** Bytes in order from one place: one generation of a file, stdin, a partition. */
export interface SourceStream {
  /** Unique; stays the same over restarts, renames and compression. Given when the stream is met first. */
  readonly id: string
  /** What documents call it: the path by which it was found, `stdin`. */
  readonly name: string
  /**
   * Streams of one group are one controller's: its access log, its error log and what was rotated away from them; then the
   * pipeline moves the join's windows by `groupTimeMs`. null: the lines tell the pod, or else the name is the controller.
   */
  readonly group: string | null
  /** File time when it was opened, Unix ms; null without one. A last resort for klog's missing year. */
  readonly modifiedMs: number | null
  /** The first bytes, up to 1 KiB, as far as they were read: part of the id of lines without an envelope. */
  readonly head: Uint8Array
  /** Where reading goes on: the first chunk begins at `resume.from`. null: from its very beginning. */
  readonly resume: ReadPosition | null
  /** True while nothing unread is known to be there; of a partition: fetches answered empty. Kept by the source. */
  readonly isAtEnd: boolean
  /** Of a Kafka partition: it comes as messages, and positions are their offsets. What comes as bytes has none. */
  readonly partition?: StreamPartition
  /** Record time of its newest line, Unix ms; -Infinity before the first. Set by whoever reads the lines. */
  newestMs: number
  /**
   * What finds it again after a restart, as JSON: path, inode, fingerprints of its head and of what lies before `readTo`.
   * null: nothing does, a pipe is read once.
   */
  place(readTo: number): Record<string, unknown> | null
}

/** Bytes that nobody will ever read, or that nobody can count. */
export interface SourceGap {
  /** Name of the stream. */
  name: string
  /** Wall time at which it was noticed, Unix ms. */
  atMs: number
  /** null: unknown. */
  bytes: number | null
  reason: 'rotated_away' | 'truncated' | 'unreadable' | 'shipper' | 'expired'
  /** One sentence for people. */
  text: string
}

export type SourceEvent =
  /** Bytes as they come, lines cut anywhere; valid until the next event is asked for. */
  | { kind: 'chunk'; stream: SourceStream; bytes: Uint8Array }
  /** The same of a partition: offsets ascend, also from one batch to the next, and may have holes. */
  | { kind: 'messages'; stream: SourceStream; batch: MessageBatch }
  /** Another process reads the stream from now on: what waits of it here is dropped. It may come back, as a new object. */
  | { kind: 'lost'; stream: SourceStream }
  /**
   * Nothing more will come of the stream: its last line may lack the line feed. A stream with `resume` may end without a
   * chunk: there was nothing more, or it is gone, which a gap before this says.
   */
  | { kind: 'end'; stream: SourceStream }
  | { kind: 'gap'; gap: SourceGap }
  /** Nothing has come: every stream stands at its end, for `idleMs` now. At least once a second. */
  | { kind: 'idle'; idleMs: number }

/** What the store remembers of one stream: where it is, and how far it was read. */
export interface StreamState {
  stream: string
  place: Record<string, unknown>
  read: ReadPosition
  /** Failures of it that were written by then were judged a second time, Unix ms; left out: nobody does. */
  settledToMs?: number
  /** Read to its end, and gone: kept so that it is known again when it comes under another name. */
  isDone: boolean
}

/**
 * Streams that are remembered when they are done, the oldest are forgotten first: a file that is forgotten while it still
 * matches is read once more from its beginning, and counted twice. Its age does not tell whether it is still there.
 */
export const DONE_STREAMS_MAX = 20_000

export interface Source {
  /** What was read can be read again by the next process. Of what cannot, a stop decides what waits. */
  readonly isRepeatable: boolean
  /**
   * Yields until `signal` is aborted or, for what has an end, everything is read. Nothing is read ahead further than one
   * chunk: whoever does not ask for the next event stops the reading. Throws Why5xxError when nothing can be read at all;
   * what concerns one stream is a gap.
   */
  read(signal: AbortSignal): AsyncGenerator<SourceEvent>
  /** These are durable with everything they speak of: what is remembered elsewhere (a committed offset) may follow. */
  durable?(states: readonly StreamState[]): void
  /** These were not kept: another process has claimed their streams. Whoever still has them by right claims them anew. */
  lost?(states: readonly StreamState[]): void
  /** Ends what `read` leaves open when everything is durable: commits, leaves the consumer group. */
  close?(): Promise<void>
  readonly facts?: KafkaFacts
}

/** Of a Kafka source, for metrics. Counts are since the process started. */
export interface KafkaFacts {
  partitions: readonly {
    partition: number
    /** Offsets between what was read and the high watermark. */
    lagOffsets: number
    /** Offsets between what was committed and the high watermark. */
    committedLagOffsets: number
    isPaused: boolean
  }[]
  /** Lines that a shipper had sent before. */
  resends: number
  /** Times a partition began elsewhere than where it was left: its messages had expired. */
  offsetResets: number
  /** Times the group dealt out its partitions, but for the first. */
  rebalances: number
  /** Wall time of the last fetch or heartbeat, Unix ms; null before the first. */
  aliveMs: number | null
  hasJoined: boolean
  /** Of every partition of ours something was read, or there is nothing, and the brokers have just said how far each goes. */
  isWhole: boolean
}
