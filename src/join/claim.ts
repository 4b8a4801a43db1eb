/** Which of the waiting error lines belong to one request. */

import type { UpstreamAttempt } from '../../parsers/record.ts'
import type { AccessEntry, ErrorEntry } from '../model.ts'
import { canCut, fitsAttempt } from './errorRole.ts'
import type { HeldError } from './joiner.ts'
import { withoutVersion } from './joinKey.ts'

export interface Claim {
  /** Oldest first. */
  taken: HeldError[]
  /** Per taken error the attempt it tells of, -1: none in particular. */
  attemptOf: number[]
  /** Another request's lines would have fitted as well. */
  isAmbiguous: boolean
  /** Every end that the request had has its line: nothing but accompanying lines can be missing. */
  isFull: boolean
}

/** Stamps of two pipes differ by tens of ms; nginx prints whole seconds, of the moment its clock was last updated. */
const PRECISE_SLACK_MS = 1_500
const SECOND_SLACK_MS = 2_500
/** Lines this close to each other tell nothing by their time. */
const PRECISE_TIE_MS = 2

/**
 * Takes, for one request, from `candidates` (same client, same request line or none, in order of arrival): per failed
 * attempt one line that tells its end, for a request without attempts one line, and all lines that only accompany it.
 * Equal requests in flight are told apart by connection (every error line prints it), by attempt address, by time, and
 * last by order.
 */
export function claimErrors(access: AccessEntry, candidates: readonly HeldError[], errorWaitMs: number): Claim {
  const nothing: Claim = { taken: [], attemptOf: [], isAmbiguous: false, isFull: false }
  if (candidates.length === 0) return nothing
  const request = { fromMs: access.timeMs - (access.record.requestTimeMs ?? errorWaitMs), toMs: access.timeMs }
  const spans = attemptSpans(access.record.attempts ?? [], request)
  const inTime = select(access, candidates, spans, request)
  if (inTime.length === 0) return nothing
  // All lines of a request carry the number of its client connection.
  const groups = new Map<string, HeldError[]>()
  for (const held of inTime) {
    const key = connectionOf(held)
    const group = groups.get(key)
    if (group) group.push(held)
    else groups.set(key, [held])
  }
  let best: Scored | null = null
  let tied: Scored[] = []
  for (const group of groups.values()) {
    const scored = assign(access, group, spans)
    if (scored.claim.taken.length === 0) continue
    const order = best === null ? 1 : compare(scored, best, access)
    if (order > 0) tied = [scored]
    else if (order === 0) tied.push(scored)
    // Too close to be sure, but the nearer one is the likelier.
    if (order > 0 || (order === 0 && scored.distanceMs < best!.distanceMs)) best = scored
  }
  if (best === null) return nothing
  // Whoever takes the other lines of a tie cannot be sure either.
  if (tied.length > 1) for (const { claim } of tied) for (const held of claim.taken) held.entry.isDoubtful = true
  best.claim.isAmbiguous ||= best.claim.taken.some(held => held.entry.isDoubtful)
  return best.claim
}

interface Scored {
  claim: Claim
  /** Lines that tell an end of this request. */
  ends: number
  /** Sum of the distances between a line and the end of its attempt, ms. */
  distanceMs: number
}

function compare(a: Scored, b: Scored, access: AccessEntry): number {
  if (a.ends !== b.ends) return a.ends - b.ends
  const distance = b.distanceMs - a.distanceMs
  const tie = access.isPrecise ? PRECISE_TIE_MS : 1_000
  return Math.abs(distance) <= tie * Math.max(1, a.ends) ? 0 : distance
}

/** Lines that may end one attempt, of equal requests in flight: more than these nothing tells apart. */
const NEAREST_MAX = 32
const ACCOMPANYING_MAX = 256

/**
 * Of thousands of equal requests in flight only the lines of this one's connection matter, where the format says which that
 * is; else those near an end of its attempts, and of those at one moment the first to come. In order of arrival.
 */
function select(
  access: AccessEntry,
  candidates: readonly HeldError[],
  spans: readonly Span[],
  request: Span
): HeldError[] {
  const { connection } = access.record
  const inTime = candidates.filter(held => {
    const other = held.entry.record.connection
    if (connection !== null && other !== null && connection !== other) return false
    const around = isEnd(held) && held.entry.record.upstreamAddress !== null && spans.length > 0
    return around ? spans.some(span => isNear(access, held.entry, span)) : isNear(access, held.entry, request)
  })
  const fitting = inTime.length <= NEAREST_MAX ? inTime : nearest(access, inTime, spans, request)
  return fitting.filter(held => fits(access, held.entry))
}

function nearest(
  access: AccessEntry,
  inTime: readonly HeldError[],
  spans: readonly Span[],
  request: Span
): HeldError[] {
  const tieMs = access.isPrecise ? PRECISE_TIE_MS : 1_000
  const kept = new Set<HeldError>()
  const ends = inTime.filter(isEnd)
  for (const span of [...spans, request]) {
    let closestMs = Number.POSITIVE_INFINITY
    for (const held of ends) closestMs = Math.min(closestMs, away(held.entry.timeMs, span))
    let count = 0
    for (const held of ends) {
      if (away(held.entry.timeMs, span) > closestMs + tieMs) continue
      kept.add(held)
      if (++count >= NEAREST_MAX) break
    }
  }
  const connections = new Set([...kept].map(connectionOf))
  let count = 0
  return inTime.filter(held => {
    if (isEnd(held)) return kept.has(held)
    return (connections.size === 0 || connections.has(connectionOf(held))) && ++count <= ACCOMPANYING_MAX
  })
}

function isNear(access: AccessEntry, error: ErrorEntry, span: Span): boolean {
  return away(error.timeMs, span) <= (access.isPrecise && error.isPrecise ? PRECISE_SLACK_MS : SECOND_SLACK_MS)
}

function fits(access: AccessEntry, error: ErrorEntry): boolean {
  const { record } = access
  const { host, subrequest, request } = error.record
  if (record.host !== null && host !== null && !isSameHost(record.host, host) && subrequest === null) return false
  return request === null ? endsBeforeRequest(access, error) : isSameRequest(record.request, error)
}

/** An error line has the header as it came; `$host` is lower case and has neither its port nor a dot at its end. */
function isSameHost(left: string, right: string): boolean {
  return left === right || bareHost(left) === bareHost(right)
}

/** `Shop.example.com.:8443` → `shop.example.com`. */
function bareHost(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

/** All lines of a request carry it; lines without a number cannot be told apart by it. */
function connectionOf({ entry }: HeldError): string {
  const { pid, connection } = entry.record
  return connection === null ? '' : `${pid}*${connection}`
}

export function isSameConnection(a: HeldError, b: HeldError): boolean {
  const left = a.entry.record
  const right = b.entry.record
  return left.connection === right.connection && (left.connection === null || left.pid === right.pid)
}

/** nginx cuts long error lines: then the request is a beginning. */
function isSameRequest(request: string | null, { record }: ErrorEntry): boolean {
  if (record.truncated) return (request ?? '').startsWith(record.request!)
  if (request === record.request) return true
  // Formats that log method and URI have no version; where both have one, another is another request.
  return request !== null && withoutVersion(request) === request && request === withoutVersion(record.request!)
}

/** When something can have happened, Unix ms. */
interface Span {
  fromMs: number
  toMs: number
}

function away(ms: number, span: Span): number {
  return ms < span.fromMs ? span.fromMs - ms : ms > span.toMs ? ms - span.toMs : 0
}

/**
 * When each attempt can have ended: nginx logs durations only. They follow each other, but the request may have begun
 * with a slow upload and ended with a slow download.
 */
function attemptSpans(attempts: readonly UpstreamAttempt[], request: Span): Span[] {
  const before: number[] = []
  let sum = 0
  for (const attempt of attempts) before.push((sum += attempt.responseTimeMs ?? 0))
  return before.map(ms => {
    const toMs = request.toMs - (sum - ms)
    return { fromMs: Math.min(request.fromMs + ms, toMs), toMs }
  })
}

/** An error line without `request:` is of a request whose line or headers nginx could not read. */
function endsBeforeRequest(access: AccessEntry, error: ErrorEntry): boolean {
  const { status, attempts } = access.record
  const isEarly = /^reading client request (?:line|headers)/.test(error.record.phase ?? '')
  return isEarly && status !== null && status >= 400 && status < 500 && (attempts === null || attempts.length === 0)
}

function assign(access: AccessEntry, group: readonly HeldError[], spans: readonly Span[]): Scored {
  const attempts = access.record.attempts ?? []
  const attemptOf = new Map<HeldError, number>()
  let distanceMs = 0
  let isAmbiguous = false
  const open = new Set(group.filter(held => isEnd(held)))

  for (const [i, attempt] of attempts.entries()) {
    let nearest: HeldError | null = null
    let nearestMs = Number.POSITIVE_INFINITY
    for (const held of open) {
      if (!canEnd(attempt, i === attempts.length - 1, held, access)) continue
      const awayMs = away(held.entry.timeMs, spans[i]!)
      if (awayMs >= nearestMs) continue
      nearest = held
      nearestMs = awayMs
    }
    if (nearest === null) continue
    open.delete(nearest)
    attemptOf.set(nearest, i)
    distanceMs += nearestMs
  }
  // What tells of no attempt ends the request itself: once, and only when no upstream answered it.
  const status = access.record.status ?? 0
  for (const held of open) {
    const { upstreamAddress, messageCause } = held.entry.record
    const isOfClient = messageCause === 'client_closed' || messageCause === 'client_timeout'
    if (attempts.length > 0 && (upstreamAddress !== null || (!isOfClient && !isAnswerOfNginx(access)))) continue
    if (attempts.length === 0 && status < 400 && !canCut(held.entry.record)) continue
    // nginx names an upstream once there is an attempt: the line is of an equal request that had one.
    if (access.record.attempts?.length === 0 && upstreamAddress !== null) continue
    attemptOf.set(held, -1)
    distanceMs += Math.abs(held.entry.timeMs - access.timeMs)
    break
  }
  // More lines of this kind on one connection than the request has ends: HTTP/2 streams with equal requests.
  for (const held of open) {
    if (attemptOf.has(held)) continue
    if ([...attemptOf.keys()].some(taken => sameMoment(taken, held))) isAmbiguous = true
  }
  const endCount = attemptOf.size
  // What accompanies goes with the ends of its connection: when none of them fits, it is another request's.
  if (endCount > 0 || open.size === 0) {
    for (const held of group) if (!isEnd(held)) attemptOf.set(held, attemptIndex(held, attempts))
  }
  const taken = group.filter(held => attemptOf.has(held))
  return {
    claim: {
      taken,
      attemptOf: taken.map(held => attemptOf.get(held)!),
      isAmbiguous,
      isFull: endCount >= endsOf(attempts)
    },
    ends: endCount,
    distanceMs
  }
}

export function isEnd(held: HeldError): boolean {
  return held.role === 'ends' || held.role === 'cuts'
}

/** Attempts that can have left a line, or the one end of a request without. */
function endsOf(attempts: readonly UpstreamAttempt[]): number {
  const failed = attempts.filter(({ status }) => status === null || status === 502 || status === 504).length
  return Math.max(1, failed)
}

function canEnd(attempt: UpstreamAttempt, isLast: boolean, held: HeldError, access: AccessEntry): boolean {
  const { record } = held.entry
  if (!fitsAttempt(record, attempt)) return false
  // A line without `upstream:` can only tell of an attempt that never got a peer.
  if (record.upstreamAddress === null && attempt.address !== null) return false
  const isFailed =
    attempt.status === null ||
    attempt.status === 502 ||
    attempt.status === 504 ||
    access.record.status === 9 ||
    access.record.status === 0
  if (isFailed) return held.role === 'ends' || (attempt.status === null && isLast)
  // Answered: only its body can have been cut, and only the last answer went to the client.
  return isLast && canCut(record)
}

/** The status is nginx's own although there were attempts: an auth failure, a Lua error, a limit behind an error page. */
function isAnswerOfNginx(access: AccessEntry): boolean {
  const { status, attempts } = access.record
  // 499 is the client's doing: nginx answered nothing.
  return status !== 499 && attempts?.at(-1)?.status !== status
}

function attemptIndex(held: HeldError, attempts: readonly UpstreamAttempt[]): number {
  const { upstreamAddress } = held.entry.record
  return upstreamAddress === null ? -1 : attempts.findIndex(attempt => attempt.address === upstreamAddress)
}

function sameMoment(a: HeldError, b: HeldError): boolean {
  const tie = a.entry.isPrecise && b.entry.isPrecise ? PRECISE_TIE_MS : 1_000
  return (
    a.entry.record.upstreamAddress === b.entry.record.upstreamAddress && Math.abs(a.entry.timeMs - b.entry.timeMs) < tie
  )
}
