import type { ErrorRecord, UpstreamAttempt } from '../../parsers/record.ts'

/**
 * What an error line can be for a request.
 *
 * - `ends`: tells why an attempt or the request ended; each is the end of one.
 * - `cuts`: the same, but behind the response header: the access line keeps its status.
 * - `accompanies`: belongs to the request and decides nothing (warnings, `temporarily disabled`, the log phase).
 * - `subrequest`: of an auth or mirror subrequest.
 */
export type ErrorRole = 'ends' | 'cuts' | 'accompanies' | 'subrequest'

/** Phases behind the response header (ngx_http_upstream.c, ngx_http_request.c). */
const AFTER_HEADER = /^(?:reading upstream|sending to client|proxying upgraded connection)\b/

/** Messages that print nothing but an end, while their phase is stale (log-formats.md 10.2). */
const STALE_PHASE = /^(?:auth request unexpected status|limiting |client intended|access forbidden|rewrite or internal)/

export function roleOf(record: ErrorRecord): ErrorRole {
  if (record.subrequest !== null) return 'subrequest'
  const cause = record.messageCause
  if (cause === null || cause === 'none') return 'accompanies'
  if (record.phase?.startsWith('logging request')) return 'accompanies'
  if (/^upstream server temporarily disabled|all endpoints have been retried/.test(record.message)) return 'accompanies'
  // A warning that is no end: buffering, a balancer that goes on without a canary.
  if (record.level === 'warn' && cause !== 'rate_limited' && cause !== 'controller_overload') return 'accompanies'
  return record.phase !== null && AFTER_HEADER.test(record.phase) && !STALE_PHASE.test(record.message) ? 'cuts' : 'ends'
}

/**
 * True when the line can tell that an answer broke off behind its header. Some texts of the body are printed while the
 * phase still is that of the header: chunks that came with it, frames of gRPC, records of FastCGI.
 */
export function canCut(record: ErrorRecord): boolean {
  const role = roleOf(record)
  if (role !== 'ends') return role === 'cuts'
  return (
    record.message.startsWith('upstream sent invalid chunked response') ||
    /^(?:grpcs?|fastcgi):/.test(record.upstream ?? '')
  )
}

/** The kinds that end a connection before there is a request: no access line will come. */
export function hasNoRequest(record: ErrorRecord): boolean {
  if (record.request !== null) return false
  if (record.phase === null) return record.messageCause === 'controller_overload'
  return /^(?:SSL handshaking$|processing HTTP\/2 connection|waiting for request|accepting new connection|reading PROXY protocol|keepalive)/.test(
    record.phase
  )
}

/** nginx's timers give the attempt 504, everything else that fails gives 502 (status-semantics.md 2). */
export function fitsAttempt(record: ErrorRecord, attempt: UpstreamAttempt): boolean {
  // A peer that was named and then not connected (no free connection): the access line has no address for it.
  if (attempt.address === null) return true
  if (record.upstreamAddress !== null && record.upstreamAddress !== attempt.address) return false
  const isTimer = record.message.startsWith('upstream timed out')
  if (attempt.status === 504) return isTimer || record.messageCause === 'client_closed'
  if (attempt.status === 502) return !isTimer
  return true
}
