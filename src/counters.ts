/** What a run has done so far. The pipeline writes it; metrics, the status line and the periodic log line read it. */

import type { Cause } from '../parsers/causes.ts'
import type { JoinState } from './model.ts'

export type LineKind = 'access' | 'error' | 'controller' | 'stream_access' | 'other' | 'continuation' | 'reject'

export interface FailureCount {
  upstream: string
  cause: Cause
  category: string
  /** Three digits, `-` without an access line. */
  status: string
  slo: boolean
  count: number
}

/** Upstream names beyond this many share one series; of failures, one for each cause and status. */
const SERIES_MAX = 5_000
const OTHERS = '(other upstreams)'

export class Counters {
  readonly startedMs: number
  /** Lines, requests, failures and joins count once, also when they are read again after a restart. */
  readonly lines: Record<LineKind, number> = {
    access: 0,
    error: 0,
    controller: 0,
    stream_access: 0,
    other: 0,
    continuation: 0,
    reject: 0
  }
  readonly rejectsByCode = new Map<string, number>()
  /** Clients' requests by upstream name. */
  readonly requests = new Map<string, number>()
  /** Documents: failed, masked and the rest. */
  readonly failures = new Map<string, FailureCount>()
  /** What is known of an upstream: last told, '' where it is not known. */
  readonly places = new Map<string, { namespace: string; service: string; ingress: string }>()
  readonly joins: Record<JoinState, number> = { joined: 0, access_only: 0, error_only: 0, ambiguous: 0 }
  /** Failures judged by the state of the cluster, by root cause; `state_unknown`, `unreadable`: nothing could be said. */
  readonly diagnoses = new Map<string, number>()
  /** Failures that could not be judged, because that threw. */
  unjudged = 0
  /** Failures judged a second time, those whose verdict changed, and documents that could not be judged. */
  readonly settled = { judged: 0, changed: 0, unjudged: 0 }
  gaps = 0
  gapBytes = 0
  /** Gaps because a file could not be read. */
  unreadable = 0
  /** Batches made durable, and documents in them; `known` were there already in the same or a better version. */
  readonly written = { batches: 0, documents: 0, known: 0 }
  /** Bytes on their way to the store. */
  bytesInFlight = 0
  /** Lines that wait for a partner. */
  linesHeld = 0
  /** Record time of the newest line read, Unix ms; -Infinity before the first. */
  newestMs = Number.NEGATIVE_INFINITY
  /** Every stream is at its end. */
  isAtEnd = false
  streams = 0
  /** Why nothing is written just now (a full disk); null: all is well. */
  pausedBecause: string | null = null
  /** Wall time of the last step of the source, if only to say that nothing has come; null before the first. */
  steppedMs: number | null = null

  constructor(startedMs: number) {
    this.startedMs = startedMs
  }

  /** The source reads. */
  get isReady(): boolean {
    return this.steppedMs !== null
  }

  countRequests(upstream: string, count: number): void {
    const name = this.requests.has(upstream) || this.requests.size < SERIES_MAX ? upstream : OTHERS
    this.requests.set(name, (this.requests.get(name) ?? 0) + count)
  }

  countFailure(failure: Omit<FailureCount, 'count'>): void {
    const key = `${failure.cause} ${failure.status} ${failure.upstream}`
    const known = this.failures.get(key)
    if (known) known.count++
    else if (this.failures.size < SERIES_MAX || failure.upstream === OTHERS)
      this.failures.set(key, { ...failure, count: 1 })
    else this.countFailure({ ...failure, upstream: OTHERS })
  }

  /** Of a failure; what an earlier one told is not forgotten. */
  notePlace(upstream: string, namespace: string | null, service: string | null, ingress: string | null): void {
    if (namespace === null || upstream === '') return
    const known = this.places.get(upstream)
    if (known === undefined && this.places.size >= SERIES_MAX) return
    if (known?.namespace === namespace && (ingress === null || known.ingress === ingress)) return
    this.places.set(upstream, { namespace, service: service ?? '', ingress: ingress ?? known?.ingress ?? '' })
  }

  countDiagnosis(rootCause: string): void {
    this.diagnoses.set(rootCause, (this.diagnoses.get(rootCause) ?? 0) + 1)
  }

  /** 0 at the end of every stream, else how far the newest line read lies behind `nowMs`, seconds. */
  lagSeconds(nowMs: number): number {
    if (this.isAtEnd || !Number.isFinite(this.newestMs)) return 0
    return Math.max(0, (nowMs - this.newestMs) / 1000)
  }
}
