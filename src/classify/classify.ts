/**
 * Joined request → failure, or null when nobody needs a document of it (design: which requests get one, and which of
 * several error lines decides). Evidence, best first: the error line of the attempt that decided; controller lines about
 * the backend; the access line alone. Pure.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { AccessRecord } from '../../parsers/record.ts'
import { canCut, roleOf } from '../join/errorRole.ts'
import type { ErrorEntry, Failure, JoinedRequest } from '../model.ts'
import { eventTime } from '../recordTime.ts'
import { type AccessVerdict, classifyAccess, isCountedFailure } from './accessTable.ts'
import type { BackendFacts } from './backendFacts.ts'

/** A message names what nginx saw; what is left is a join on the wrong request. */
export const MESSAGE_CONFIDENCE = 0.97
/** Of an earlier attempt of the same request: its last one left no line. */
const SIBLING_CONFIDENCE = 0.85
const AMBIGUOUS_FACTOR = 0.8
const CONTROLLER_CONFIDENCE = 0.9

/** nginx's own refusals that get a document. 401 and 403 do not: they are answers (design §5). */
const REFUSALS = new Set([400, 405, 408, 413, 414, 421, 429])

export function isRefusal(status: number): boolean {
  return REFUSALS.has(status)
}

export interface Classified {
  failure: Failure | null
  verdict: AccessVerdict
}

export function classifyRequest(request: JoinedRequest, backends: BackendFacts): Classified {
  const { access, errors } = request
  const { record } = access
  const verdict = classifyAccess(record)
  const none: Classified = { failure: null, verdict }
  if (record.status === null || verdict.subrequest !== null) return none
  const isCut = errors.some(error => cutsAnswer(error, record))
  if (!needsDocument(record, verdict, isCut)) return none
  const decision = decide(request, verdict, backends)
  const blamed = decision.blamedAttempt >= 0 ? decision.blamedAttempt : (verdict.blamedAttempt ?? -1)
  const failure: Failure = {
    access,
    errors,
    join: request.state,
    cause: decision.cause,
    confidence: decision.confidence,
    alternatives: decision.alternatives,
    rule: decision.rule,
    deciding: decision.deciding,
    controller: decision.controller,
    blamedAttempt: blamed,
    masked: verdict.masked && !isCut,
    counted: isCountedFailure(record.status),
    timeMs: eventTime(access.line.timeMs, record.timeMs) ?? access.timeMs,
    upstreamName: serviceIdentity(record),
    judgement: null
  }
  return { failure, verdict }
}

/** An error line without request: a document only if its cause ends one that leaves no access line. */
export function classifyAlone(error: ErrorEntry): Failure | null {
  const { record } = error
  if (!endsWithoutAccessLine(error)) return null
  const cause = record.cause ?? (record.messageCause as Cause)
  return {
    access: null,
    errors: [error],
    join: 'error_only',
    cause,
    confidence: MESSAGE_CONFIDENCE,
    alternatives: [],
    rule: `error.${record.messageKind ?? 'unknown'}`,
    deciding: 0,
    controller: null,
    blamedAttempt: -1,
    masked: false,
    counted: false,
    timeMs: error.timeMs,
    upstreamName: null,
    judgement: null
  }
}

/** What rates, filters and ids call the service: the upstream name as logged, the alternative when not empty. */
export function serviceIdentity(record: AccessRecord): string | null {
  return record.alternativeUpstreamName ?? record.upstreamName
}

function needsDocument(record: AccessRecord, verdict: AccessVerdict, isCut: boolean): boolean {
  const status = record.status!
  if (isCountedFailure(status)) return true
  if (verdict.cause === null && !isCut) return false
  if (status < 400) return verdict.masked || isCut
  if (status === 499 || REFUSALS.has(status)) return verdict.cause !== null && !isUpstreamsOwn(record)
  // The catch-all's 404, and an error page of nginx's that answers 4xx in place of what failed before it.
  if (status === 404 && verdict.cause === 'no_route') return true
  return hasFailedFirstGroup(record)
}

/** The application itself answered with this status. */
function isUpstreamsOwn(record: AccessRecord): boolean {
  return record.attempts?.at(-1)?.status === record.status
}

function hasFailedFirstGroup(record: AccessRecord): boolean {
  const attempts = record.attempts ?? []
  const last = attempts.at(-1)
  const first = attempts.filter(attempt => attempt.group === attempts[0]!.group).at(-1)
  return last !== undefined && first !== undefined && last.group !== first.group && (first.status ?? 0) >= 500
}

/** The response header was sent, then the answer broke off: level error or worse, or the client's doing (design §5). */
function cutsAnswer(error: ErrorEntry, access: AccessRecord): boolean {
  const { record } = error
  if (!canCut(record) || access.status === null || access.status >= 400) return false
  if (record.level === 'error' || record.level === 'crit' || record.level === 'alert' || record.level === 'emerg')
    return true
  const isOfClient = record.messageCause === 'client_closed' || record.messageCause === 'client_timeout'
  if (!isOfClient || access.status === 101) return false
  // All that the upstream sent had reached the client: it left when there was nothing more.
  const sent = access.attempts?.at(-1)?.responseBytes ?? null
  return sent === null || access.bodyBytes === null || access.bodyBytes < sent
}

/** What the evidence decides of a failure. */
type Decision = Pick<
  Failure,
  'cause' | 'confidence' | 'alternatives' | 'rule' | 'deciding' | 'controller' | 'blamedAttempt'
>

function decide(request: JoinedRequest, verdict: AccessVerdict, backends: BackendFacts): Decision {
  const byError = decideByError(request, verdict)
  if (byError !== null) return byError
  const { record } = request.access
  const fromTable: Decision = {
    cause: verdict.cause ?? 'unclassified',
    confidence: verdict.cause === null ? 0.1 : verdict.confidence,
    alternatives: verdict.alternatives,
    rule: verdict.rule,
    deciding: -1,
    controller: null,
    blamedAttempt: verdict.blamedAttempt ?? -1
  }
  const couldBeEmpty = verdict.cause === 'no_endpoints' || verdict.alternatives.includes('no_endpoints')
  const name = serviceIdentity(record)
  const controller =
    couldBeEmpty && record.status === 503 && name !== null ? backends.noEndpoints(name, request.access.timeMs) : null
  if (controller !== null) {
    const others = verdict.alternatives.filter(cause => cause !== 'no_endpoints')
    return {
      ...fromTable,
      cause: 'no_endpoints',
      confidence: CONTROLLER_CONFIDENCE,
      alternatives: others,
      rule: 'controller.no_endpoints',
      controller
    }
  }
  return fromTable
}

/** The line of the attempt that decided the status; earlier attempts' lines only when the last one left none. */
function decideByError(request: JoinedRequest, verdict: AccessVerdict): Decision | null {
  const { access, errors, attemptOf } = request
  const attempts = access.record.attempts ?? []
  const status = access.record.status!
  const ends = errors.flatMap((error, i) => (decides(error) ? [i] : []))
  if (ends.length === 0) return null
  const clients = ends.filter(
    i => errors[i]!.record.messageCause === 'client_closed' || errors[i]!.record.messageCause === 'client_timeout'
  )
  const authRequest = ends.filter(i => errors[i]!.record.message.startsWith('auth request unexpected status'))
  // A request that is saved is told by the attempt that was not; one that failed by its last attempt in the first group.
  const blamed = verdict.masked ? lastFailed(attempts) : lastOfFirstGroup(attempts)
  const ofBlamed = ends.filter(i => attemptOf[i] === blamed && blamed >= 0)
  const ofRequest = ends.filter(i => attemptOf[i] === -1)
  const chosen =
    authRequest.at(-1) ?? (status === 499 ? clients.at(-1) : undefined) ?? ofBlamed.at(-1) ?? ofRequest.at(-1)
  if (chosen !== undefined) return decision(request, chosen, MESSAGE_CONFIDENCE, verdict)
  // The application's own answer in the end: what failed before does not decide.
  if (verdict.cause === 'upstream_error' && verdict.confidence >= 0.8) return null
  return decision(request, ends.at(-1)!, SIBLING_CONFIDENCE, verdict)
}

function decision(request: JoinedRequest, deciding: number, confidence: number, verdict: AccessVerdict): Decision {
  const { record } = request.errors[deciding]!
  const cause = (record.cause ?? record.messageCause) as Cause
  const alternatives = new Set<Cause>()
  for (const error of request.errors) {
    // The subrequest's own trouble is why the auth service did not answer.
    if (error.record.subrequest !== null && error.record.cause !== null) alternatives.add(error.record.cause)
  }
  if (confidence < MESSAGE_CONFIDENCE && verdict.cause !== null) alternatives.add(verdict.cause)
  alternatives.delete(cause)
  const attempt = request.attemptOf[deciding]!
  return {
    cause,
    confidence: request.state === 'ambiguous' ? confidence * AMBIGUOUS_FACTOR : confidence,
    alternatives: [...alternatives],
    rule: `error.${record.messageKind ?? 'unknown'}`,
    deciding,
    controller: null,
    blamedAttempt: attempt >= 0 ? attempt : (verdict.blamedAttempt ?? -1)
  }
}

function decides(error: ErrorEntry): boolean {
  const role = roleOf(error.record)
  return (role === 'ends' || role === 'cuts') && error.record.messageCause !== 'cancelled'
}

function lastFailed(attempts: readonly { status: number | null; group: number }[]): number {
  for (let i = attempts.length - 1; i >= 0; i--) {
    const { status } = attempts[i]!
    const isAnswer = i === attempts.length - 1
    if (!isAnswer && (status === null || status >= 500)) return i
  }
  return attempts.length - 1
}

function lastOfFirstGroup(attempts: readonly { group: number }[]): number {
  let last = -1
  for (const [i, attempt] of attempts.entries()) if (attempt.group === attempts[0]!.group) last = i
  return last
}

/** TLS handshakes, HTTP/2 connections, exhausted connections: nginx writes no access line for them. */
function endsWithoutAccessLine({ record }: ErrorEntry): boolean {
  if (
    record.isStream ||
    record.messageCause === null ||
    record.messageCause === 'none' ||
    record.messageCause === 'cancelled'
  )
    return false
  if (record.request !== null) return false
  const isOverload =
    record.messageCause === 'controller_overload' &&
    /worker_connections are not enough(?!, reusing)/.test(record.message)
  if (isOverload) return true
  if (record.client === null) return false
  if (record.messageCause === 'client_closed' || record.messageCause === 'client_timeout') return false
  return /^(?:SSL handshaking$|processing HTTP\/2 connection)/.test(record.phase ?? '')
}
