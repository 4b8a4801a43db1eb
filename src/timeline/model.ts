/** What a timeline says, as one plain JSON object: what `--format json` prints and every picture is drawn from. */

import type { Cause } from '../../parsers/causes.ts'
import type { IncidentEntry } from '../alert/incidentEntry.ts'

/** RFC 3339, UTC, with milliseconds. */
export type Time = string

/** Documents by what they are: failed in rates, saved by a retry, everything else (left by the client, refused, cut). */
export interface DocumentCounts {
  failed: number
  masked: number
  other: number
}

export type DocumentKind = keyof DocumentCounts

/** Lists are cut; `more` says by how many. */
export interface Listed<T> {
  shown: T[]
  more: number
}

export interface Timeline {
  schema: 1
  /** Whole minutes, `[from, to)`; null when nothing tells an open end. */
  window: { from: Time; to: Time; minutes: number } | null
  /** From the first to the end of the last minute that holds anything; null: there is nothing. */
  data: { from: Time; to: Time } | null
  filters: { services: string[]; causes: string[] }
  /** Upstream names with requests or failures, and `service.name`s seen that are no upstream name. */
  upstreams: Listed<{ name: string; requests: number; failed: number }>
  services: string[]
  /** Every request, of any cause. */
  requests: number
  failed: number
  /** Of the requests; null without any. */
  share: number | null
  masked: number
  clientClosed: number
  /** What has a document and passes the filters: all that follows is about these. */
  documents: DocumentCounts
  course: Course
  causes: Listed<CauseEntry> & { rest: DocumentCounts }
  routes: Listed<{ route: string } & DocumentCounts> & { areShortened: boolean }
  clients: Listed<{ client: string } & DocumentCounts> & { areNetworks: boolean; distinct: number | null }
  series: SeriesEntry
  controller: Listed<ControllerEvent>
  /** By their start; those that were going on in the window. */
  incidents: Listed<IncidentEntry>
  gaps: Listed<{ at: Time; name: string; bytes: number | null; reason: string; text: string }>
  rejects: { code: string; count: number }[]
  /** Minutes without any request, with requests before and behind them; the longest ones. */
  silences: Listed<{ from: Time; to: Time; minutes: number }> & { minutes: number }
  /** Where nothing was found: what there is instead. */
  instead: Instead | null
}

/** The whole of it in five moments. */
export interface Course {
  /** What is counted here: failed requests; masked or other documents where none failed; null: there is nothing. */
  basis: DocumentKind | null
  /** The first and last document of the basis. */
  first: Moment | null
  last: Moment | null
  /** The first request saved by a retry, if that was before the first failed one. */
  warning: Moment | null
  /** Begin of the first raised minute: with at least a tenth of what the peak minute has. */
  onset: Time | null
  peak: { at: Time; minutes: number; count: number; requests: number | null } | null
  /** End of the last raised minute, if five minutes of data follow; null: not recovered by the end of the data. */
  recovery: Time | null
}

/** One document. */
export interface Moment {
  at: Time
  id: string
  cause: Cause
  upstream: string
  address: string | null
  status: number | null
  method: string | null
  path: string | null
}

/** A cause at an upstream. */
export interface CauseEntry extends DocumentCounts {
  cause: Cause
  /** '' when unknown. */
  upstream: string
  first: Time
  last: Time
  /** A cause is gone when nothing came of it for `quietMinutes`. */
  episodes: Listed<Episode>
  quietMinutes: number
  peak: { at: Time; minutes: number; count: number }
  addresses: Listed<{ address: string; pod: string | null; documents: number }>
  /** What clients saw; saved ones left out. */
  statuses: { status: number; count: number }[]
  /** Share of documents that an error line decided, 0 to 1. */
  toldByErrorLine: number
  confidence: number
  /** What was wrong in the cluster, most documents first; empty when its state was not asked, or does not tell. */
  rootCauses: Listed<RootCauseEntry>
  examples: Example[]
}

/** A root cause at a pod. */
export interface RootCauseEntry {
  rootCause: string
  pod: string | null
  documents: number
  first: Time
  last: Time
  /** When it began; null: not told. */
  at: Time | null
  /** When it had ended; null: not told. */
  until: Time | null
  /** Times in it are UTC. */
  sentence: string
  advice: string
  confidence: number | null
  /** Citations. */
  evidence: string[]
  /** A failure of it, for `why5xx fix`. */
  id: string
}

export interface Episode extends DocumentCounts {
  from: Time
  to: Time
}

export interface Example {
  id: string
  at: Time
  status: number | null
  message: string
  /** `ref` is `file:line`; of `count` lines with equal texts the first one's. */
  evidence: { kind: string; at: Time | null; ref: string; text: string; count: number }[]
}

/** Numbers per bucket, for pictures. */
export interface SeriesEntry {
  from: Time
  stepMinutes: number
  requests: number[]
  failed: number[]
  masked: number[]
  /** Documents of the basis, by cause, most first. */
  byCause: { cause: Cause; counts: number[] }[]
}

/** Equal controller lines close in time. */
export interface ControllerEvent {
  kind: string
  from: Time
  to: Time
  count: number
  service: string | null
  pods: number
  level: string | null
  cause: Cause | null
  message: string
}

export interface Instead {
  /** What the store holds; null: not known, or nothing. */
  span: { from: Time; to: Time } | null
  /** Upstream names with requests or failures in the window. */
  upstreams: Listed<string>
  /** For each service asked for, the upstream name nearest to it. */
  nearest: { service: string; upstream: string | null }[]
}
