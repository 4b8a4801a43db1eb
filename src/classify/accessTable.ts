/**
 * From an access line alone to a cause: the decision table of status-semantics.md §7, top down, the first match wins.
 *
 *   … "GET / HTTP/1.1" 502 150 … [shop-cart-80] [] 10.0.0.7:80, 10.0.0.8:80 0, 0 0.000, 0.001 502, 502 …
 *   → { cause: 'connection_refused', confidence: 0.75, alternatives: ['premature_close', 'connection_reset'], rule: 'access.41' }
 *
 * A number that comes twice settles what its first entry leaves open (a size that is no page's, a time that is no
 * timer's), with less confidence. A failure that no row knows is `unclassified`.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { AccessRecord } from '../../parsers/record.ts'
import { type Answer, byPage, cause, NOTHING, nothing, proxy, unlessAnswered } from './accessAnswer.ts'
import {
  attemptAlone,
  type Facts,
  factsOf,
  failedRun,
  firstGroup,
  isCountedFailure,
  isFailedAttempt,
  lastGroup,
  startsPeerless
} from './accessFacts.ts'
import { causesOf, interceptedCauses, plainRefusal } from './accessPlain.ts'
import * as is from './accessQuestions.ts'

export { isCountedFailure, isFailedAttempt } from './accessFacts.ts'
export { classifyStreamAccess, type StreamAccessVerdict } from './accessStream.ts'

export interface AccessVerdict {
  /** What this line alone tells; null: no failure (or an ordinary 4xx of the application, a mirror's success …). */
  cause: Cause | null
  /** 0 to 1; 0 when cause is null. */
  confidence: number
  /** Other defensible causes, without `cause`, the likelier first. */
  alternatives: Cause[]
  /** Row of the table: 'access.38', 'access.0a', 'access.none'. */
  rule: string
  /** Status < 400, but an attempt failed before or a default backend stood in: the client saw no failure (rows 49, 5). */
  masked: boolean
  /** Index into record.attempts of the attempt that is blamed (last of the first group unless said otherwise), or null. */
  blamedAttempt: number | null
  /** Rows 0 and 0a: no client saw this line. */
  subrequest: 'mirror' | 'auth' | null
}

/** `status`: the only one the row is for, null where `when` tells. */
type Row = readonly [
  row: string,
  status: number | null,
  when: (facts: Facts) => boolean,
  then: (facts: Facts) => Answer | Decision
]

/** An answer with the row and the attempt that gave it. */
interface Decision extends Answer {
  rule: string
  blamed: number | null
}

const always = (): boolean => true

// biome-ignore format: a table, one row a line where it fits.
const ROWS: readonly Row[] = [
  // Rows 0 and 0a mark the line (`subrequest`); the rows below judge it, but for what is ordinary there.
  ['0', null, f => f.subrequest === 'mirror' && !isCountedFailure(f.status) && !f.attempts.some(isFailedAttempt), nothing],
  ['0a', null, is.isRefusedSubrequest, cause('auth_failure', 0.8)],
  ['0b', null, f => f.all === null && is.is4xx(f.status) && !is.isDefaultBackend(f), plainRefusal],
  ['0b', null, f => f.all === null && f.status >= 500 && !isLocations503(f), f => cause('upstream_error', 0.3, ...causesOf(f.status))()],

  ['1', null, f => f.attempts.some(is.isPlaceholder), byPlaceholder],
  ['2', null, f => f.groups > 1 && !f.narrowed, byFirstGroup],
  ['3', null, f => is.isDefaultBackend(f) && f.status === 404 && is.isInternalDefault(f) && f.isPage, cause('no_route', 0.9, 'controller_config')],
  ['4', null, f => is.isDefaultBackend(f) && f.status === 404, cause('no_route', 0.7, ...interceptedCauses(404))],
  ['4', null, f => is.isDefaultBackend(f) && is.isFailed(f) && f.author !== 'nginx', byDefaultBackend],
  ['5', null, is.isCustomDefaultBackend, f => cause('no_endpoints', 0.7, ...interceptedCauses(f.status))()],

  ['6', 499, is.isLeftDuringRetries, byRetriesBeforeLeaving],
  ['7', 499, is.isAbandonedByTimer, cause('client_closed', 0.8, 'read_timeout')],
  ['8', 499, f => f.last?.status !== 499, cause('client_closed', 0.9)],
  ['8', 499, always, nothing],
  ['9', 408, f => is.isNoUpstream(f) && is.isEmptyName(f), cause('client_timeout', 0.95)],
  ['10', 408, f => f.last?.status !== 408, unlessAnswered('client_timeout', 0.95)],
  ['11', 408, always, nothing],

  ['12', 400, f => is.isSilentBadRequest(f) && is.isNoUpstream(f) && is.isEmptyName(f), cause('client_closed', 0.85, 'client_timeout')],
  ['13', 400, is.isSilentBadRequest, cause('client_closed', 0.85)],
  ['14', 400, f => is.isBadRequestPage(f, 'plain') && is.isTlsHello(f), cause('bad_request', 0.95, 'client_tls_failure')],
  ['14', 400, f => is.isBadRequestPage(f, 'plain'), cause('bad_request', 0.95)],
  ['15', 400, f => is.isBadRequestPage(f, 'header_too_large'), cause('bad_request', 0.97)],
  ['16', 400, f => is.isBadRequestPage(f, 'bad_certificate', 'no_certificate'), cause('client_tls_failure', 0.97)],
  ['17', 400, f => is.isBadRequestPage(f, 'http_on_tls_port'), cause('client_tls_failure', 0.97)],
  ['14', 400, f => is.isNotAnswered(f), cause('bad_request', 0.7, 'client_closed', 'client_tls_failure')],
  ['18', 413, f => is.isNotAnswered(f) && f.isPage, unlessAnswered('body_too_large', 0.97)],
  ['18', 413, f => is.isNotAnswered(f), unlessAnswered('body_too_large', 0.85)],
  ['19', null, f => is.isProtocolRefusal(f) && is.isEmptyName(f), cause('bad_request', 0.95)],
  ['19', null, is.isProtocolRefusal, cause('bad_request', 0.8)],
  ['20', 421, f => is.isNotAnswered(f), byPage('client_tls_failure', [0.9, 0.7])],
  ['21', 401, f => is.isNoUpstream(f), byPage('auth_failure', [0.95, 0.8])],
  ['22', 403, f => is.isNoUpstream(f) && is.isDashName(f) && f.isPage, cause('controller_config', 0.6, 'auth_failure')],
  ['23', 403, f => is.isNoUpstream(f) && is.isDashName(f) && f.record.bodyBytes === 31, cause('auth_failure', 0.95)],
  ['22', 403, f => is.isNoUpstream(f), byPage('auth_failure', [0.9, 0.7])],
  ['24', 429, f => is.isNoUpstream(f), byPage('rate_limited', [0.97, 0.85])],

  ['25', 503, f => isLocations503(f) && f.isPage, cause('no_endpoints', 0.7, 'rate_limited', 'controller_config', 'dns_failure')],
  ['25', 503, f => is.isNoUpstream(f), cause('no_endpoints', 0.5, 'rate_limited', 'controller_config', 'dns_failure')],
  // Before a location is reached no external auth runs.
  ['26', 500, f => is.isNoUpstream(f) && is.isEmptyName(f), cause('lua_error', 0.5, 'controller_overload', 'controller_config')],
  ['26', 500, f => is.isNoUpstream(f), cause('auth_failure', 0.5, 'lua_error', 'redirect_cycle', 'controller_overload', 'controller_config')],
  ['27', 500, f => is.isPeerlessEnd(f), f => cause('controller_overload', 0.6, 'lua_error', ...earlierCauses(f))()],
  ['28', null, f => f.status >= 500 && is.isPeerlessEnd(f), f => cause('lua_error', 0.5, 'controller_overload', ...earlierCauses(f))()],
  ['29', 502, f => is.isNoUpstream(f), byPage('dns_failure', [0.8, 0.6])],
  ['30', null, is.isNoLiveUpstreams, cause('no_live_upstreams', 0.95)],
  ['30a', null, is.isApplicationOnly, cause('upstream_error', 0.97)],
  ['31', null, f => is.isApplications(f) && is.hasAnswer(f), cause('upstream_error', 0.97)],
  ['32', null, is.isApplications, f => cause('upstream_error', 0.85, ...proxyCauses(f))()],
  // The remark on row 2, and §6 on HEAD: one attempt that might be either's.
  ['2', null, f => is.isLone(f) && f.narrowed, f => cause('upstream_error', 0.6, ...proxyCauses(f))()],
  ['32', null, is.isLone, f => cause('upstream_error', 0.6, ...proxyCauses(f))()],

  ['33', null, is.isConnectTimer, proxy('connect_timeout', 0.9, 'upstream_tls_handshake', 'read_timeout')],
  ['34', null, f => is.isReadTimer(f) && is.isBigRequest(f), proxy('read_timeout', 0.9, 'send_timeout', 'connect_timeout')],
  ['34', null, is.isReadTimer, proxy('read_timeout', 0.9, 'connect_timeout')],
  ['35', 504, f => is.isBroken(f, 504) && is.isSentOnce(f) && f.retried, proxy('connect_timeout', 0.95)],
  ['36', 504, f => is.isBroken(f, 504) && is.isSentOnce(f), proxy('read_timeout', 0.9, 'send_timeout')],
  ['34', 504, f => is.isBroken(f, 504) && (f.attempts.length === 1 || f.timesMs.length === 0), proxy('read_timeout', 0.7, 'connect_timeout', 'send_timeout')],
  ['37', null, is.isUnreachable, proxy('host_unreachable', 0.85)],
  ['38', null, f => is.isRefusedAtOnce(f) && is.isUnconnected(f), proxy('connection_refused', 0.85, 'local_port_exhausted', 'host_unreachable')],
  ['39', null, f => is.isRefusedAtOnce(f) && is.isConnectTimeKnown(f), proxy('premature_close', 0.6, 'connection_reset', 'invalid_response')],
  ['40', null, f => is.isRefusedAtOnce(f) && is.isSentOnce(f), proxy('connection_refused', 0.85, 'upstream_tls_handshake', 'local_port_exhausted')],
  ['41', null, f => is.isRefusedAtOnce(f) && !f.sameAddress, proxy('connection_refused', 0.75, 'premature_close', 'connection_reset')],
  ['42', null, is.isRefusedAtOnce, proxy('connection_refused', 0.7, 'premature_close', 'connection_reset', 'upstream_tls_handshake')],
  // Never connected (§3.1, §6.3), so nothing that comes after the connection.
  ['43', 502, f => is.isBroken(f, 502) && is.isConnectPhase(f) && is.looksLikeTls(f), proxy('upstream_tls_handshake', 0.5, 'upstream_tls_verify', 'connection_refused')],
  ['43', 502, f => is.isBroken(f, 502) && is.isConnectPhase(f), proxy('connection_refused', 0.5, 'upstream_tls_handshake', 'upstream_tls_verify', 'host_unreachable')],
  ['43', 502, f => is.isBroken(f, 502) && f.retried && is.isBriefWait(f), proxy('premature_close', 0.45, 'connection_reset', 'upstream_tls_handshake', 'upstream_tls_verify')],
  ['44', 502, f => is.isBroken(f, 502) && !f.retried && !is.isSentOnce(f), proxy('header_too_big', 0.45, 'invalid_response', 'premature_close', 'connection_refused')],
  ['45', 502, f => is.isBroken(f, 502) && !f.retried && is.isAtOnce(f), proxy('premature_close', 0.6, 'connection_reset', 'header_too_big')],
  ['46', 502, f => is.isBroken(f, 502) && f.attempts.length === 1, proxy('premature_close', 0.5, 'connection_reset', 'header_too_big', 'invalid_response')],
  ['47', null, f => is.isFailed(f) && f.attempts.length > 1, byLastAttempt],

  ['48', null, f => f.status === 9 || (f.status === 0 && is.hasBytes(f)), cause('invalid_response', 0.9)],
  ['49', null, f => is.isSuccess(f.status) && f.attempts.some(isFailedAttempt), byMaskedFailure],
  ['51', 101, always, nothing],
  ['52', null, f => is.is4xx(f.status) && f.last?.status === f.status, nothing],

  // The upstream did answer, or its state has no status: nginx failed by itself (header filters, memory, error_page).
  ['unclassified', 500, f => f.last !== null, cause('lua_error', 0.3, 'controller_overload', 'controller_config')],
  ['unclassified', null, f => isCountedFailure(f.status), f => cause('unclassified', 0.1, ...causesOf(f.status))()]
]

const RULES = ROWS.map(([row]) => `access.${row}`)

/** Number of a row → its first entry. */
const FIRST_ENTRY = new Map(ROWS.map(([row], index) => [row, index] as const).reverse())

export function classifyAccess(record: AccessRecord): AccessVerdict {
  const facts = factsOf(record)
  const { cause, confidence, alternatives, rule, blamed } = decide(facts)
  return {
    cause,
    confidence,
    alternatives: alternatives.filter((other, i) => other !== cause && alternatives.indexOf(other) === i),
    rule,
    masked: cause !== null && is.isSuccess(facts.status),
    blamedAttempt: cause === null ? null : blamed,
    subrequest: facts.subrequest
  }
}

/** The first row that matches, from the first entry with the number `from`. */
function decide(facts: Facts, from = '0'): Decision {
  const { status } = facts
  for (let index = FIRST_ENTRY.get(from)!; index < ROWS.length; index++) {
    const row = ROWS[index]!
    if ((row[1] === null || row[1] === status) && row[2](facts)) {
      const answer = row[3](facts)
      if ('rule' in answer) return answer
      return {
        cause: answer.cause,
        confidence: answer.confidence,
        alternatives: answer.alternatives,
        rule: RULES[index]!,
        blamed: facts.lastIndex
      }
    }
  }
  return { ...NOTHING, rule: 'access.none', blamed: null }
}

/** Row 25; also for a line cut before its attempts: the application's 503 has the size of nginx's page by chance only. */
function isLocations503(facts: Facts): boolean {
  if (facts.status !== 503 || !is.isLocation(facts)) return false
  if (facts.all !== null) return facts.all.length === 0
  return facts.record.upstreamName !== null && facts.record.bodyBytes !== null && facts.isPage
}

/** Row 1. The placeholder is the only attempt of its group, but for lines that somebody shortened. */
function byPlaceholder(facts: Facts): Decision | Answer {
  const answer = cause('no_endpoints', 0.75, 'lua_error', 'controller_config')()
  const placeholder = facts.attempts.find(is.isPlaceholder)!
  return { ...answer, rule: 'access.1', blamed: facts.all!.indexOf(placeholder) }
}

/**
 * Row 2. When the first group tells of no failure (a 404 of the application, X-Accel-Redirect) the group that answered
 * the client is judged. An error backend that the balancer does not know leaves the placeholder there.
 */
function byFirstGroup(facts: Facts): Decision {
  if (startsPeerless(facts.all!)) {
    return { ...cause('controller_overload', 0.6, 'lua_error')(), rule: 'access.27', blamed: null }
  }
  const first = firstGroup(facts)
  const decision = decide(first, '1')
  const isSaved = is.isSuccess(first.status) && !is.isSuccess(facts.status)
  if (decision.cause === null || isSaved) return decide(lastGroup(facts), '1')
  if (!facts.all!.some(is.isPlaceholder)) return decision
  return { ...decision, alternatives: [...decision.alternatives, 'no_endpoints'] }
}

/** Row 4: the stock or a custom error backend answered 5xx, perhaps only repeating the status that it was asked to explain. */
function byDefaultBackend(facts: Facts): Answer {
  const { cause, confidence, alternatives } = decide(facts, '6')
  // A status of 600 or more is nobody's failure.
  if (cause === null) return NOTHING
  const intercepted = interceptedCauses(facts.status)
  return { cause, confidence: Math.min(confidence, 0.7), alternatives: [...intercepted, ...alternatives] }
}

/** Row 6: `502, -`, `504, -`; also gRPC storms of 502 in 0.000 s (§3.4). */
function byRetriesBeforeLeaving(facts: Facts): Decision {
  const run = decide(failedRun(facts)!, '30')
  return { ...run, confidence: 0.7, alternatives: ['client_closed', ...run.alternatives], rule: 'access.6' }
}

/** Row 49: a retry saved the request. */
function byMaskedFailure(facts: Facts): Decision {
  const run = failedRun(facts)!
  const decision = { ...decide(run, '30'), rule: 'access.49' }
  const saver = facts.all![run.lastIndex! + 1]
  const isReused = saver?.address === run.last!.address && run.last!.status === 502
  if (!isReused || is.isConnectPhase(run)) return decision
  // §3.3: the same address answered at once, so it listens; a connection kept alive was closed under the request.
  return {
    ...decision,
    cause: 'premature_close',
    confidence: 0.6,
    alternatives: ['connection_reset', 'connection_refused']
  }
}

/** Attempts before the last that are asked for alternatives: a storm of retries has no more to say than its first. */
const EARLIER_ATTEMPTS_MAX = 8

/** Row 47: the last attempt by its own status and time, the others' causes as alternatives. */
function byLastAttempt(facts: Facts): Answer {
  const { cause, confidence, alternatives } = decide(
    { ...attemptAlone(facts, facts.last!), author: facts.author },
    '33'
  )
  const lowered = Math.round((confidence - 0.1) * 100) / 100
  return { cause, confidence: lowered, alternatives: [...earlierCauses(facts), ...alternatives] }
}

function earlierCauses(facts: Facts): Cause[] {
  const earlier = facts.attempts.slice(0, -1).filter(isFailedAttempt).slice(0, EARLIER_ATTEMPTS_MAX)
  return earlier.flatMap(attempt => decide(attemptAlone(facts, attempt), '30').cause ?? [])
}

/** What the failure would be if nginx had made it. */
function proxyCauses(facts: Facts): Cause[] {
  const { cause, alternatives } = decide({ ...facts, author: 'nginx' }, '33')
  return cause === null ? [] : [cause, ...alternatives]
}
