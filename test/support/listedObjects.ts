/** The simplest state: which objects there are, by the rules of the record. */
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { ClusterState } from '../../src/cluster/state.ts'

export class ListedObjects {
  knownToMs = Number.NEGATIVE_INFINITY
  forgottenToMs = Number.NEGATIVE_INFINITY
  readonly applied: ClusterEvent[] = []
  readonly #objects = new Map<string, string>()
  #listed: Set<string> | null = null

  /** As far as those need it that only feed a state. */
  asState(): ClusterState {
    return this as unknown as ClusterState
  }

  apply(event: ClusterEvent): void {
    this.applied.push(event)
    this.knownToMs = Math.max(this.knownToMs, event.at)
    switch (event.type) {
      case 'LIST_START':
        this.#listed = new Set()
        break
      case 'LIST_END':
        for (const name of this.#objects.keys()) if (!this.#listed?.has(name)) this.#objects.delete(name)
        this.#listed = null
        break
      case 'DELETED':
        this.#objects.delete(event.object.metadata.name)
        break
      case 'ADDED':
      case 'MODIFIED':
        this.#objects.set(event.object.metadata.name, event.object.metadata.resourceVersion ?? '')
        this.#listed?.add(event.object.metadata.name)
    }
  }

  /** `name@version`, by name. */
  get names(): string[] {
    return [...this.#objects].map(([name, version]) => `${name}@${version}`).sort()
  }
}
