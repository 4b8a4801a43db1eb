/** Of which namespace an upstream name is: `namespace-service-port` cannot be taken apart without knowing what exists. */

import type { ClusterState } from '../cluster/state.ts'

const DEFAULT_BACKEND = 'custom-default-backend-'

export class Whereabouts {
  readonly #state: Pick<ClusterState, 'upstream'>
  readonly #namespaces: readonly string[]

  /** `namespaces`: those that may be meant where no Ingress and no Service has the name. */
  constructor(state: Pick<ClusterState, 'upstream'>, namespaces: readonly string[]) {
    this.#state = state
    this.#namespaces = namespaces
  }

  /** Proven by an Ingress or a Service where one has the name; else every namespace whose name it begins with. */
  of(name: string): string[] {
    const proven = this.#state.upstream(name).map(({ namespace }) => namespace)
    if (proven.length > 0) return [...new Set(proven)]
    const text = name.startsWith(DEFAULT_BACKEND) ? name.slice(DEFAULT_BACKEND.length) : name
    return this.#namespaces.filter(namespace => text.startsWith(`${namespace}-`))
  }
}
