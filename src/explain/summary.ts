/**
 * What `explain` keeps of a log of any length: counts by cause and upstream, one real example of each, what controllers
 * said, what could not be read. Pure and bounded; the reports only read it.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { RecordLine } from '../../parsers/reader.ts'
import type { ControllerRecord, ParseErrorCode, StreamAccessRecord } from '../../parsers/record.ts'
import type { RootCause } from '../diagnose/rootCauses.ts'
import type { Masker } from '../mask.ts'
import type { ErrorEntry, Failure, Position } from '../model.ts'
import { TimeHistogram } from './timeHistogram.ts'
import { WhyTally } from './whyTally.ts'

const GROUPS_MAX = 2_000
const ADDRESSES_MAX = 64
const TEMPLATES_MAX = 200
const REJECTS_SHOWN = 5

/** What one table says of a group. */
export interface Tally {
  count: number
  firstMs: number
  lastMs: number
  histogram: TimeHistogram
  /** What clients saw. */
  statuses: Map<number, number>
  confidenceSum: number
  /** Documents that neither an error line nor a controller line decided. */
  accessAlone: number
  accessAloneConfidenceSum: number
  /** Documents whose error lines an equal request in flight could have caused. */
  ambiguous: number
  alternatives: Map<Cause, number>
}

/** One cause at one upstream. */
export interface Group {
  cause: Cause
  /** null: no upstream is known (client TLS, damaged lines, formats without names). */
  upstreamName: string | null
  /** Documents in all. */
  documents: number
  /** Counted as failed: 5xx, 000, 009. */
  failed: Tally
  /** Saved by a retry. */
  masked: Tally
  /** Everything else. */
  beside: Tally
  /** Blamed upstream addresses → attempts that failed there. */
  addresses: Map<string, number>
  example: Example | null
  /** What was wrong in the cluster; empty when nobody was asked. */
  why: WhyTally
}

/** A real request of a group, masked, ready to print. */
export interface Example {
  score: number
  status: number | null
  method: string | null
  path: string | null
  attempts: { address: string | null; status: number | null }[]
  requestTimeMs: number | null
  access: Position | null
  error: { level: string | null; message: string; position: Position } | null
  host: string | null
}

export interface ControllerNote {
  text: string
  cause: Cause
  service: string | null
  count: number
  firstMs: number | null
  lastMs: number | null
}

export class Summary {
  readonly groups = new Map<string, Group>()
  readonly byCause = new Map<Cause, number>()
  /** Documents by root cause; empty when the state of the cluster was not asked. */
  readonly byRootCause = new Map<RootCause, number>()
  readonly join = { joined: 0, accessOnly: 0, errorOnly: 0, ambiguous: 0 }
  readonly notes = new Map<string, ControllerNote>()
  /** Error lines of requests that have no access line here, by cause. */
  readonly errorsAlone = new Map<Cause, number>()
  reloads = 0
  readonly stream = { lines: 0, failed: 0 }
  readonly rejectsByCode = new Map<ParseErrorCode, number>()
  readonly firstRejects: { code: ParseErrorCode; column: number; source: string; line: number; text: string }[] = []
  /** Texts of what fits no cause, with values taken out, so that the list of causes can grow. */
  readonly unclassified = new Map<string, number>()
  readonly #masker: Masker
  readonly #isDetailed: boolean

  /** Without details only counts are kept: programs that read them need no examples. */
  constructor(masker: Masker, isDetailed = true) {
    this.#masker = masker
    this.#isDetailed = isDetailed
  }

  add(failure: Failure): void {
    this.byCause.set(failure.cause, (this.byCause.get(failure.cause) ?? 0) + 1)
    if (failure.join === 'joined') this.join.joined++
    else if (failure.join === 'access_only') this.join.accessOnly++
    else if (failure.join === 'ambiguous') this.join.ambiguous++
    else this.join.errorOnly++
    const group = this.#group(failure)
    group.documents++
    group.why.add(failure)
    const rootCause = failure.judgement?.diagnosis?.rootCause
    if (rootCause !== undefined) this.byRootCause.set(rootCause, (this.byRootCause.get(rootCause) ?? 0) + 1)
    const tally = failure.counted ? group.failed : failure.masked ? group.masked : group.beside
    tally.count++
    if (this.#isDetailed) this.#addDetails(group, tally, failure)
  }

  /** An error line that tells an end, found no request and has no document. */
  alone({ record, timeMs }: ErrorEntry): void {
    const { messageCause: cause } = record
    if (cause === null || cause === 'none' || cause === 'cancelled') return
    // No request is missing where nginx speaks of itself.
    if (record.client === null) this.#note(record.message, record.messageKind, cause, null, timeMs)
    else this.errorsAlone.set(cause, (this.errorsAlone.get(cause) ?? 0) + 1)
  }

  #addDetails(group: Group, tally: Tally, failure: Failure): void {
    addToTally(tally, failure)
    for (const address of blamedAddresses(failure)) {
      if (group.addresses.has(address) || group.addresses.size < ADDRESSES_MAX)
        group.addresses.set(address, (group.addresses.get(address) ?? 0) + 1)
    }
    this.#keepExample(group, failure)
    if (failure.cause === 'unclassified') this.#countTemplate(failure)
  }

  controller(record: ControllerRecord, timeMs: number | null): void {
    if (/^"?Backend successfully reloaded/.test(record.message)) this.reloads++
    if (record.cause !== null) this.#note(record.message, record.messageKind, record.cause, record.service, timeMs)
  }

  #note(message: string, kind: string | null, cause: Cause, service: string | null, timeMs: number | null): void {
    const text = this.#masker.message(firstLine(message)).slice(0, 200)
    const key = `${kind ?? text}\n${service ?? ''}`
    let note = this.notes.get(key)
    if (!note) {
      if (this.notes.size >= TEMPLATES_MAX) return
      note = { text, cause, service, count: 0, firstMs: timeMs, lastMs: timeMs }
      this.notes.set(key, note)
    }
    note.count++
    if (timeMs !== null) {
      note.firstMs = Math.min(note.firstMs ?? timeMs, timeMs)
      note.lastMs = Math.max(note.lastMs ?? timeMs, timeMs)
    }
  }

  streamAccess(record: StreamAccessRecord): void {
    this.stream.lines++
    if (record.status >= 500) this.stream.failed++
  }

  reject(code: ParseErrorCode, column: number, line: RecordLine, source: string): void {
    this.rejectsByCode.set(code, (this.rejectsByCode.get(code) ?? 0) + 1)
    if (this.firstRejects.length >= REJECTS_SHOWN) return
    this.firstRejects.push({ code, column, source, line: line.number, text: this.#masker.rejected(line.raw, 200) })
  }

  /** Groups with counted failures first, most first; then the rest. */
  sorted(): Group[] {
    return [...this.groups.values()].sort(
      (a, b) => b.failed.count - a.failed.count || b.documents - a.documents || firstMs(a) - firstMs(b)
    )
  }

  #group(failure: Failure): Group {
    const key = `${failure.cause}\n${failure.upstreamName ?? ''}`
    const known = this.groups.get(key)
    if (known) return known
    const upstreamName = this.groups.size < GROUPS_MAX ? failure.upstreamName : '(other upstreams)'
    const boundedKey = `${failure.cause}\n${upstreamName ?? ''}`
    let group = this.groups.get(boundedKey)
    if (!group) {
      group = {
        cause: failure.cause,
        upstreamName,
        documents: 0,
        failed: emptyTally(),
        masked: emptyTally(),
        beside: emptyTally(),
        addresses: new Map(),
        example: null,
        why: new WhyTally()
      }
      this.groups.set(boundedKey, group)
    }
    return group
  }

  /** The first that shows most: an error line beside a counted failure beats the rest. */
  #keepExample(group: Group, failure: Failure): void {
    const score = (failure.counted ? 2 : 0) + (failure.deciding >= 0 ? 4 : 0) + (failure.join === 'joined' ? 1 : 0)
    if (group.example !== null && group.example.score >= score) return
    const record = failure.access?.record
    const error = failure.errors[failure.deciding]
    group.example = {
      score,
      status: record?.status ?? null,
      method: record?.method ?? error?.record.method ?? null,
      path: this.#masker.path(record?.path ?? error?.record.path ?? null),
      attempts: (record?.attempts ?? []).slice(0, 4).map(({ address, status }) => ({ address, status })),
      requestTimeMs: record?.requestTimeMs ?? null,
      access: failure.access?.position ?? null,
      error: error
        ? { level: error.record.level, message: this.#masker.message(error.record.message), position: error.position }
        : null,
      host: record?.host ?? error?.record.host ?? null
    }
  }

  #countTemplate(failure: Failure): void {
    const error = failure.errors[Math.max(0, failure.deciding)]?.record
    const record = failure.access?.record
    const template = error
      ? this.#masker
          .message(error.message)
          .replace(/"[^"]*"/g, '"…"')
          .replace(/\d+/g, 'N')
      : `status ${record?.status} after upstream status ${record?.attempts?.map(attempt => attempt.status ?? '-').join(', ') || '-'}`
    if (this.unclassified.has(template) || this.unclassified.size < TEMPLATES_MAX)
      this.unclassified.set(template, (this.unclassified.get(template) ?? 0) + 1)
  }
}

function emptyTally(): Tally {
  return {
    count: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    histogram: new TimeHistogram(),
    statuses: new Map(),
    confidenceSum: 0,
    accessAlone: 0,
    accessAloneConfidenceSum: 0,
    ambiguous: 0,
    alternatives: new Map()
  }
}

function addToTally(tally: Tally, failure: Failure): void {
  tally.firstMs = Math.min(tally.firstMs, failure.timeMs)
  tally.lastMs = Math.max(tally.lastMs, failure.timeMs)
  tally.histogram.add(failure.timeMs)
  const status = failure.access?.record.status
  if (status !== null && status !== undefined) tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
  tally.confidenceSum += failure.confidence
  if (failure.join === 'ambiguous') tally.ambiguous++
  if (failure.deciding < 0 && failure.controller === null) {
    tally.accessAlone++
    tally.accessAloneConfidenceSum += failure.confidence
  }
  for (const cause of failure.alternatives) tally.alternatives.set(cause, (tally.alternatives.get(cause) ?? 0) + 1)
}

function firstMs(group: Group): number {
  return Math.min(group.failed.firstMs, group.masked.firstMs, group.beside.firstMs)
}

/** Of a record of several lines. */
function firstLine(message: string): string {
  const end = message.indexOf('\\x0A')
  return (end < 0 ? message : message.slice(0, end)).trim()
}

/** Addresses of the attempts that failed like the blamed one. */
function blamedAddresses(failure: Failure): string[] {
  const attempts = failure.access?.record.attempts ?? []
  const blamed = attempts[failure.blamedAttempt]
  if (!blamed) {
    const address = failure.errors[Math.max(0, failure.deciding)]?.record.upstreamAddress
    return address ? [address] : []
  }
  return attempts
    .filter(attempt => attempt.group === blamed.group && attempt.status === blamed.status && attempt.address !== null)
    .map(attempt => attempt.address!)
}
