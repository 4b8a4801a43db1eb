/** Which of several files of one controller is read next, and how far their common time has come. Pure. */

import { parseTimeText } from '../../parsers/time.ts'

const PEEK_BYTES = 1 << 16

/** What the head of a file holds. */
export type Content = 'access' | 'errors' | 'mixed'

/** The group of files that hold access lines alone, or error lines alone: one controller's `access.log` and `error.log`. */
export const GROUP = 'access and error logs'

/** One of several files that are read as one. */
export interface Merged {
  readonly content: Content
  /** Record time of its newest line that was read, Unix ms; -Infinity before the first. */
  readonly newestMs: number
}

/**
 * The file that is furthest behind; but before a chunk of access lines, files of error lines are read past its end, because
 * an error line must be there when its access line comes. `nextMsOf`: time of the last access line in the chunk that comes
 * next, NaN when none shows. null: there is none.
 */
export function pickNext<T extends Merged>(unread: readonly T[], nextMsOf: (file: T) => number): T | null {
  let best: T | null = null
  for (const file of unread) if (best === null || file.newestMs < best.newestMs) best = file
  if (best === null || best.content !== 'access') return best
  const nextMs = nextMsOf(best)
  if (Number.isNaN(nextMs)) return best
  return unread.find(file => file.content === 'errors' && file.newestMs <= nextMs) ?? best
}

/**
 * Record time up to which the windows of a group may be moved: that of its slowest stream with something to read. When all
 * are at their end that of the newest: nothing older is known to come. -Infinity: not at all yet.
 */
export function groupTimeMs(streams: Iterable<{ readonly isAtEnd: boolean; readonly newestMs: number }>): number {
  let slowest = Number.POSITIVE_INFINITY
  let newest = Number.NEGATIVE_INFINITY
  for (const { isAtEnd, newestMs } of streams) {
    if (!isAtEnd && newestMs < slowest) slowest = newestMs
    if (newestMs > newest) newest = newestMs
  }
  return slowest === Number.POSITIVE_INFINITY ? newest : slowest
}

/** What a file holds, by its first bytes. A file of lines with an envelope is `mixed`: they tell their pod themselves. */
export function contentOf(chunk: Uint8Array): Content {
  const text = latin1Head(chunk)
  const hasErrors = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[/m.test(text)
  const hasAccess = /"[A-Z]+ [^"]*" \d{3} \d+|^\{/m.test(text)
  const isEnveloped = /^\d{4}-\d\d-\d\dT[\d:.]+\S+ std(?:out|err) |^\[pod\/|^\{"log":/m.test(text)
  if (isEnveloped) return 'mixed'
  if (hasErrors) return hasAccess ? 'mixed' : 'errors'
  return hasAccess ? 'access' : 'mixed'
}

/** Time of the last access line in `chunk`, Unix ms; NaN when none shows. */
export function lastAccessTime(chunk: Uint8Array): number {
  const text = Buffer.from(chunk.subarray(Math.max(0, chunk.length - PEEK_BYTES))).toString('latin1')
  const stamps = text.match(/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/g)
  const last = stamps?.at(-1)
  if (!last) return lastJsonTime(text)
  const [, day, month, year, time, zone] = /\[(\d\d)\/(\w{3})\/(\d{4}):(\S+) ([+-]\d{4})\]/.exec(last)!
  return Date.parse(`${day} ${month} ${year} ${time} ${zone}`)
}

/** The same of lines that are JSON: the first value of the last line that reads as a time. */
function lastJsonTime(text: string): number {
  for (const line of text.split('\n').reverse()) {
    if (!line.startsWith('{')) continue
    const stamp = JSON_TIME.exec(line)
    const ms = stamp === null ? null : parseTimeText((stamp[1] ?? stamp[2])!)
    if (ms !== null) return ms
  }
  return NaN
}

/** `$time_iso8601`, `$time_local` in quotes; `$msec` with or without. */
const JSON_TIME =
  /:\s*(?:"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)|\d\d\/[A-Z][a-z]{2}\/\d{4}:[\d:]+ [+-]\d{4}|\d{10}\.\d{3})"|(\d{10}\.\d{3}))/

/** Offset of the container's clock from UTC, ms, by the first access line in `chunk`; null when none shows. */
export function zoneMsOf(chunk: Uint8Array): number | null {
  const zone = /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d ([+-])(\d\d)(\d\d)\]/.exec(latin1Head(chunk))
  return zone === null ? null : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000
}

function latin1Head(chunk: Uint8Array): string {
  return Buffer.from(chunk.subarray(0, PEEK_BYTES)).toString('latin1')
}
