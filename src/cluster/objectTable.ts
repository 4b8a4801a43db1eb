/** All logs of one kind: by uid, by name, and in order. */

import type { Kind } from './objects.ts'
import type { SharedParts } from './sharing.ts'
import { SightingLog } from './sightings.ts'

/** Names of a namespace and their logs, in order of arrival; several uids can have had one name, most have not. */
interface NamesOfNamespace {
  byName: Map<string, SightingLog | SightingLog[]>
  /** Sorted when somebody asks. */
  sorted: string[] | null
}

export class ObjectTable {
  readonly #byUid = new Map<string, SightingLog>()
  readonly #namespaces = new Map<string, NamesOfNamespace>()
  readonly #parts: SharedParts

  constructor(parts: SharedParts) {
    this.#parts = parts
  }

  get(uid: string): SightingLog | undefined {
    return this.#byUid.get(uid)
  }

  /** The log of an object, made where there is none. */
  open(kind: Kind, namespace: string, name: string, uid: string | null): SightingLog {
    let key = uid ?? madeUpUid(kind, namespace, name)
    const known = this.#byUid.get(key)
    if (known !== undefined) {
      if (known.namespace === namespace && known.name === name) return known
      // No two objects have one uid; a file that says so is kept apart by the name.
      key = `${key} ${madeUpUid(kind, namespace, name)}`
      const other = this.#byUid.get(key)
      if (other !== undefined) return other
    }
    // The texts that its versions will hold: one copy of each.
    const { texts } = this.#parts
    const [sharedKind, ...own] = [kind, namespace, name, key].map(text => texts.share(text))
    const log = new SightingLog(sharedKind as Kind, own[0]!, own[1]!, own[2]!, uid === null, this.#parts)
    this.#byUid.set(log.uid, log)
    const names = this.#names(log.namespace)
    const namesakes = names.byName.get(name)
    if (namesakes === undefined) {
      names.byName.set(log.name, log)
      names.sorted = null
    } else if (Array.isArray(namesakes)) namesakes.push(log)
    else names.byName.set(name, [namesakes, log])
    return log
  }

  /** Whether `open` would find one. */
  has(kind: Kind, namespace: string, name: string, uid: string | null): boolean {
    return this.#byUid.has(uid ?? madeUpUid(kind, namespace, name))
  }

  delete(log: SightingLog): void {
    this.#byUid.delete(log.uid)
    const names = this.#namespaces.get(log.namespace)
    const namesakes = names?.byName.get(log.name)
    if (names === undefined || namesakes === undefined) return
    const rest = listOf(namesakes).filter(other => other !== log)
    if (rest.length > 0) names.byName.set(log.name, rest)
    else {
      names.byName.delete(log.name)
      names.sorted = null
      if (names.byName.size === 0) this.#namespaces.delete(log.namespace)
    }
  }

  named(namespace: string, name: string): readonly SightingLog[] {
    return listOf(this.#namespaces.get(namespace)?.byName.get(name))
  }

  /** In no order. */
  logs(): Iterable<SightingLog> {
    return this.#byUid.values()
  }

  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace)
  }

  /** By namespace and name. */
  *inOrder(namespace: string | null): Iterable<readonly SightingLog[]> {
    for (const one of namespace === null ? [...this.#namespaces.keys()].sort() : [namespace]) {
      const names = this.#namespaces.get(one)
      if (names === undefined) continue
      names.sorted ??= [...names.byName.keys()].sort()
      for (const name of names.sorted) yield listOf(names.byName.get(name))
    }
  }

  get size(): number {
    return this.#byUid.size
  }

  #names(namespace: string): NamesOfNamespace {
    let names = this.#namespaces.get(namespace)
    if (names === undefined) {
      names = { byName: new Map(), sorted: null }
      this.#namespaces.set(namespace, names)
    }
    return names
  }
}

function listOf(logs: SightingLog | readonly SightingLog[] | undefined): readonly SightingLog[] {
  if (logs === undefined) return []
  return logs instanceof SightingLog ? [logs] : logs
}

function madeUpUid(kind: Kind, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`
}
