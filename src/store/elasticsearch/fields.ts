/**
 * The fields of every kind of document with their mapping types, one table a kind. Those of failures come from the one
 * description of the failure document.
 */

import { DOCUMENT_FIELDS, type FieldType } from '../document.ts'
import type { Kind } from './names.ts'

/**
 * `identity`: a keyword that documents are counted, filtered or paged by, so it is indexed at any length Lucene takes.
 * `unindexed`: text that is only shown.
 */
export type MappingType = FieldType | 'identity' | 'unindexed'

export type MappedField = readonly [path: string, type: MappingType]

/** What would be a plain keyword by its description. */
const IDENTITIES = new Set([
  'event.id',
  'service.name',
  'kubernetes.pod.name',
  'why5xx.upstream.name',
  'why5xx.upstream.address'
])

const EVENT: readonly MappedField[] = [
  ['@timestamp', 'date'],
  ['event.id', 'identity'],
  ['event.kind', 'keyword'],
  ['event.dataset', 'keyword'],
  ['event.module', 'keyword'],
  ['orchestrator.type', 'keyword'],
  ['orchestrator.cluster.name', 'keyword'],
  ['service.name', 'identity'],
  ['why5xx.schema', 'integer']
]

const FAILURE_FIELDS: readonly MappedField[] = DOCUMENT_FIELDS.map(
  ({ path, type }): MappedField => [path, IDENTITIES.has(path) ? 'identity' : type]
)

const CONTROLLER_FIELDS: readonly MappedField[] = [
  ...EVENT,
  ['event.action', 'keyword'],
  ['message', 'text'],
  ['log.level', 'keyword'],
  ['why5xx.cause', 'keyword'],
  ['why5xx.controller.namespace', 'keyword'],
  ['why5xx.controller.pod.name', 'keyword'],
  ['why5xx.origin', 'origin'],
  ['why5xx.gap.name', 'identity'],
  ['why5xx.gap.bytes', 'long'],
  ['why5xx.gap.reason', 'keyword']
]

const REJECT_FIELDS: readonly MappedField[] = [
  ...EVENT,
  ['event.original', 'unindexed'],
  ['error.type', 'keyword'],
  ['error.code', 'keyword'],
  ['error.message', 'text'],
  ['why5xx.reject.stage', 'keyword'],
  ['why5xx.reject.status', 'short'],
  ['why5xx.reject.attempts', 'integer'],
  ['why5xx.reject.bytes', 'long'],
  ['why5xx.reject.column', 'long'],
  ['why5xx.reject.index', 'keyword'],
  ['why5xx.origin', 'origin']
]

/** Counts of all requests below `position`, and of none above. */
const ROLLUP_FIELDS: readonly MappedField[] = [
  ...EVENT,
  ['why5xx.upstream.name', 'identity'],
  ['why5xx.rollup.interval_s', 'integer'],
  ['why5xx.rollup.topic', 'keyword'],
  ['why5xx.rollup.partition', 'integer'],
  ['why5xx.rollup.position', 'long'],
  // Positions below `position` that are not counted yet: lines whose end was still to come.
  ['why5xx.rollup.open', 'stored'],
  ['why5xx.rollup.stream', 'identity'],
  ['why5xx.rollup.containers', 'identity'],
  ['why5xx.rollup.requests', 'long'],
  ['why5xx.rollup.failures', 'long'],
  ['why5xx.rollup.masked', 'long'],
  ['why5xx.rollup.client_closed', 'long'],
  ['why5xx.rollup.status_500', 'long'],
  ['why5xx.rollup.status_502', 'long'],
  ['why5xx.rollup.status_503', 'long'],
  ['why5xx.rollup.status_504', 'long'],
  ['why5xx.rollup.duration_ms_sum', 'double']
]

/** What Kibana and rules of alerts filter and sum; `record` is the whole incident. */
const INCIDENT_FIELDS: readonly MappedField[] = [
  ...EVENT,
  ['event.created', 'date'],
  ['event.start', 'date'],
  ['event.end', 'date'],
  ['event.duration', 'long'],
  ['message', 'text'],
  ['http.response.status_code', 'short'],
  ['kubernetes.namespace', 'keyword'],
  ['why5xx.cause', 'keyword'],
  ['why5xx.category', 'keyword'],
  ['why5xx.blame', 'keyword'],
  ['why5xx.upstream.name', 'identity'],
  ['why5xx.root_cause.kind', 'keyword'],
  ['why5xx.root_cause.ref', 'keyword'],
  ['why5xx.incident.id', 'keyword'],
  ['why5xx.incident.parent', 'keyword'],
  ['why5xx.incident.group.by', 'keyword'],
  ['why5xx.incident.group.key', 'keyword'],
  ['why5xx.incident.state', 'keyword'],
  ['why5xx.incident.severity', 'keyword'],
  ['why5xx.incident.continued', 'integer'],
  ['why5xx.incident.failures', 'long'],
  ['why5xx.incident.masked', 'long'],
  ['why5xx.incident.requests', 'long'],
  ['why5xx.incident.peak_per_minute', 'long'],
  ['why5xx.incident.first_id', 'keyword'],
  ['why5xx.incident.last_id', 'keyword'],
  ['why5xx.incident.expected', 'double'],
  ['why5xx.incident.p_value', 'double'],
  ['why5xx.incident.windows', 'stored'],
  ['why5xx.incident.timeline', 'stored'],
  ['why5xx.incident.record', 'stored']
]

/** What a restart needs is JSON text in one field, so that no mapping limits it. */
const STATE_FIELDS: readonly MappedField[] = [
  ['@timestamp', 'date'],
  ['event.dataset', 'keyword'],
  ['why5xx.schema', 'integer'],
  ['why5xx.state.kind', 'keyword'],
  ['why5xx.state.stream', 'identity'],
  // Who wrote it last: the instance's name, which stays over restarts, and the claim, which does not.
  ['why5xx.state.instance', 'identity'],
  ['why5xx.state.claim', 'keyword'],
  ['why5xx.state.engine_of', 'identity'],
  ['why5xx.state.version', 'long'],
  ['why5xx.state.is_done', 'boolean'],
  ['why5xx.state.json', 'unindexed']
]

export const FIELDS: Readonly<Record<Kind, readonly MappedField[]>> = {
  failure: FAILURE_FIELDS,
  controller: CONTROLLER_FIELDS,
  reject: REJECT_FIELDS,
  rollup: ROLLUP_FIELDS,
  incident: INCIDENT_FIELDS,
  state: STATE_FIELDS
}

/** Lucene takes terms of 32,766 bytes, and a character may be four. */
export const IDENTITY_CHARS_MAX = 8_191
export const KEYWORD_CHARS_MAX = 1_024

function mappingOf(type: MappingType): Record<string, unknown> {
  if (type === 'identity') return { type: 'keyword', ignore_above: IDENTITY_CHARS_MAX }
  if (type === 'keyword') return { type, ignore_above: KEYWORD_CHARS_MAX }
  if (type === 'text') return { type, norms: false, index_options: 'freqs' }
  if (type === 'unindexed') return { type: 'keyword', index: false, doc_values: false }
  if (type === 'stored') return { type: 'object', enabled: false }
  // Beside what is listed, nothing of it is indexed; of labels everything, see the dynamic template.
  if (type === 'origin') return { type: 'object', dynamic: false, properties: { partition: { type: 'integer' } } }
  if (type === 'labels') return { type: 'object', dynamic: true }
  return { type }
}

interface Properties {
  [name: string]: { properties: Properties } | Record<string, unknown>
}

/** The `properties` of a mapping. A path that two tables give must have one type. */
export function propertiesOf(fields: readonly MappedField[]): Properties {
  const root: Properties = {}
  const types = new Map<string, MappingType>()
  for (const [path, type] of fields) {
    const known = types.get(path)
    if (known === type) continue
    if (known !== undefined) throw new Error(`${path} is mapped as ${known} and as ${type}`)
    types.set(path, type)
    const names = path.split('.')
    let at = root
    for (const name of names.slice(0, -1)) at = (at[name] ??= { properties: {} }).properties as Properties
    at[names.at(-1)!] = mappingOf(type)
  }
  return root
}
