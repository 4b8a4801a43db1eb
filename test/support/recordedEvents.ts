/** Events of a record, as short as a test can say them. */
import type { ClusterEvent, ListEvent, ObjectEvent } from '../../src/cluster/event.ts'
import type { Kind, KubeObject } from '../../src/cluster/objects.ts'
import type { RecordedEvent } from '../../src/cluster/record.ts'

export const PODS: Kind[] = ['Pod']

export function pod(name: string, version: number, uid = `${name}-uid`): KubeObject {
  return {
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid, resourceVersion: String(version), labels: { version: String(version) } }
  }
}

export function told(at: number, type: ObjectEvent['type'], object: KubeObject): ObjectEvent {
  return { at, type, object }
}

export function heartbeat(at: number): ClusterEvent {
  return { at, type: 'HEARTBEAT' }
}

export function mark(at: number, type: ListEvent['type'], kinds = PODS): ListEvent {
  return { at, type, kinds, unreadable: {}, namespaces: null }
}

/** A whole list, all of it at once. */
export function list(at: number, ...objects: KubeObject[]): ClusterEvent[] {
  return [mark(at, 'LIST_START'), ...objects.map(object => told(at, 'ADDED', object)), mark(at, 'LIST_END')]
}

/** A watch: numbers what it writes. */
export function writer(id: string): (...events: ClusterEvent[]) => RecordedEvent[] {
  let number = 0
  return (...events) => events.map(event => ({ ...event, writer: id, number: ++number }))
}
