/** A line of the API server's audit log (level RequestResponse) → what became of the object. */

import type { ObjectEvent } from './event.ts'
import { isRecord, ownField } from './fieldShape.ts'
import { type KeepOptions, keptObject } from './keptFields.ts'
import { KINDS, type Kind } from './objects.ts'

const CHANGES = new Map<unknown, 'ADDED' | 'MODIFIED'>([
  ['create', 'ADDED'],
  ['update', 'MODIFIED'],
  ['patch', 'MODIFIED'],
  ['delete', 'MODIFIED']
])

/** As paths name them: `networkpolicies`. */
const RESOURCES = new Map<unknown, Kind>(KINDS.map(kind => [resourceOf(kind), kind]))

function resourceOf(kind: Kind): string {
  const name = kind.toLowerCase()
  if (name === 'podmetrics') return 'pods.metrics'
  return name.endsWith('s') ? `${name}es` : name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`
}

/** `pods` → Pod; null: no kind of ours. */
export function kindOfResource(resource: unknown): Kind | null {
  return RESOURCES.get(resource) ?? null
}

export function isAuditLine(value: unknown): boolean {
  return String(ownField(value, 'apiVersion')).startsWith('audit.k8s.io/') && ownField(value, 'kind') === 'Event'
}

/** null: a request that changed no object of ours, that failed, or whose answer was not recorded. */
export function auditEvent(line: unknown, options: KeepOptions): ObjectEvent | null {
  const type = CHANGES.get(ownField(line, 'verb'))
  const code = ownField(ownField(line, 'responseStatus'), 'code')
  const at = Date.parse(String(ownField(line, 'stageTimestamp') ?? ownField(line, 'requestReceivedTimestamp')))
  const isDone =
    ownField(line, 'stage') === 'ResponseComplete' && !(typeof code === 'number' && (code < 200 || code > 299))
  if (type === undefined || !isDone || Number.isNaN(at)) return null
  const answer = ownField(line, 'responseObject')
  const object = keptObject(answer, options)
  if (ownField(line, 'verb') !== 'delete') return object === null ? null : { at, type, object }
  if (object !== null) return { at, type: isGone(answer) ? 'DELETED' : 'MODIFIED', object }
  const gone = deletedObject(ownField(line, 'objectRef'), answer)
  const last = keptObject(gone, options)
  return last === null ? null : { at, type: 'DELETED', object: last }
}

/** A pod is only asked to stop, others wait for finalizers: then the answer says when it was asked, and that it is still there. */
function isGone(answer: unknown): boolean {
  const metadata = ownField(answer, 'metadata')
  if (typeof ownField(metadata, 'deletionTimestamp') !== 'string') return true
  const finalizers = ownField(metadata, 'finalizers')
  const grace = ownField(metadata, 'deletionGracePeriodSeconds')
  return !(Array.isArray(finalizers) && finalizers.length > 0) && !(typeof grace === 'number' && grace > 0)
}

/** The answer to most deletions is a Status, which names the object. */
function deletedObject(reference: unknown, status: unknown): unknown {
  if (ownField(status, 'status') !== 'Success' || ownField(reference, 'subresource') !== undefined) return null
  if (!isRecord(reference)) return null
  const group = ownField(reference, 'apiGroup')
  return {
    kind: kindOfResource(ownField(reference, 'resource')),
    apiVersion: typeof group === 'string' && group !== '' ? `${group}/v` : undefined,
    metadata: {
      name: ownField(reference, 'name'),
      namespace: ownField(reference, 'namespace'),
      uid: ownField(ownField(status, 'details'), 'uid') ?? ownField(reference, 'uid')
    }
  }
}
