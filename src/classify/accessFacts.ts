/**
 * What the decision table (accessTable.ts) asks about an access line, worked out once per line.
 *
 * A `Facts` is a view: of the first group of attempts at first, later of another group, of the failed attempts of a
 * request that a retry saved, or of one attempt alone. Source of every rule: status-semantics.md §3 to §7.
 */

import type { AccessRecord, UpstreamAttempt } from '../../parsers/record.ts'
import { isNoBody, isOwnPage } from './pages.ts'

/** Who made the last answer. `unknown`: HEAD, an error page in between, a subrequest, a line without sizes (§5, §6). */
export type Author = 'nginx' | 'application' | 'unknown'

export interface Facts {
  readonly record: AccessRecord
  /** Every attempt of the line, statuses that a cut line leaves out filled in; null when nothing of the upstream is known. */
  readonly all: readonly UpstreamAttempt[] | null
  /** The status that is judged: the client's, or that of the group or attempt in view; -1 when the line does not tell. */
  readonly status: number
  /** Attempts in view, oldest first. */
  readonly attempts: readonly UpstreamAttempt[]
  readonly last: UpstreamAttempt | null
  /** Place of `last` in `record.attempts`. */
  readonly lastIndex: number | null
  /** Groups in the whole line; a trailing peerless state is not one (log-formats.md §6.4). */
  readonly groups: number
  /** True for every view but the first. */
  readonly narrowed: boolean
  readonly author: Author
  /** The body has the size of nginx's page for `status`, or its size is hidden (HEAD) or cut off. */
  readonly isPage: boolean
  /** More than one attempt was made, so this failure was one that nginx retries (§3.1). */
  readonly retried: boolean
  /** No two attempts of the group went to different addresses. */
  readonly sameAddress: boolean
  /** Durations of the attempts in view, where logged; else the request's, in equal parts. */
  readonly timesMs: readonly number[]
  readonly subrequest: 'mirror' | 'auth' | null
}

/** Everything in a view that its maker decides. */
interface View {
  attempts: readonly UpstreamAttempt[]
  /** Place of the last of them in the whole line. */
  lastIndex: number | null
  status: number
  /** Another group follows, so lengths and body belong to somebody else (§5). */
  intercepted: boolean
  /** The attempts in view did not make the final answer: a retry followed, or the client left. */
  abandoned: boolean
  narrowed: boolean
}

/** Status 5xx: nginx's own 502 and 504 for an attempt that broke, or an application's that was passed on or retried. */
export function isFailedAttempt(attempt: UpstreamAttempt): boolean {
  return attempt.status !== null && attempt.status >= 500 && attempt.status <= 599
}

/** Counts as failed in rates, rollups and SLOs: 5xx, 000, 009 (design §5). */
export function isCountedFailure(status: number | null): boolean {
  return status !== null && ((status >= 500 && status <= 599) || status === 0 || status === 9)
}

/** A state without a peer: empty address, `0`, `0.000`, `-` (log-formats.md §6.4). */
export function isPeerless(attempt: UpstreamAttempt): boolean {
  return attempt.address === null && attempt.status === null && !attempt.responseBytes && !attempt.responseTimeMs
}

export function factsOf(record: AccessRecord): Facts {
  const all = knownAttempts(record)
  const status = record.status ?? all?.at(-1)?.status ?? -1
  // Object literals, no spreads, here and below: this runs for every failed request.
  if (all === null || all.length === 0) return viewOf(record, all, viewAtFirst([], null, status), 0)
  const groups = countGroups(all)
  // A trailing peerless state is the end of the same run, not an error page: the client got its status.
  if (groups === 1) return viewOf(record, all, viewAtFirst(all, all.length - 1, status), 1)
  const first = inGroup(all, all[0]!.group)
  return viewOf(record, all, viewAtFirst(first.attempts, first.lastIndex, status), groups)
}

function viewAtFirst(attempts: readonly UpstreamAttempt[], lastIndex: number | null, status: number): View {
  return { attempts, lastIndex, status, intercepted: false, abandoned: false, narrowed: false }
}

/** Row 2: the first group by its last upstream status; the answer behind it belongs to the error page. */
export function firstGroup({ record, all, groups }: Facts): Facts {
  const first = inGroup(all!, all![0]!.group)
  const last = first.attempts.at(-1)!
  // Which status an intercepted peerless state had is lost; 500 is the usual one.
  const status = last.status ?? (isPeerless(last) ? 500 : -1)
  const { attempts, lastIndex } = first
  return viewOf(
    record,
    all,
    { attempts, lastIndex, status, intercepted: true, abandoned: false, narrowed: true },
    groups
  )
}

/** The group that answered the client, by the client's status. */
export function lastGroup({ record, all, groups, status }: Facts): Facts {
  const { attempts, lastIndex } = inGroup(all!, all!.at(-1)!.group)
  return viewOf(
    record,
    all,
    { attempts, lastIndex, status, intercepted: false, abandoned: false, narrowed: true },
    groups
  )
}

/** The failed attempts in view only, as the run of retries they were; null without one. */
export function failedRun(facts: Facts): Facts | null {
  const failed = facts.attempts.filter(isFailedAttempt)
  return failed.length === 0 ? null : abandonedView(facts, failed)
}

/** One attempt in view, by its own status and time. */
export function attemptAlone(facts: Facts, alone: UpstreamAttempt): Facts {
  return abandonedView(facts, [alone])
}

function abandonedView({ record, all, groups }: Facts, attempts: readonly UpstreamAttempt[]): Facts {
  const last = attempts.at(-1)!
  const lastIndex = all!.indexOf(last)
  const status = last.status ?? -1
  return viewOf(
    record,
    all,
    { attempts, lastIndex, status, intercepted: false, abandoned: true, narrowed: true },
    groups
  )
}

function viewOf(record: AccessRecord, all: readonly UpstreamAttempt[] | null, view: View, groups: number): Facts {
  const { attempts } = view
  const last = attempts.at(-1) ?? null
  const subrequest = subrequestOf(record, all)
  return {
    record,
    all,
    status: view.status,
    attempts,
    last,
    lastIndex: view.lastIndex,
    groups,
    narrowed: view.narrowed,
    author: last === null ? 'unknown' : authorOf(record, last, view, subrequest),
    isPage: record.method === 'HEAD' || record.bodyBytes === null || isOwnPage(view.status, record.bodyBytes),
    retried: view.abandoned || attempts.length > 1,
    sameAddress: all?.every(attempt => attempt.group !== last?.group || attempt.address === last.address) ?? true,
    timesMs: timesOf(record, attempts, all?.length ?? 0),
    subrequest
  }
}

/** Rows 0 and 0a: a subrequest has read no bytes of its own. */
function subrequestOf(record: AccessRecord, all: readonly UpstreamAttempt[] | null): 'mirror' | 'auth' | null {
  if (record.requestLength !== 0 || record.upstreamName === null || record.upstreamName === '') return null
  if (record.upstreamName !== '-') return 'auth'
  return all !== null && all.length > 0 ? 'mirror' : null
}

function authorOf(
  record: AccessRecord,
  last: UpstreamAttempt,
  view: View,
  subrequest: 'mirror' | 'auth' | null
): Author {
  if (last.headerTimeMs !== null) return 'application'
  if (isNeverConnected(record, last)) return 'nginx'
  // An auth subrequest reads headers only: neither its length nor its body tells anything.
  if (subrequest === 'auth') return 'unknown'
  if (last.responseBytes !== null && last.responseBytes > 0) return 'application'
  if (view.abandoned) return 'nginx'
  if (view.intercepted || record.method === 'HEAD' || record.bodyBytes === null) return 'unknown'
  if (isNoBody(record.bodyBytes)) return last.responseBytes === 0 ? 'application' : 'unknown'
  // Bytes for the client and none from the upstream: nginx's page, or one that error_page or gzip changed.
  if (last.responseBytes === 0) return 'nginx'
  return isOwnPage(view.status, record.bodyBytes) ? 'nginx' : 'unknown'
}

/** True when the line logs connect times whole, so that `-` means the connection (or its TLS) never came up. */
export function hasConnectTimes(record: AccessRecord): boolean {
  return record.hasConnectTime && !record.truncated && !record.attemptsUncertain
}

function isNeverConnected(record: AccessRecord, last: UpstreamAttempt): boolean {
  return hasConnectTimes(record) && last.connectTimeMs === null && (last.status === 502 || last.status === 504)
}

/**
 * The attempts with the statuses that a cut line or a short format leaves out, or null when nothing of the upstream is known.
 *
 *   504, three addresses, cut in the list of lengths     → 504, 504, 504
 *   500, statuses `504, 5` of three                      → 504, -, 500
 */
function knownAttempts(record: AccessRecord): readonly UpstreamAttempt[] | null {
  const { attempts, status } = record
  if (attempts === null || attempts.length === 0) return attempts
  const hasFields = attempts.some(a => a.address !== null || a.status !== null || a.responseBytes !== null)
  if (!hasFields) return null
  return status === null || status < 500 ? attempts : fillStatuses(record, attempts, status)
}

function fillStatuses(record: AccessRecord, attempts: readonly UpstreamAttempt[], status: number): UpstreamAttempt[] {
  const end = attempts.length - 1
  const noneLogged = attempts.every(attempt => attempt.status === null)
  const isBroken = status === 502 || status === 504
  // The controller's formats log `-` when nginx failed by itself at a peer; foreign ones may have no statuses at all.
  const isForeign = noneLogged && record.upstreamName === null
  const isIncomplete = record.truncated || record.attemptsUncertain || isForeign
  return attempts.map((attempt, index) => {
    if (attempt.status !== null || attempt.address === null || attempt.group !== attempts[end]!.group) return attempt
    const isTold = index === end ? isBroken || isIncomplete : isBroken && noneLogged
    return isTold ? { ...attempt, status } : attempt
  })
}

/** ` : 127.0.0.1:8181`: a state without a peer, then an error page. Its empty element may be missing in the array. */
export function startsPeerless(all: readonly UpstreamAttempt[]): boolean {
  return all[0]!.group > 0
}

function countGroups(all: readonly UpstreamAttempt[]): number {
  const end = isPeerless(all.at(-1)!) ? all.length - 1 : all.length
  let groups = end === 0 || startsPeerless(all) ? 1 : 0
  for (let index = 0; index < end; index++) {
    if (index === 0 || all[index]!.group !== all[index - 1]!.group) groups++
  }
  return groups
}

function inGroup(all: readonly UpstreamAttempt[], group: number): Pick<View, 'attempts' | 'lastIndex'> {
  return {
    attempts: all.filter(attempt => attempt.group === group),
    lastIndex: all.findLastIndex(attempt => attempt.group === group)
  }
}

function timesOf(record: AccessRecord, attempts: readonly UpstreamAttempt[], total: number): number[] {
  const times: number[] = []
  for (const { responseTimeMs } of attempts) if (responseTimeMs !== null) times.push(responseTimeMs)
  if (times.length > 0 || total === 0 || record.requestTimeMs === null) return times
  return [record.requestTimeMs / total]
}
