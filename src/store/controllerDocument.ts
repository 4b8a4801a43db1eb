/** Controller lines worth keeping beside the failures they may explain: reloads, endpoints, certificates, leaders. */

import type { Cause } from '../../parsers/causes.ts'
import type { ControllerRecord } from '../../parsers/record.ts'
import type { ControllerEntry } from '../model.ts'
import { DOCUMENT_SCHEMA, type DocumentOptions, type FailureDocument, type StoredDocument } from './document.ts'
import { lineId, RULES_VERSION, sourceOf } from './identity.ts'
import type { ControllerRow } from './store.ts'

/**
 * What a controller line tells, by its text: file and line number change with every release (log-formats.md 11).
 * Texts: ingress-nginx internal/ingress/controller/{controller,store,nginx,status}.go.
 */
const KINDS: readonly (readonly [kind: string, text: RegExp])[] = [
  ['reload_required', /^"?Configuration changes detected, backend reload required/],
  ['reload', /^"?Backend successfully reloaded/],
  ['reload_failed', /^Unexpected failure reloading the backend/],
  ['endpoints', /does not have any active Endpoint|[Ee]rror obtaining (?:[Ss]ervice|[Ee]ndpoint)/],
  ['leader', /^"?New leader elected|^"?Successfully acquired lease|^"?I am the new leader/],
  ['certificate', /SSL [Cc]ertificate|TLS secret|[Cc]ertificate .*(?:expire|not valid|does not contain)/],
  ['started', /^"?Starting NGINX (?:process|Ingress controller)/],
  ['stopping', /^"?(?:Received SIG|Shutting down|Stopping NGINX process)/],
  ['died', /NGINX master process died/]
]

/** null: a line like thousands of others. */
function controllerKind(record: ControllerRecord): string | null {
  for (const [kind, text] of KINDS) if (text.test(record.message)) return kind
  if (record.cause === 'no_endpoints') return 'endpoints'
  return record.cause === null ? null : record.cause
}

/** The document of a controller line; null when it is not worth one, or its time is not known. */
export function buildControllerDocument(entry: ControllerEntry, options: DocumentOptions): StoredDocument | null {
  const { record, line, position, stream, timeMs } = entry
  const kind = controllerKind(record)
  if (kind === null || timeMs === null) return null
  const id = lineId(sourceOf(options.clusterName, line, options.sourceOf(stream, line.byteOffset)), line)
  const end = record.message.indexOf('\\x0A')
  const document: FailureDocument = {
    '@timestamp': new Date(timeMs).toISOString(),
    event: { id, kind: 'event', dataset: 'why5xx.controller', module: 'why5xx', action: kind },
    message: options.masker.message(end < 0 ? record.message : record.message.slice(0, end).trim()),
    log: { level: record.level },
    orchestrator: { type: 'kubernetes', cluster: { name: options.clusterName } },
    ...(record.service !== null && { service: { name: record.service } }),
    why5xx: {
      schema: DOCUMENT_SCHEMA,
      ...(record.cause !== null && { cause: record.cause }),
      ...(line.pod !== null && { controller: { namespace: line.namespace, pod: { name: line.pod } } }),
      origin: { access: null, errors: [position] }
    }
  }
  return { id, version: RULES_VERSION, timeMs: Math.floor(timeMs), document }
}

export function controllerRow({ id, timeMs, document }: StoredDocument): ControllerRow {
  const { event, log, message, service, why5xx } = document as {
    event: { action: string }
    log?: { level?: string }
    message: string
    service?: { name: string }
    why5xx: { cause?: Cause; controller?: { pod: { name: string } } }
  }
  return {
    id,
    timeMs,
    kind: event.action,
    service: service?.name ?? null,
    pod: why5xx.controller?.pod.name ?? null,
    level: log?.level ?? null,
    cause: why5xx.cause ?? null,
    message
  }
}
