/**
 * The questions of the decision table (accessTable.ts), each answered from the facts of one line.
 * Sections and numbers are those of status-semantics.md.
 */

import type { UpstreamAttempt } from '../../parsers/record.ts'
import { type Facts, hasConnectTimes, isFailedAttempt, isPeerless } from './accessFacts.ts'
import { type BadRequestPage, badRequestPage, isNoBody } from './pages.ts'

// The line as a whole

export function is4xx(status: number): boolean {
  return status >= 400 && status <= 499
}

export function isSuccess(status: number): boolean {
  return status >= 100 && status <= 399
}

/** `[]`: the rewrite phase never ran. */
export function isEmptyName({ record }: Facts): boolean {
  return record.upstreamName === ''
}

/** `[-]`: a location was not reached (or a mirror ran). */
export function isDashName({ record }: Facts): boolean {
  return record.upstreamName === '-'
}

export function isLocation(facts: Facts): boolean {
  return !isEmptyName(facts) && !isDashName(facts)
}

/** `- - - -`: no upstream was started, and the line says so. */
export function isNoUpstream({ all }: Facts): boolean {
  return all !== null && all.length === 0
}

/** No upstream was started, or it was still waiting for the request (proxy_request_buffering off). */
export function isNotAnswered({ all, last }: Facts): boolean {
  return all !== null && (last === null || last.status === null)
}

export function hasBytes({ record, attempts }: Facts): boolean {
  return (record.bodyBytes ?? 0) > 0 || attempts.some(attempt => (attempt.responseBytes ?? 0) > 0)
}

// Rows 0a to 5: who was asked

/** The first group ended in 401 or 403: an auth service's refusal, in its subrequest's line. */
export function isRefusedSubrequest({ subrequest, status, last }: Facts): boolean {
  const answer = last?.status ?? status
  return subrequest === 'auth' && (answer === 401 || answer === 403)
}

/** 0.0.0.1 is what ingress-nginx leaves in place when its balancer chose no peer. */
export function isPlaceholder({ address }: UpstreamAttempt): boolean {
  return address?.startsWith('0.0.0.1:') ?? false
}

/** The catch-all, with no error page in between. */
export function isDefaultBackend({ record, groups, narrowed }: Facts): boolean {
  return record.upstreamName === 'upstream-default-backend' && groups <= 1 && !narrowed
}

/** The controller's own 404 server, or `return 404`, or cut before the address. */
export function isInternalDefault({ last }: Facts): boolean {
  return last === null || last.address === '127.0.0.1:8181'
}

export function isCustomDefaultBackend({ record, groups, narrowed }: Facts): boolean {
  return record.upstreamName?.startsWith('custom-default-backend-') === true && groups === 1 && !narrowed
}

// Rows 6 to 8: 499

/** The client left while nginx was still trying: what broke before is the cause. */
export function isLeftDuringRetries({ status, attempts, last }: Facts): boolean {
  return status === 499 && attempts.some(isFailedAttempt) && (last!.status === null || isFailedAttempt(last!))
}

const ROUND_LIMITS_MS = [5_000, 10_000, 15_000, 30_000, 60_000, 100_000, 120_000]

/** The client, or the balancer in front of us, gave up by a timer of its own. */
export function isAbandonedByTimer({ status, record, attempts, last }: Facts): boolean {
  if (status !== 499 || attempts.length !== 1 || last!.status !== null) return false
  const time = record.requestTimeMs ?? last!.responseTimeMs ?? 0
  return time >= 108_000 || ROUND_LIMITS_MS.some(limit => time >= 0.9 * limit && time <= 1.1 * limit)
}

// Rows 12 to 19: the client's side

export function isSilentBadRequest(facts: Facts): boolean {
  const { status, record } = facts
  return status === 400 && isNotAnswered(facts) && record.method !== 'HEAD' && isNoBody(record.bodyBytes)
}

export function isBadRequestPage(facts: Facts, ...pages: BadRequestPage[]): boolean {
  const { status, record } = facts
  if (status !== 400 || !isNotAnswered(facts)) return false
  const page = record.method === 'HEAD' && isNoBody(record.bodyBytes) ? 'plain' : badRequestPage(record.bodyBytes)
  return page !== null && pages.includes(page)
}

/** The first bytes of a TLS handshake record, as the log escapes them. */
export function isTlsHello({ record }: Facts): boolean {
  return record.request?.startsWith('\\x16\\x03') ?? false
}

export function isProtocolRefusal(facts: Facts): boolean {
  return [414, 501, 505, 405].includes(facts.status) && isNotAnswered(facts)
}

// Rows 27 to 32: who made the 5xx

export function isPeerlessEnd({ last }: Facts): boolean {
  return last !== null && isPeerless(last)
}

/** An upstream's name stands in place of an address when all its servers are down. */
export function isNoLiveUpstreams({ status, last }: Facts): boolean {
  if (status < 500 || last === null || last.address === null || last.status !== 502) return false
  return !/:\d+$/.test(last.address) && !last.address.startsWith('unix:')
}

/** nginx itself gives an attempt 502 and 504 only. */
export function isApplicationOnly({ status, last }: Facts): boolean {
  return status >= 500 && last !== null && isFailedAttempt(last) && last.status !== 502 && last.status !== 504
}

export function isFailed({ status, last }: Facts): boolean {
  return status >= 500 && last !== null && isFailedAttempt(last)
}

export function isApplications(facts: Facts): boolean {
  return isFailed(facts) && facts.author === 'application'
}

export function hasAnswer({ last }: Facts): boolean {
  return (last!.responseBytes ?? 0) > 0 || last!.headerTimeMs !== null
}

/** One attempt for which nothing but its status speaks: not its size, not its method, not a timer's length. */
export function isLone(facts: Facts): boolean {
  const { attempts, author, retried, timesMs } = facts
  if (!isFailed(facts) || author !== 'unknown' || attempts.length !== 1 || retried || isSentOnce(facts)) return false
  return !timesMs.some(isTimer) && !isUnreachableTime(facts)
}

// Rows 33 to 47: nginx's own 502 and 504

/** nginx made (or may have made) the answer, and every attempt ended in `status`. */
export function isBroken(facts: Facts, status: 502 | 504): boolean {
  if (!isFailed(facts) || facts.author === 'application') return false
  return facts.last!.status === status && facts.attempts.every(a => a.status === null || a.status === status)
}

/** POST, PATCH, LOCK are not sent twice: more than one attempt means that nothing had been sent (§3.1). */
export function isSentOnce({ record }: Facts): boolean {
  return record.method === 'POST' || record.method === 'PATCH' || record.method === 'LOCK'
}

export function isConnectTimeKnown({ record }: Facts): boolean {
  return hasConnectTimes(record)
}

/** Connect times are logged and the last is `-`: neither TCP nor TLS came up. */
export function isUnconnected(facts: Facts): boolean {
  return isConnectTimeKnown(facts) && facts.last!.connectTimeMs === null
}

/** The failure lies before the request was sent, by connect time or by a retried POST. */
export function isConnectPhase(facts: Facts): boolean {
  return isConnectTimeKnown(facts) ? isUnconnected(facts) : isSentOnce(facts) && facts.retried
}

const DEFAULT_CONNECT_TIMEOUT_MS = 5_000
const DEFAULT_READ_TIMEOUT_MS = 60_000

export function isConnectTimer(facts: Facts): boolean {
  if (!isBroken(facts, 504)) return false
  if (isConnectTimeKnown(facts)) return isUnconnected(facts)
  return facts.timesMs.length > 0 && facts.timesMs.every(time => isNear(time, DEFAULT_CONNECT_TIMEOUT_MS))
}

/**
 * 60 s, or any other length that all attempts share; a single attempt's has to be a timer's. Several tries of a POST are
 * left to row 35: after a read timeout it would not have been sent again (60 s excepted, which is the default to read).
 */
export function isReadTimer(facts: Facts): boolean {
  if (!isBroken(facts, 504)) return false
  if (isConnectTimeKnown(facts)) return true
  const { timesMs } = facts
  if (timesMs.length === 0 || !areEqual(timesMs)) return false
  if (timesMs.every(time => isNear(time, DEFAULT_READ_TIMEOUT_MS))) return true
  return facts.attempts.length === 1 ? isTimer(timesMs[0]!) : !isSentOnce(facts)
}

/** Bigger than the socket buffers that take it at once, so that sending can stall. */
const BIG_REQUEST_BYTES = 16_384

export function isBigRequest({ record }: Facts): boolean {
  return record.requestLength === null || record.requestLength >= BIG_REQUEST_BYTES
}

/** ARP gives up after about 3.07 s; after 1 s when it had begun for an earlier attempt. */
export function isUnreachableTime({ timesMs, retried }: Facts): boolean {
  if (timesMs.length === 0) return false
  if (timesMs.every(time => time >= 2_900 && time <= 3_200)) return true
  return retried && timesMs.every(time => time >= 980 && time <= 1_100)
}

export function isUnreachable(facts: Facts): boolean {
  return isBroken(facts, 502) && isUnreachableTime(facts) && (!isConnectTimeKnown(facts) || isUnconnected(facts))
}

const AT_ONCE_MS_MAX = 2
const BRIEF_MS_MAX = 200

export function isAtOnce({ timesMs }: Facts): boolean {
  return timesMs.every(time => time <= AT_ONCE_MS_MAX)
}

/** Rows 38 to 42. Without a retry only a connect time of `-` proves that it was the connection. */
export function isRefusedAtOnce(facts: Facts): boolean {
  return isBroken(facts, 502) && (facts.retried || isUnconnected(facts)) && isAtOnce(facts)
}

export function isBriefWait({ timesMs }: Facts): boolean {
  return timesMs.some(time => time > AT_ONCE_MS_MAX && time <= BRIEF_MS_MAX)
}

/** 443, 8443, 10443 …: nothing else in the line tells that nginx speaks TLS to the upstream. */
export function looksLikeTls({ last }: Facts): boolean {
  return last?.address?.endsWith('443') ?? false
}

/** Whole seconds, as timers are configured, plus what a busy event loop adds. */
function isTimer(timeMs: number): boolean {
  const beyond = timeMs % 1_000
  return timeMs >= 995 && (beyond <= 30 || beyond >= 995)
}

function isNear(timeMs: number, limitMs: number): boolean {
  return timeMs >= limitMs - 60 && timeMs <= limitMs * 1.05
}

function areEqual(timesMs: readonly number[]): boolean {
  const first = timesMs[0]!
  return timesMs.every(time => Math.abs(time - first) <= Math.max(150, first * 0.05))
}
