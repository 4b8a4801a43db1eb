/**
 * The one description of the failure document: every field with its Elasticsearch type and where its value comes from.
 * The document is built from it, and so are the index templates. ECS 9.4 names; ours are under `why5xx`.
 */

import { isIP } from 'node:net'
import { type CauseInfo, causeTable } from '../../parsers/causes.ts'
import type { AccessRecord, ErrorRecord, UpstreamAttempt } from '../../parsers/record.ts'
import type { Masker } from '../mask.ts'
import type { Failure } from '../model.ts'
import { knowledge, lineId, RULES_VERSION, sourceOf } from './identity.ts'

export const DOCUMENT_SCHEMA = 1

/** Mapping types of the server itself only; `stored` is an object with `enabled: false`. */
export type FieldType =
  | 'keyword'
  | 'date'
  | 'long'
  | 'integer'
  | 'short'
  | 'half_float'
  | 'double'
  | 'ip'
  | 'text'
  | 'boolean'
  | 'stored'

export interface DocumentOptions {
  clusterName: string
  /** Source of a line whose envelope does not tell: `--source`, a fingerprint, `stdin`. By stream and offset of the line. */
  sourceOf(stream: string, byteOffset: number): string
  masker: Masker
  runbookUrl: string | null
}

/** What the fields read from. */
interface Facts {
  failure: Failure
  options: DocumentOptions
  info: CauseInfo
  access: AccessRecord | null
  /** The error line that decided; null when none did. */
  error: ErrorRecord | null
  attempts: UpstreamAttempt[]
  blamed: UpstreamAttempt | null
  line: NonNullable<Failure['access']>['line']
  id: string
}

export interface DocumentField {
  path: string
  type: FieldType
  value: (facts: Facts) => unknown
}

const field = (path: string, type: FieldType, value: DocumentField['value']): DocumentField => ({ path, type, value })

export const DOCUMENT_FIELDS: readonly DocumentField[] = [
  field('@timestamp', 'date', f => iso(f.failure.timeMs)),
  field('event.start', 'date', f =>
    f.access?.requestTimeMs == null ? null : iso(f.failure.timeMs - f.access.requestTimeMs)
  ),
  field('event.duration', 'long', f => (f.access?.requestTimeMs == null ? null : f.access.requestTimeMs * 1_000_000)),
  field('event.created', 'date', f => (f.line.timeMs === null ? null : iso(f.line.timeMs))),
  field('event.id', 'keyword', f => f.id),
  field('event.kind', 'keyword', () => 'event'),
  field('event.category', 'keyword', () => ['web', 'network']),
  field('event.type', 'keyword', () => ['access', 'error']),
  field('event.dataset', 'keyword', () => 'why5xx.failure'),
  field('event.module', 'keyword', () => 'why5xx'),
  field('event.outcome', 'keyword', f => (f.failure.masked ? 'success' : 'failure')),
  field('event.reference', 'keyword', f => f.options.runbookUrl?.replaceAll('{cause}', f.failure.cause) ?? null),
  field('message', 'text', sentence),
  field('http.request.method', 'keyword', f => f.access?.method ?? f.error?.method),
  field('http.request.id', 'keyword', f => f.options.masker.requestId(f.access?.requestId ?? null)),
  field('http.request.bytes', 'long', f => f.access?.requestLength),
  field('http.request.referrer', 'keyword', f =>
    f.options.masker.referrer(f.access?.referrer ?? f.error?.referrer ?? null)
  ),
  field('http.version', 'keyword', f => f.access?.httpVersion),
  field('http.response.status_code', 'short', f => f.access?.status),
  field('http.response.body.bytes', 'long', f => f.access?.bodyBytes),
  field('url.domain', 'keyword', f => host(f)?.replace(PORT, '')),
  field('url.port', 'integer', f => port(f)),
  field('url.path', 'keyword', f => path(f)),
  field('url.query', 'keyword', f => f.options.masker.query(f.access?.query ?? null)),
  field('url.original', 'keyword', f => original(f)),
  field('source.address', 'keyword', f => client(f)),
  field('source.ip', 'ip', f => (isIP(client(f) ?? '') > 0 ? client(f) : null)),
  field('user_agent.original', 'keyword', f => f.options.masker.userAgent(f.access?.userAgent ?? null)),
  field('nginx_ingress_controller.access.remote_ip_list', 'ip', f =>
    f.access !== null && isIP(client(f) ?? '') > 0 ? [client(f)] : null
  ),
  field('nginx_ingress_controller.access.http.request.id', 'keyword', f =>
    f.options.masker.requestId(f.access?.requestId ?? null)
  ),
  field('nginx_ingress_controller.access.http.request.length', 'long', f => f.access?.requestLength),
  field('nginx_ingress_controller.access.http.request.time', 'double', f => seconds(f.access?.requestTimeMs)),
  field('nginx_ingress_controller.access.upstream.name', 'keyword', f => f.access?.upstreamName),
  field('nginx_ingress_controller.access.upstream.alternative_name', 'keyword', f => f.access?.alternativeUpstreamName),
  field('nginx_ingress_controller.access.upstream.ip', 'ip', f => hostOf(f.attempts.at(-1)?.address)),
  field('nginx_ingress_controller.access.upstream.port', 'integer', f => portOf(f.attempts.at(-1)?.address)),
  field('nginx_ingress_controller.access.upstream.response.length', 'long', f => f.attempts.at(-1)?.responseBytes),
  field('nginx_ingress_controller.access.upstream.response.time', 'double', f =>
    seconds(f.attempts.at(-1)?.responseTimeMs)
  ),
  field('nginx_ingress_controller.access.upstream.response.status_code', 'short', f => f.attempts.at(-1)?.status),
  field('nginx_ingress_controller.access.upstream_address_list', 'keyword', f =>
    present(f.attempts.map(attempt => attempt.address))
  ),
  field('nginx_ingress_controller.access.upstream.response.length_list', 'keyword', f =>
    texts(f.attempts.map(attempt => attempt.responseBytes))
  ),
  field('nginx_ingress_controller.access.upstream.response.time_list', 'keyword', f =>
    texts(f.attempts.map(attempt => printedSeconds(attempt.responseTimeMs)))
  ),
  field('nginx_ingress_controller.access.upstream.response.status_code_list', 'keyword', f =>
    texts(f.attempts.map(attempt => attempt.status))
  ),
  field('error.code', 'keyword', f => (f.error?.errno == null ? null : String(f.error.errno))),
  field('error.type', 'keyword', f => f.error?.messageKind),
  field('error.message', 'text', f => (f.error === null ? null : f.options.masker.message(f.error.message))),
  field('log.level', 'keyword', f => f.error?.level),
  field('log.file.path', 'keyword', filePath),
  field('orchestrator.type', 'keyword', () => 'kubernetes'),
  field('orchestrator.cluster.name', 'keyword', f => f.options.clusterName),
  field('orchestrator.namespace', 'keyword', f => f.access?.namespace),
  field('orchestrator.resource.type', 'keyword', f => (f.access?.ingress == null ? null : 'ingress')),
  field('orchestrator.resource.name', 'keyword', f => f.access?.ingress),
  field('kubernetes.namespace', 'keyword', f => f.access?.namespace),
  field('kubernetes.service.name', 'keyword', f => f.access?.service),
  field('service.name', 'keyword', f => serviceName(f.access) ?? f.failure.upstreamName),
  field('host.name', 'keyword', f => f.line.node),
  field('trace.id', 'keyword', f => f.access?.traceId),
  field('why5xx.schema', 'integer', () => DOCUMENT_SCHEMA),
  field('why5xx.cause', 'keyword', f => f.failure.cause),
  field('why5xx.category', 'keyword', f => f.info.category),
  field('why5xx.blame', 'keyword', f => f.info.blame),
  field('why5xx.slo', 'boolean', f => f.info.slo),
  field('why5xx.masked', 'boolean', f => f.failure.masked),
  field('why5xx.confidence', 'half_float', f => Math.round(f.failure.confidence * 1000) / 1000),
  field('why5xx.alternatives', 'keyword', f => f.failure.alternatives),
  field('why5xx.rule.id', 'keyword', f => f.failure.rule),
  field('why5xx.rule.version', 'integer', () => RULES_VERSION),
  field('why5xx.explanation', 'text', f => f.info.title),
  field('why5xx.upstream.name', 'keyword', f => f.failure.upstreamName),
  field('why5xx.upstream.address', 'keyword', f => f.blamed?.address ?? f.error?.upstreamAddress),
  field('why5xx.upstream.ip', 'ip', f => hostOf(f.blamed?.address ?? f.error?.upstreamAddress)),
  field('why5xx.upstream.port', 'integer', f => portOf(f.blamed?.address ?? f.error?.upstreamAddress)),
  field('why5xx.upstream.status', 'short', f => f.blamed?.status),
  field('why5xx.upstream.connect_ms', 'integer', f => f.blamed?.connectTimeMs),
  field('why5xx.upstream.header_ms', 'integer', f => f.blamed?.headerTimeMs),
  field('why5xx.upstream.response_ms', 'integer', f => f.blamed?.responseTimeMs),
  field('why5xx.upstream.bytes', 'long', f => f.blamed?.responseBytes),
  field('why5xx.attempts.count', 'short', f => (f.access?.attempts ? f.attempts.length : null)),
  field('why5xx.attempts.failed', 'short', f => (f.access?.attempts ? f.attempts.filter(isFailed).length : null)),
  field('why5xx.attempts.addresses', 'keyword', f => present(f.attempts.map(attempt => attempt.address))),
  field('why5xx.attempts.statuses', 'short', f => present(f.attempts.map(attempt => attempt.status))),
  field('why5xx.attempts.list', 'stored', f => (f.attempts.length === 0 ? null : f.attempts)),
  field('why5xx.join.state', 'keyword', f => f.failure.join),
  field('why5xx.join.error_lines', 'short', f => f.failure.errors.length),
  field('why5xx.join.lag_ms', 'integer', lagMs),
  field('why5xx.controller.namespace', 'keyword', f => f.line.namespace),
  field('why5xx.controller.pod.name', 'keyword', f => f.line.pod),
  field('why5xx.controller.node.name', 'keyword', f => f.line.node),
  field('why5xx.evidence_kinds', 'keyword', f => [...new Set(evidence(f).map(item => item.kind))]),
  field('why5xx.evidence', 'stored', evidence),
  field('why5xx.origin', 'stored', f => ({
    access: f.failure.access?.position ?? null,
    errors: f.failure.errors.map(error => error.position)
  }))
]

/** A failure document as nested JSON: what is printed and what is indexed. Fields without a value are left out. */
export type FailureDocument = Record<string, unknown>

/** A document with what decides which of two versions stays: the higher one; of equal ones the first. */
export interface StoredDocument {
  id: string
  /** External version (`knowledge` for failures). */
  version: number
  /** `@timestamp`, Unix ms. Never changes for an id. */
  timeMs: number
  document: FailureDocument
}

export function buildDocument(failure: Failure, options: DocumentOptions): StoredDocument {
  const facts = factsOf(failure, options)
  const document: FailureDocument = {}
  for (const { path, value } of DOCUMENT_FIELDS) {
    const content = value(facts)
    if (content === null || content === undefined || (Array.isArray(content) && content.length === 0)) continue
    place(document, path, content)
  }
  return {
    id: facts.id,
    timeMs: Math.floor(failure.timeMs),
    version: knowledge({ settled: false, clusterKnown: false, joined: failure.errors.length > 0 }),
    document
  }
}

function factsOf(failure: Failure, options: DocumentOptions): Facts {
  const access = failure.access?.record ?? null
  const attempts = access?.attempts ?? []
  const first = failure.access ?? failure.errors[0]!
  return {
    failure,
    options,
    info: causeTable[failure.cause],
    access,
    error: failure.errors[failure.deciding]?.record ?? null,
    attempts,
    blamed: attempts[failure.blamedAttempt] ?? null,
    line: first.line,
    id: lineId(
      sourceOf(options.clusterName, first.line, options.sourceOf(first.stream, first.line.byteOffset)),
      first.line
    )
  }
}

/** One sentence: status, request, cause, upstream. */
function sentence(facts: Facts): string {
  const { access, failure, blamed } = facts
  const status = access?.status == null ? '' : `${String(access.status).padStart(3, '0')} `
  const request = [access?.method ?? facts.error?.method, path(facts)].filter(Boolean).join(' ')
  const where = blamed?.address ?? facts.error?.upstreamAddress
  const saved = failure.masked ? ', saved by a retry' : ''
  return `${status}${request === '' ? '' : `${request}: `}${failure.cause}${where ? ` at ${where}` : ''}${failure.upstreamName ? ` (${failure.upstreamName})` : ''}${saved}`
}

interface Evidence {
  kind: string
  at: string
  ref: string
  text: string
}

function evidence(facts: Facts): Evidence[] {
  const { failure, options, access } = facts
  const items: Evidence[] = failure.errors.map(error => ({
    kind: 'error_line',
    at: iso(error.timeMs),
    ref: `${error.position.file}:${error.position.line}`,
    text: options.masker.message(error.record.message)
  }))
  if (failure.access !== null && access !== null) {
    const statuses = facts.attempts.map(attempt => attempt.status ?? '-').join(', ')
    const text = `status ${access.status}, upstream status ${statuses || '-'}, ${access.bodyBytes ?? '-'} bytes, request time ${printedSeconds(access.requestTimeMs) ?? '-'} s`
    items.push({
      kind: 'access_line',
      at: iso(failure.access.timeMs),
      ref: `${failure.access.position.file}:${failure.access.position.line}`,
      text
    })
  }
  if (failure.controller !== null) {
    const { timeMs, position, text } = failure.controller
    items.push({
      kind: 'controller_line',
      at: iso(timeMs),
      ref: `${position.file}:${position.line}`,
      text: options.masker.message(text)
    })
  }
  return items
}

/** From the deciding error line to the access line: how long nginx went on. */
function lagMs({ failure }: Facts): number | null {
  const error = failure.errors[failure.deciding]
  return error && failure.access ? Math.round(failure.access.timeMs - error.timeMs) : null
}

function serviceName(access: AccessRecord | null): string | null {
  return access?.namespace && access.service ? `${access.namespace}/${access.service}` : null
}

function client(facts: Facts): string | null {
  return facts.options.masker.client(facts.access?.client ?? facts.error?.client ?? null)
}

function path(facts: Facts): string | null {
  return facts.options.masker.path(facts.access?.path ?? facts.error?.path ?? null)
}

function original(facts: Facts): string | null {
  const query = facts.options.masker.query(facts.access?.query ?? null)
  const plain = path(facts)
  return plain === null ? null : query === null ? plain : `${plain}?${query}`
}

/** The Host header, `shop.example.com` or `shop.example.com:8443`. */
function host({ failure, access, options }: Facts): string | null {
  return options.masker.host(
    access?.host ?? failure.errors.find(error => error.record.host !== null)?.record.host ?? null
  )
}

const PORT = /:(\d{1,5})$/

function port(facts: Facts): number | null {
  const digits = PORT.exec(host(facts) ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Of the deciding error line, else of the access line; a shipper tells the file where there is one. */
function filePath({ failure }: Facts): string | null {
  const { line, position } = (failure.errors[failure.deciding] ?? failure.access ?? failure.errors[0])!
  return line.path ?? (position.file === 'stdin' ? null : position.file)
}

function isFailed(attempt: UpstreamAttempt): boolean {
  return attempt.status === null || attempt.status >= 500
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000
}

/** As nginx prints it. */
function printedSeconds(ms: number | null): string | null {
  return ms === null ? null : (ms / 1000).toFixed(3)
}

function present<T>(values: (T | null)[]): T[] {
  return values.filter(value => value !== null)
}

function texts(values: (number | string | null)[]): string[] {
  return values.map(value => (value === null ? '-' : String(value)))
}

/** `10.1.2.3:80` → `10.1.2.3`, `[2001:db8::1]:80` → `2001:db8::1`; null for names and sockets. */
function hostOf(address: string | null | undefined): string | null {
  const match = /^\[?([0-9a-fA-F.:]+?)\]?:\d+$/.exec(address ?? '')
  return match && isIP(match[1]!) > 0 ? match[1]! : null
}

function portOf(address: string | null | undefined): number | null {
  return hostOf(address) === null ? null : Number(address!.slice(address!.lastIndexOf(':') + 1))
}

function place(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.')
  let at = target
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>
  at[keys.at(-1)!] = value
}
