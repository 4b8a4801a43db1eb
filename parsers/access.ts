/** Step two of parsing: a scanned view, or the fields of a JSON or damaged line, becomes an AccessRecord. */

import { zipAttempts } from './attempts.ts'
import { escapeValue, printable } from './escape.ts'
import { canonical } from './jsonText.ts'
import { latin1 } from './latin1.ts'
import { FIELD, type Field } from './logFormat.ts'
import { readInteger, readSecondsAsMs } from './number.ts'
import type { AccessRecord } from './record.ts'
import { parseRequest, parseTarget } from './request.ts'
import type { AccessView } from './scanner.ts'

/** The line's values as logged, by name; null: not in this format. What every access line is reduced to before it is a record. */
export interface AccessFields {
  timeMs: number | null
  client: string | null
  remoteUser: string | null
  request: string | null
  method: string | null
  uri: string | null
  args: string | null
  protocol: string | null
  host: string | null
  status: number | null
  bodyBytes: string | null
  referrer: string | null
  userAgent: string | null
  requestLength: string | null
  requestTime: string | null
  upstreamName: string | null
  alternativeName: string | null
  addresses: string | null
  statuses: string | null
  times: string | null
  lengths: string | null
  connectTimes: string | null
  headerTimes: string | null
  requestId: string | null
  connection: string | null
  namespace: string | null
  ingress: string | null
  service: string | null
  traceId: string | null
  truncated: boolean
}

/** A fresh set of fields: nothing known. */
export function noFields(): AccessFields {
  return {
    timeMs: null,
    client: null,
    remoteUser: null,
    request: null,
    method: null,
    uri: null,
    args: null,
    protocol: null,
    host: null,
    status: null,
    bodyBytes: null,
    referrer: null,
    userAgent: null,
    requestLength: null,
    requestTime: null,
    upstreamName: null,
    alternativeName: null,
    addresses: null,
    statuses: null,
    times: null,
    lengths: null,
    connectTimes: null,
    headerTimes: null,
    requestId: null,
    connection: null,
    namespace: null,
    ingress: null,
    service: null,
    traceId: null,
    truncated: false
  }
}

/** The view's line as a record. `raw` is its content as Latin-1; the fields are slices of that one string. */
export function accessRecordOf(view: AccessView, raw = latin1(view.bytes, view.start, view.end)): AccessRecord {
  const { offsets, start, format } = view
  const isClean = printable(raw) === raw
  const get = (field: Field): string | null => {
    const from = offsets[field * 2]!
    if (from < 0) return null
    const value = raw.slice(from - start, offsets[field * 2 + 1]! - start)
    if (format.escape !== 'default') return format.escape === 'json' ? canonical(value) : escapeValue(value)
    return isClean ? value : printable(value)
  }
  return accessRecord({
    timeMs: Number.isNaN(view.timeMs) ? null : view.timeMs,
    client: get(FIELD.client),
    remoteUser: get(FIELD.remoteUser),
    request: get(FIELD.request),
    method: get(FIELD.method),
    uri: get(FIELD.uri),
    args: get(FIELD.args),
    protocol: get(FIELD.protocol),
    host: get(FIELD.host),
    status: view.status < 0 ? null : view.status,
    bodyBytes: get(FIELD.bodyBytes) ?? get(FIELD.bytesSent),
    referrer: get(FIELD.referrer),
    userAgent: get(FIELD.userAgent),
    requestLength: get(FIELD.requestLength),
    requestTime: get(FIELD.requestTime),
    upstreamName: get(FIELD.upstreamName),
    alternativeName: get(FIELD.alternativeName),
    addresses: get(FIELD.upstreamAddress),
    statuses: get(FIELD.upstreamStatus),
    times: get(FIELD.upstreamTime),
    lengths: get(FIELD.upstreamLength),
    connectTimes: get(FIELD.connectTime),
    headerTimes: get(FIELD.headerTime),
    requestId: get(FIELD.requestId),
    connection: get(FIELD.connection),
    namespace: get(FIELD.namespace),
    ingress: get(FIELD.ingress),
    service: get(FIELD.service),
    traceId: get(FIELD.traceId),
    truncated: false
  })
}

export function accessRecord(fields: AccessFields): AccessRecord {
  const request = fields.request ?? requestLineOf(fields)
  const parts = parseRequest(request)
  const hasUpstream = fields.addresses !== null || fields.statuses !== null
  const attempts = hasUpstream ? zipAttempts(fields) : null
  const alternative = text(fields.alternativeName)
  return {
    kind: 'access',
    timeMs: fields.timeMs,
    client: text(fields.client),
    remoteUser: text(fields.remoteUser),
    request,
    method: parts.method,
    path: parts.path,
    query: parts.query ?? text(fields.args),
    httpVersion: parts.httpVersion,
    host: text(fields.host) ?? parts.targetHost,
    status: fields.status,
    bodyBytes: readInteger(fields.bodyBytes),
    referrer: text(fields.referrer),
    userAgent: text(fields.userAgent),
    requestLength: readInteger(fields.requestLength),
    requestTimeMs: duration(fields.requestTime),
    upstreamName: fields.upstreamName,
    alternativeUpstreamName: alternative,
    attempts: attempts?.list ?? null,
    attemptsUncertain: attempts?.uncertain ?? false,
    hasConnectTime: fields.connectTimes !== null,
    requestId: text(fields.requestId),
    connection: readInteger(fields.connection),
    namespace: text(fields.namespace),
    ingress: text(fields.ingress),
    service: text(fields.service),
    traceId: text(fields.traceId),
    truncated: fields.truncated
  }
}

/** Formats that log the request in pieces: put together as nginx would print `$request`, so that it joins with error lines. */
function requestLineOf(fields: AccessFields): string | null {
  if (text(fields.uri) === null && text(fields.method) === null) return null
  const uri = text(fields.uri) ?? ''
  const args = text(fields.args)
  const target = args !== null && parseTarget(uri).query === null ? `${uri}?${args}` : uri
  return [text(fields.method) ?? '-', target, text(fields.protocol)]
    .filter(part => part !== null && part !== '')
    .join(' ')
}

function text(value: string | null): string | null {
  return value === null || value === '-' || value === '' ? null : value
}

/** `0.004`, and `0.002 s` of the Cloud Logging layout. */
function duration(value: string | null): number | null {
  return value?.endsWith('s') ? readSecondsAsMs(value.slice(0, -1).trimEnd()) : readSecondsAsMs(value)
}
