import type { Cause } from '../parsers/causes.ts'
import type { RecordLine } from '../parsers/reader.ts'
import type { Level, ParsedRecord, ParseErrorCode } from '../parsers/record.ts'
import { classifyAccess, classifyStreamAccess } from './classify/accessTable.ts'
import { MESSAGE_CONFIDENCE } from './classify/classify.ts'
import type { Masker } from './mask.ts'

/** What `why5xx parse` prints for a line (stable; null where the line has `-` or nothing). */
export interface ParsedLine {
  lineNumber: number
  kind: string
  time: string | null
  stream: string | null
  pod: string | null
  level: Level | null
  client: string | null
  host: string | null
  method: string | null
  path: string | null
  status: number | null
  upstreamName: string | null
  alternativeUpstreamName: string | null
  attempts: {
    address: string | null
    group: number
    status: number | null
    responseTimeMs: number | null
    responseBytes: number | null
  }[]
  requestId: string | null
  connection: number | null
  message: string | null
  messageKind: string | null
  phase: string | null
  cause: Cause | null
  confidence: number | null
  alternatives: Cause[]
  reject: { code: ParseErrorCode; column: number } | null
}

const EMPTY: Omit<ParsedLine, 'lineNumber' | 'kind'> = {
  time: null,
  stream: null,
  pod: null,
  level: null,
  client: null,
  host: null,
  method: null,
  path: null,
  status: null,
  upstreamName: null,
  alternativeUpstreamName: null,
  attempts: [],
  requestId: null,
  connection: null,
  message: null,
  messageKind: null,
  phase: null,
  cause: null,
  confidence: null,
  alternatives: [],
  reject: null
}

/** `timeMs`: Unix time of the line as far as one line tells. */
export function parsedLine(record: ParsedRecord, line: RecordLine, timeMs: number | null, masker: Masker): ParsedLine {
  const base = {
    ...EMPTY,
    lineNumber: line.number,
    kind: record.kind,
    time: isoTime(timeMs),
    stream: line.stream,
    pod: line.pod
  }
  switch (record.kind) {
    case 'access': {
      const verdict = classifyAccess(record)
      return {
        ...base,
        client: masker.client(record.client),
        host: masker.host(record.host),
        method: record.method,
        path: masker.path(record.path),
        status: record.status,
        upstreamName: name(record.upstreamName),
        alternativeUpstreamName: record.alternativeUpstreamName,
        attempts: (record.attempts ?? []).map(({ address, group, status, responseTimeMs, responseBytes }) => ({
          address,
          group,
          status,
          responseTimeMs,
          responseBytes
        })),
        requestId: masker.requestId(record.requestId),
        connection: record.connection,
        cause: verdict.cause,
        confidence: verdict.cause === null ? null : verdict.confidence,
        alternatives: verdict.alternatives
      }
    }
    case 'error':
      return {
        ...base,
        level: record.level,
        client: masker.client(record.client),
        host: masker.host(record.host),
        method: record.method,
        path: masker.path(record.path),
        attempts:
          record.upstreamAddress === null
            ? []
            : [{ address: record.upstreamAddress, group: 0, status: null, responseTimeMs: null, responseBytes: null }],
        connection: record.connection,
        message: masker.message(record.message),
        messageKind: record.messageKind,
        phase: record.phase === null ? null : masker.message(record.phase),
        cause: record.cause,
        confidence: record.cause === null ? null : record.cause === 'unclassified' ? 0.3 : MESSAGE_CONFIDENCE
      }
    case 'controller':
      return {
        ...base,
        level: record.level,
        message: masker.message(record.message),
        messageKind: record.messageKind,
        cause: record.cause,
        confidence: record.cause === null ? null : record.cause === 'unclassified' ? 0.3 : MESSAGE_CONFIDENCE
      }
    case 'stream_access': {
      const verdict = classifyStreamAccess(record)
      return {
        ...base,
        client: masker.client(record.client),
        status: record.status,
        cause: verdict.cause,
        confidence: verdict.cause === null ? null : verdict.confidence,
        alternatives: verdict.alternatives
      }
    }
    case 'other':
      return { ...base, level: record.level, message: masker.message(record.message), cause: record.cause }
  }
}

export function continuationLine(lineNumber: number): ParsedLine {
  return { ...EMPTY, lineNumber, kind: 'continuation' }
}

export function rejectedLine(code: ParseErrorCode, column: number, line: RecordLine): ParsedLine {
  return {
    ...EMPTY,
    lineNumber: line.number,
    kind: 'reject',
    time: isoTime(line.timeMs),
    stream: line.stream,
    pod: line.pod,
    reject: { code, column }
  }
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** `[]` and `[-]` mean different things inside, and nothing to a reader. */
function name(upstreamName: string | null): string | null {
  return upstreamName === '' || upstreamName === '-' ? null : upstreamName
}
