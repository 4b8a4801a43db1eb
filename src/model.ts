/** What flows between the parts: held records, joined requests, failures. */

import type { Cause } from '../parsers/causes.ts'
import type { RecordLine } from '../parsers/reader.ts'
import type { AccessRecord, ControllerRecord, ErrorRecord } from '../parsers/record.ts'
import type { Diagnosis } from './diagnose/diagnosis.ts'

/** Where a line was read: lines are counted from 1; of a record of several lines the first physical one. */
export type Position = FilePosition | PartitionPosition

export interface FilePosition {
  file: string
  line: number
}

export interface PartitionPosition {
  topic: string
  partition: number
  offset: number
}

/** A record with its place in time and in its source. */
export interface Entry<R> {
  record: R
  line: RecordLine
  position: Position
  /** Id of the stream: several generations of a file share one name. */
  stream: string
  /** Record time: the envelope's stamp, else nginx's second. */
  timeMs: number
  /** True when `timeMs` is finer than a second. */
  isPrecise: boolean
  /** An earlier run decided it, and it is judged once more. */
  isJudgedAgain: boolean
}

export type AccessEntry = Entry<AccessRecord>
export type ErrorEntry = Entry<ErrorRecord> & {
  /** An equal request could as well have taken a line like it: set by the join. */
  isDoubtful: boolean
}
/** A controller line; without any dated record before it its time is not known. */
export type ControllerEntry = Omit<Entry<ControllerRecord>, 'timeMs' | 'isPrecise' | 'isJudgedAgain'> & {
  timeMs: number | null
}

export type JoinState = 'joined' | 'access_only' | 'error_only' | 'ambiguous'

/** A request with every error line that belongs to it, oldest first. */
export interface JoinedRequest {
  access: AccessEntry
  errors: ErrorEntry[]
  /** errors[i] tells of attempt `attemptOf[i]` of the access record; -1: of none in particular. */
  attemptOf: number[]
  state: JoinState
}

/** A controller line that decided. */
export interface ControllerEvidence {
  timeMs: number
  position: Position
  text: string
}

/** What a document is made of. */
export interface Failure {
  access: AccessEntry | null
  errors: ErrorEntry[]
  join: JoinState
  cause: Cause
  confidence: number
  alternatives: Cause[]
  /** Rule that decided: `error.<message kind>`, `access.<row>`, `controller.no_endpoints`. */
  rule: string
  /** The error line that decided, an index into `errors`; -1 when the access line or the controller did. */
  deciding: number
  /** The controller line that decided, null when none did. */
  controller: ControllerEvidence | null
  /** Index into the attempts of the access record, -1: none. */
  blamedAttempt: number
  /** A retry saved the request: nobody but us saw it. */
  masked: boolean
  /** 5xx, 000 or 009 at a client's access line: what rates count. */
  counted: boolean
  /** `@timestamp`, Unix ms. */
  timeMs: number
  /** Service identity: the upstream name as logged, the alternative when not empty; null when the line has none. */
  upstreamName: string | null
  /** What the state of the cluster says of it; null: nobody was asked. */
  judgement: ClusterJudgement | null
}

export interface ClusterJudgement {
  /** The state of that moment was known: all that was recorded of it had been read. */
  isKnown: boolean
  /** null: nothing of the cluster can be read, or its state of then is not known. */
  diagnosis: Diagnosis | null
}
