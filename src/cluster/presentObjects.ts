/** Objects that are there now, as they were recorded last: one JSON text each, a third of what the object itself takes. */

import type { KubeObject } from './objects.ts'

interface Held {
  version: string | undefined
  /** Without its version. */
  json: string
}

export class PresentObjects {
  #held = new Map<string, Held>()

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

  replace(objects: Iterable<KubeObject>): void {
    this.#held = new Map()
    for (const object of objects) this.#held.set(keyOf(object), hold(object))
  }

  /** Takes the place of what is held, and says what that changes. */
  *update(objects: readonly KubeObject[]): Generator<{ type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }> {
    const there = new Set(objects.map(keyOf))
    for (const [key, held] of this.#held) {
      if (there.has(key)) continue
      this.#held.delete(key)
      yield { type: 'DELETED', object: taken(held) }
    }
    for (const object of objects) {
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
