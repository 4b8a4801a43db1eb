/** An incident as it lies in a file, a topic or a document: checked before anybody relies on it. */

import { z } from 'zod'
import { CAUSES } from '../../parsers/causes.ts'
import { WINDOWS } from '../alert/finding.ts'
import type { Incident } from '../alert/incident.ts'
import { isRecord, ownField } from '../cluster/fieldShape.ts'
import { ROOT_CAUSES } from '../diagnose/rootCauses.ts'
import { plural } from '../text.ts'
import { INCIDENT_SCHEMA } from './incidentLine.ts'
import { rootCauseOf } from './storedValue.ts'

/** What `Date` can hold. */
const TIME_MS_MAX = 8.64e15

const time = z.number().min(-TIME_MS_MAX).max(TIME_MS_MAX)
const count = z.number().min(0)
const text = z.string()
const severity = z.enum(['page', 'ticket', 'none'])
const counted = z.array(z.tuple([text, count]))
const judgedWindows = z.array(
  z.looseObject({
    minutes: z.literal(WINDOWS),
    failures: count,
    requests: count,
    expected: z.number(),
    spread: z.number(),
    pValue: z.number()
  })
)

const FIELDS: { [K in keyof Incident]: z.ZodType<Incident[K]> } = {
  id: text.min(1),
  parent: text.nullable(),
  group: z.looseObject({ by: z.enum(['service', 'cause', 'node', 'controller']), key: text }).nullable(),
  state: z.enum(['open', 'resolved']),
  severity,
  upstream: text,
  service: text,
  namespace: text.nullable(),
  ingress: text.nullable(),
  cause: z.enum([...CAUSES, 'no_requests']),
  startMs: time,
  detectedMs: time,
  updatedMs: time,
  endMs: time.nullable(),
  continued: count,
  failures: count,
  masked: count,
  requests: count,
  peakPerMinute: count,
  expected: z.number(),
  pValue: z.number(),
  windows: judgedWindows,
  lately: judgedWindows,
  status: z.number().nullable(),
  firstId: text.nullable(),
  lastId: text.nullable(),
  rootCause: z
    .looseObject({
      kind: z.enum(ROOT_CAUSES),
      variant: text.nullable(),
      ref: text.nullable(),
      atMs: time.nullable(),
      confidence: z.number(),
      sentence: text,
      evidence: z.array(z.looseObject({ cite: text, text })),
      advice: text.nullable()
    })
    .nullable(),
  rootCauseShare: z.looseObject({ count, of: count }),
  example: z
    .looseObject({
      id: text,
      timeMs: time,
      status: z.number().nullable(),
      method: text.nullable(),
      host: text.nullable(),
      path: text.nullable(),
      address: text.nullable(),
      pod: text.nullable()
    })
    .nullable(),
  pods: counted,
  nodes: counted,
  controllers: counted,
  changes: z.array(
    z.looseObject({
      atMs: time,
      kind: z.enum(['reload', 'reload_failed', 'rollout', 'scale', 'configuration']),
      text
    })
  ),
  timeline: z.array(z.looseObject({ atMs: time, text })),
  told: z.record(
    text,
    z.looseObject({
      state: z.enum(['open', 'resolved']),
      atMs: time,
      failures: count,
      // Former versions did not write it.
      severity: severity.exactOptional()
    })
  )
}

const INCIDENT = z.looseObject(FIELDS)

/**
 * null: it is damaged, or of another schema. What this program does not know of is left as it is, so that it comes back as it
 * was written; only a root cause without a page here is left out.
 */
export function incidentOf(schema: unknown, record: unknown): Incident | null {
  if (schema !== INCIDENT_SCHEMA || !isRecord(record)) return null
  const rootCause = ownField(record, 'rootCause')
  const isKnown = !isRecord(rootCause) || rootCauseOf(ownField(rootCause, 'kind')) !== null
  const known = isKnown ? record : { ...record, rootCause: null }
  return INCIDENT.safeParse(known).success ? (known as unknown as Incident) : null
}

/** Of a line of `incidents.ndjson` or a message of the topic. */
export function incidentOfLine(line: string): Incident | null {
  let read: unknown
  try {
    read = JSON.parse(line)
  } catch {
    return null
  }
  return incidentOf(ownField(read, 'schema'), ownField(read, 'incident'))
}

/** What is said of those that could not be read. */
export function unreadText(where: string, unread: number): string {
  return `${where}: ${plural(unread, 'incident')} left out: damaged, or written by another version of why5xx`
}
