/** An event as one line of JSON that a Kafka message and a reader can take. */

import type { ClusterEvent } from './event.ts'
import type { KubeObject } from './objects.ts'

/** Brokers take 1 MiB by default, key and frame included. */
export const EVENT_BYTES_MAX = 900_000
/** Of an object that is too large: what is left of its texts and lists. */
const TEXT_MAX = 1_000
const LIST_MAX = 100

export interface RecordedJson {
  json: string
  bytes: number
  isCut: boolean
}

/** `writer` and `number` as in `RecordedEvent`. */
export function recordedJson(event: ClusterEvent, writer: string, number: number): RecordedJson {
  const written = encode({ writer, number, ...event })
  if (written.bytes <= EVENT_BYTES_MAX || !('object' in event)) return written
  for (const object of [shortened(event.object), bare(event.object)]) {
    const cut = encode({ writer, number, ...event, object })
    if (cut.bytes <= EVENT_BYTES_MAX) return { ...cut, isCut: true }
  }
  // Its names alone: API objects cannot have longer ones, files can.
  const { kind, metadata } = event.object
  const name = { name: metadata.name.slice(0, TEXT_MAX), namespace: (metadata.namespace ?? '').slice(0, TEXT_MAX) }
  return { ...encode({ writer, number, ...event, object: { kind, metadata: name } }), isCut: true }
}

/** The same event with no more of its object than says which one it is. */
export function nameOnly(json: string): string {
  const event = JSON.parse(json) as { object?: KubeObject }
  if (event.object === undefined) return json
  const { kind, metadata } = event.object
  const { name, namespace, uid, resourceVersion } = metadata
  return JSON.stringify({ ...event, object: { kind, metadata: { name, namespace, uid, resourceVersion } } })
}

function encode(value: object): RecordedJson {
  const json = JSON.stringify(value)
  return { json, bytes: Buffer.byteLength(json), isCut: false }
}

function shortened(object: KubeObject): unknown {
  return JSON.parse(
    JSON.stringify(object, (_key, value: unknown) => {
      if (typeof value === 'string' && value.length > TEXT_MAX) return value.slice(0, TEXT_MAX)
      return Array.isArray(value) && value.length > LIST_MAX ? value.slice(0, LIST_MAX) : value
    })
  )
}

/** That it is there, whose it is, and which version. */
function bare({ kind, metadata }: KubeObject): unknown {
  const { labels: _labels, annotations: _annotations, ...rest } = metadata
  return { kind, metadata: rest }
}
