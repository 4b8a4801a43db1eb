/** What the fields of a failure document read from: worked out once a failure, however many fields show it. */

import { isIP } from 'node:net'
import { type CauseInfo, causeTable } from '../../parsers/causes.ts'
import type { RecordLine } from '../../parsers/reader.ts'
import type { AccessRecord, ErrorRecord, UpstreamAttempt } from '../../parsers/record.ts'
import type { Masker } from '../mask.ts'
import type { Failure, Position } from '../model.ts'
import type { JudgedFacts } from './diagnosisFields.ts'
import { lineId, sourceOf } from './identity.ts'

export interface DocumentOptions {
  clusterName: string
  /** Source of a line whose envelope does not tell: `--source`, a fingerprint, `stdin`. By stream and offset of the line. */
  sourceOf(stream: string, byteOffset: number): string
  masker: Masker
  runbookUrl: string | null
  /** Labels of pods that documents carry; left out: none. */
  labels?: readonly string[]
  /** Wall time, Unix ms, for `event.ingested`; left out: the document goes to no store. */
  nowMs?: () => number
}

/** An IP address and port, null for names and sockets. */
interface Peer {
  ip: string | null
  port: number | null
}

interface RequestFacts {
  access: AccessRecord | null
  /** The error line that decided; null when none did. */
  error: ErrorRecord | null
  attempts: UpstreamAttempt[]
  blamed: UpstreamAttempt | null
  /** The blamed upstream address as logged. */
  where: string | null
  /** Masked. */
  path: string | null
  client: string | null
  host: string | null
}

export interface Facts extends RequestFacts {
  failure: Failure
  options: DocumentOptions
  info: CauseInfo
  /** The blamed upstream address, taken apart. */
  wherePeer: Peer
  lastPeer: Peer
  line: RecordLine
  id: string
  time: string
  evidence: Evidence[]
  judged: JudgedFacts
}

export interface Evidence {
  kind: string
  at: string
  ref: string
  text: string
}

export function factsOf(failure: Failure, options: DocumentOptions): Facts {
  const { masker } = options
  const told = requestFacts(failure, masker)
  const { access, attempts, where } = told
  const first = failure.access ?? failure.errors[0]!
  const wherePeer = peerOf(where)
  const last = attempts.at(-1)?.address ?? null
  const source = sourceOf(options.clusterName, first.line, options.sourceOf(first.stream, first.line.byteOffset))
  return {
    failure,
    options,
    info: causeTable[failure.cause],
    ...told,
    wherePeer,
    lastPeer: last === where ? wherePeer : peerOf(last),
    line: first.line,
    id: lineId(source, first.line),
    time: iso(failure.timeMs),
    evidence: evidenceOf(failure, access, attempts, masker),
    judged: judgedFacts(failure, options.labels)
  }
}

/** Which request it was, and where it failed; masked. */
export function requestFacts(failure: Failure, masker: Masker): RequestFacts {
  const access = failure.access?.record ?? null
  const attempts = access?.attempts ?? []
  const error = failure.errors[failure.deciding]?.record ?? null
  const blamed = attempts[failure.blamedAttempt] ?? null
  return {
    access,
    error,
    attempts,
    blamed,
    where: blamed?.address ?? error?.upstreamAddress ?? null,
    path: masker.path(access?.path ?? error?.path ?? null),
    client: masker.client(access?.client ?? error?.client ?? null),
    host: masker.host(access?.host ?? failure.errors.find(({ record }) => record.host !== null)?.record.host ?? null)
  }
}

/** What the state of the cluster and the log lines say of whom it concerned. */
export function judgedFacts({ access, judgement, upstreamName }: Failure, labels: readonly string[] = []): JudgedFacts {
  return {
    judgement,
    diagnosis: judgement?.diagnosis ?? null,
    logged: {
      namespace: access?.record.namespace ?? null,
      service: access?.record.service ?? null,
      ingress: access?.record.ingress ?? null
    },
    upstreamName,
    labels
  }
}

/** One sentence: status, request, cause, upstream. */
export function sentence(facts: Facts): string {
  const { access, failure, where } = facts
  const status = access?.status == null ? '' : `${String(access.status).padStart(3, '0')} `
  const request = [access?.method ?? facts.error?.method, facts.path].filter(Boolean).join(' ')
  const saved = failure.masked ? ', saved by a retry' : ''
  return `${status}${request === '' ? '' : `${request}: `}${failure.cause}${where ? ` at ${where}` : ''}${failure.upstreamName ? ` (${failure.upstreamName})` : ''}${saved}`
}

/** From the deciding error line to the access line: how long nginx went on. */
export function lagMs({ failure }: Facts): number | null {
  const error = failure.errors[failure.deciding]
  return error && failure.access ? Math.round(failure.access.timeMs - error.timeMs) : null
}

export function original(facts: Facts): string | null {
  const query = facts.options.masker.query(facts.access?.query ?? null)
  const plain = facts.path
  return plain === null ? null : query === null ? plain : `${plain}?${query}`
}

export const PORT = /:(\d{1,5})$/

export function port(facts: Facts): number | null {
  const digits = PORT.exec(facts.host ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Of the deciding error line, else of the access line; a shipper tells the file where there is one. */
export function filePath({ failure }: Facts): string | null {
  const { line, position } = (failure.errors[failure.deciding] ?? failure.access ?? failure.errors[0])!
  if (line.path !== null || !('file' in position)) return line.path
  return position.file === 'stdin' ? null : position.file
}

export function isFailed(attempt: UpstreamAttempt): boolean {
  return attempt.status === null || attempt.status >= 500
}

export function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000
}

/** As nginx prints it. */
export function printedSeconds(ms: number | null): string | null {
  return ms === null ? null : (ms / 1000).toFixed(3)
}

export function present<T>(values: (T | null)[]): T[] {
  return values.filter(value => value !== null)
}

export function texts(values: (number | string | null)[]): string[] {
  return values.map(value => (value === null ? '-' : String(value)))
}

/** Where a person finds the line: by its pod and stamp, which are the same wherever it is read; else where it was read. */
function lineText(position: Position, line: RecordLine | null = null): string {
  if (line !== null && line.pod !== null && line.written !== '')
    return `${line.namespace === null ? '' : `${line.namespace}/`}${line.pod} ${line.written}`
  if ('file' in position) return `${position.file}:${position.line}`
  return `${position.topic}/${position.partition} offset ${position.offset}`
}

function evidenceOf(
  failure: Failure,
  access: AccessRecord | null,
  attempts: readonly UpstreamAttempt[],
  masker: Masker
): Evidence[] {
  const items: Evidence[] = failure.errors.map(({ line, position, record, timeMs }) => ({
    kind: 'error_line',
    at: iso(timeMs),
    ref: lineText(position, line),
    text: masker.message(record.message)
  }))
  if (failure.access !== null && access !== null) {
    const { line, position, timeMs } = failure.access
    const statuses = attempts.map(attempt => attempt.status ?? '-').join(', ')
    const text = `status ${access.status}, upstream status ${statuses || '-'}, ${access.bodyBytes ?? '-'} bytes, request time ${printedSeconds(access.requestTimeMs) ?? '-'} s`
    items.push({ kind: 'access_line', at: iso(timeMs), ref: lineText(position, line), text })
  }
  if (failure.controller !== null) {
    const { timeMs, position, text } = failure.controller
    const ref = lineText(position)
    items.push({ kind: 'controller_line', at: iso(timeMs), ref, text: masker.message(text) })
  }
  return items
}

/** `10.1.2.3:80` → 10.1.2.3 and 80, `[2001:db8::1]:80` → 2001:db8::1 and 80. */
function peerOf(address: string | null): Peer {
  const match = address === null ? null : /^\[?([0-9a-fA-F.:]+?)\]?:(\d+)$/.exec(address)
  return match && isIP(match[1]!) > 0 ? { ip: match[1]!, port: Number(match[2]) } : { ip: null, port: null }
}

const DAY_MS = 86_400_000
let dayText = ''
let day = Number.NaN

/** RFC 3339, milliseconds. The date is that of the call before, nearly always. */
export function iso(ms: number): string {
  const whole = Math.trunc(ms)
  const today = Math.floor(whole / DAY_MS)
  if (today !== day) {
    dayText = new Date(whole).toISOString().slice(0, -13)
    day = today
  }
  const rest = whole - today * DAY_MS
  const seconds = Math.floor(rest / 1_000)
  const minutes = Math.floor(seconds / 60)
  const fraction = String(rest % 1_000).padStart(3, '0')
  return `${dayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${fraction}Z`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
