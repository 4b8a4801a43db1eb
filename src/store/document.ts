/**
 * The one description of the failure document: every field with its Elasticsearch type and where its value comes from.
 * The document is built from it, and so are the index templates. ECS 9.4 names; ours are under `why5xx`.
 */

import { isIP } from 'node:net'
import { isCountedFailure } from '../classify/accessTable.ts'
import type { Failure } from '../model.ts'
import { DIAGNOSIS_FIELDS, serviceName } from './diagnosisFields.ts'
import {
  type DocumentOptions,
  type Facts,
  factsOf,
  filePath,
  isFailed,
  iso,
  lagMs,
  original,
  PORT,
  port,
  present,
  printedSeconds,
  seconds,
  sentence,
  texts
} from './documentFacts.ts'
import { knowledge, RULES_VERSION } from './identity.ts'
import { compileJson } from './jsonTree.ts'
import type { FailureRow } from './store.ts'

export type { DocumentOptions } from './documentFacts.ts'

export const DOCUMENT_SCHEMA = 1

/** Mapping types of the server itself only; `stored` is an object with `enabled: false`, `labels` one of keywords,
 * `origin` one of which only `partition` is indexed. */
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
  | 'labels'
  | 'origin'

export interface DocumentField {
  path: string
  type: FieldType
  value: (facts: Facts) => unknown
}

const field = (path: string, type: FieldType, value: DocumentField['value']): DocumentField => ({ path, type, value })

export const DOCUMENT_FIELDS: readonly DocumentField[] = [
  field('@timestamp', 'date', f => f.time),
  field('event.start', 'date', f =>
    f.access?.requestTimeMs == null ? null : iso(f.failure.timeMs - f.access.requestTimeMs)
  ),
  field('event.duration', 'long', f => (f.access?.requestTimeMs == null ? null : f.access.requestTimeMs * 1_000_000)),
  field('event.created', 'date', f => (f.line.timeMs === null ? null : iso(f.line.timeMs))),
  field('event.ingested', 'date', f => (f.options.nowMs ? iso(f.options.nowMs()) : null)),
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
  field('url.domain', 'keyword', f => f.host?.replace(PORT, '')),
  field('url.port', 'integer', f => port(f)),
  field('url.path', 'keyword', f => f.path),
  field('url.query', 'keyword', f => f.options.masker.query(f.access?.query ?? null)),
  field('url.original', 'keyword', f => original(f)),
  field('source.address', 'keyword', f => f.client),
  field('source.ip', 'ip', f => (isIP(f.client ?? '') > 0 ? f.client : null)),
  field('user_agent.original', 'keyword', f => f.options.masker.userAgent(f.access?.userAgent ?? null)),
  field('nginx_ingress_controller.access.remote_ip_list', 'ip', f =>
    f.access !== null && isIP(f.client ?? '') > 0 ? [f.client] : null
  ),
  field('nginx_ingress_controller.access.http.request.id', 'keyword', f =>
    f.options.masker.requestId(f.access?.requestId ?? null)
  ),
  field('nginx_ingress_controller.access.http.request.length', 'long', f => f.access?.requestLength),
  field('nginx_ingress_controller.access.http.request.time', 'double', f => seconds(f.access?.requestTimeMs)),
  field('nginx_ingress_controller.access.upstream.name', 'keyword', f => f.access?.upstreamName),
  field('nginx_ingress_controller.access.upstream.alternative_name', 'keyword', f => f.access?.alternativeUpstreamName),
  field('nginx_ingress_controller.access.upstream.ip', 'ip', f => f.lastPeer.ip),
  field('nginx_ingress_controller.access.upstream.port', 'integer', f => f.lastPeer.port),
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
  field('host.name', 'keyword', f => f.line.node),
  field('trace.id', 'keyword', f => f.access?.traceId),
  ...DIAGNOSIS_FIELDS.map(({ path, type, value }) => field(path, type, f => value(f.judged))),
  field('why5xx.schema', 'integer', () => DOCUMENT_SCHEMA),
  field('why5xx.cause', 'keyword', f => f.failure.cause),
  field('why5xx.category', 'keyword', f => f.info.category),
  field('why5xx.blame', 'keyword', f => f.info.blame),
  field('why5xx.slo', 'boolean', f => f.info.slo),
  field('why5xx.masked', 'boolean', f => f.failure.masked),
  field('why5xx.confidence', 'half_float', roundedConfidence),
  field('why5xx.alternatives', 'keyword', f => f.failure.alternatives),
  field('why5xx.rule.id', 'keyword', f => f.failure.rule),
  field('why5xx.rule.version', 'integer', () => RULES_VERSION),
  field('why5xx.explanation', 'text', f => f.info.title),
  // One that is logged empty is none, as in the embedded store.
  field('why5xx.upstream.name', 'keyword', f => f.failure.upstreamName || null),
  field('why5xx.upstream.address', 'keyword', f => f.where),
  field('why5xx.upstream.ip', 'ip', f => f.wherePeer.ip),
  field('why5xx.upstream.port', 'integer', f => f.wherePeer.port),
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
  field('why5xx.evidence_kinds', 'keyword', f => [...new Set(f.evidence.map(item => item.kind))]),
  field('why5xx.evidence', 'stored', f => f.evidence),
  field('why5xx.origin', 'origin', f => {
    const { position } = f.failure.access ?? f.failure.errors[0]!
    const place = { access: f.failure.access?.position ?? null, errors: f.failure.errors.map(error => error.position) }
    return 'partition' in position ? { ...place, partition: position.partition } : place
  }),
  // What the log lines say themselves: the question that is asked again when the failure is judged again.
  field('why5xx.logged.namespace', 'keyword', f => f.access?.namespace),
  field('why5xx.logged.service', 'keyword', f => f.access?.service),
  field('why5xx.logged.ingress', 'keyword', f => f.access?.ingress)
]

/** A failure document as nested JSON: what is printed and what is indexed. Fields without a value are left out. */
export type FailureDocument = Record<string, unknown>

/** A document with what decides which of two versions stays: the higher one; of equal ones the first. */
export interface StoredDocument {
  readonly id: string
  /** External version (`knowledge` for failures). */
  readonly version: number
  /** `@timestamp`, Unix ms. Never changes for an id. */
  readonly timeMs: number
  readonly document: FailureDocument
}

const documentText = compileJson(DOCUMENT_FIELDS)

/** A failure's document as it is written: its text is made once, and no object of it. */
export class BuiltDocument implements StoredDocument {
  readonly id: string
  readonly version: number
  readonly timeMs: number
  readonly json: string
  readonly row: FailureRow

  constructor(facts: Facts) {
    const { failure, access, judged } = facts
    this.id = facts.id
    this.version = knowledge({
      settled: false,
      clusterKnown: failure.judgement?.isKnown ?? false,
      joined: failure.errors.length > 0
    })
    this.timeMs = Math.floor(failure.timeMs)
    this.json = documentText(facts)
    const status = access?.status ?? null
    this.row = {
      id: this.id,
      version: this.version,
      timeMs: this.timeMs,
      cause: failure.cause,
      upstream: failure.upstreamName ?? '',
      service: serviceName(judged) ?? '',
      status,
      counted: status !== null && isCountedFailure(status),
      masked: failure.masked,
      method: access?.method ?? facts.error?.method ?? null,
      host: facts.host?.replace(PORT, '') ?? null,
      path: facts.path,
      client: facts.client,
      address: facts.where,
      pod: judged.diagnosis?.names.pod ?? null,
      rootCause: judged.diagnosis?.rootCause ?? null,
      confidence: roundedConfidence(facts),
      hasErrorLine: facts.error !== null
    }
  }

  get document(): FailureDocument {
    return JSON.parse(this.json) as FailureDocument
  }

  toJSON(): StoredDocument {
    const { id, version, timeMs, document } = this
    return { id, version, timeMs, document }
  }
}

export function buildDocument(failure: Failure, options: DocumentOptions): BuiltDocument {
  return new BuiltDocument(factsOf(failure, options))
}

function roundedConfidence({ failure }: Facts): number {
  return Math.round(failure.confidence * 1000) / 1000
}
