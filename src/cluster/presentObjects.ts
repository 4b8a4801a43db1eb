/** Objects that are there now, as they were recorded last: one JSON text each, a third of what the object itself takes. */

import type { KubeObject } from './objects.ts'

interface Held {
  version: string | undefined
  /** Without its version. */
  json: string
}

export class PresentObjects {
  readonly #held = new Map<string, Held>()

  get size(): number {
    return this.#held.size
  }

  /** null: nothing of what we keep has changed. */
  put(object: KubeObject): 'ADDED' | 'MODIFIED' | null {
    const key = keyOf(object)
    const known = this.#held.get(key)
    const held = hold(object)
    this.#held.set(key, held)
    if (known === undefined) return 'ADDED'
    return known.json === held.json ? null : 'MODIFIED'
  }

  remove(object: KubeObject): void {
    this.#held.delete(keyOf(object))
  }

  clear(): void {
    this.#held.clear()
  }

  /** What has to be told of `now` to somebody who was told of these; they become the same. */
  *update(now: PresentObjects): Generator<{ type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }> {
    for (const [key, held] of this.#held) {
      if (now.#held.has(key)) continue
      this.#held.delete(key)
      yield { type: 'DELETED', object: taken(held) }
    }
    for (const object of now) {
      const type = this.put(object)
      if (type !== null) yield { type, object }
    }
  }

  *[Symbol.iterator](): Generator<KubeObject> {
    for (const held of this.#held.values()) yield taken(held)
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function hold(object: KubeObject): Held {
  const { resourceVersion, ...metadata } = object.metadata
  return { version: resourceVersion, json: JSON.stringify({ ...object, metadata }) }
}

function taken({ version, json }: Held): KubeObject {
  const object = JSON.parse(json) as KubeObject
  if (version !== undefined) object.metadata.resourceVersion = version
  return object
}
