/** Names of indices and ids of documents: pure, and the same for whoever writes, reads or sets up. */

import { createHash } from 'node:crypto'
import { Why5xxError } from '../../errors.ts'

/** Kinds whose documents lie in one index a day, so that retention follows the event. */
export const DAILY_KINDS = ['failure', 'controller', 'reject', 'rollup'] as const
/** Every kind has an index template of its own. Gaps of the source lie with the controller lines. */
export const KINDS = [...DAILY_KINDS, 'incident', 'state'] as const

export type DailyKind = (typeof DAILY_KINDS)[number]
export type Kind = (typeof KINDS)[number]

/** What all our indices, templates and policies begin with. */
export const PREFIX = 'why5xx'

/** Last day with four digits of a year: a line may claim any time. */
const DAY_MS_MAX = Date.UTC(9999, 11, 31)

/** `yyyy.MM.dd`, UTC. */
export function dayOf(timeMs: number): string {
  const inside = Math.min(Math.max(timeMs, 0), DAY_MS_MAX)
  return new Date(inside).toISOString().slice(0, 10).replaceAll('-', '.')
}

/** Names of the indices of one namespace: `why5xx-failure-default-2026.11.21`, `why5xx-state-default`. */
export class IndexNames {
  readonly namespace: string

  /**
   * Throws Why5xxError `WHY5XX_CONFIG`. A `-` in a namespace would let the pattern of one read the indices of another.
   */
  constructor(namespace: string) {
    if (!/^[a-z0-9_]{1,100}$/.test(namespace))
      throw new Why5xxError(
        'WHY5XX_CONFIG',
        `sink.elasticsearch.namespace: expected small letters, digits and _, at most 100, not ${JSON.stringify(namespace)}`
      )
    this.namespace = namespace
  }

  /** The index of a document, by the day of its `@timestamp` (Unix ms). */
  daily(kind: DailyKind, timeMs: number): string {
    return `${PREFIX}-${kind}-${this.namespace}-${dayOf(timeMs)}`
  }

  /** All days of a kind. */
  pattern(kind: DailyKind): string {
    return `${PREFIX}-${kind}-${this.namespace}-*`
  }

  /** All that is ours, and nothing of another namespace: roles are given for these. */
  get patterns(): [undated: string, daily: string] {
    return [`${PREFIX}-*-${this.namespace}`, `${PREFIX}-*-${this.namespace}-*`]
  }

  get state(): string {
    return `${PREFIX}-state-${this.namespace}`
  }

  get incident(): string {
    return `${PREFIX}-incident-${this.namespace}`
  }
}

/** Of the name of a daily index: begin of its day, Unix ms; null: the name tells no day. */
export function dayMsOf(index: string): number | null {
  const match = /-(\d{4})\.(\d\d)\.(\d\d)$/.exec(index)
  return match === null ? null : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
}

/** Id of the totals of one stream, minute and upstream name. */
export function rollupId(stream: string, minuteMs: number, upstream: string): string {
  return hash(['rollup', stream, String(minuteMs), upstream])
}

/** Id of what is remembered of a stream. */
export function stateId(stream: string): string {
  return hash(['stream', stream])
}

/** Id of what a process remembers beside its streams. */
export function engineId(instance: string): string {
  return hash(['engine', instance])
}

/** Id of a gap in the source: the same gap told again is the same document. */
export function gapId(name: string, atMs: number, text: string): string {
  return hash(['gap', name, String(atMs), text])
}

/** 132 bits, base64url, 22 characters. Parts may hold any text: JSON keeps them apart. */
function hash(parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}
