/** Where the failures say they were: service, namespace and Ingress of an upstream, as most of them tell it. */

import { KEPT_MAX, OPEN_MAX } from './counts.ts'
import type { Incident } from './incident.ts'

export type Place = Pick<Incident, 'service' | 'namespace' | 'ingress'>

interface CountedPlace {
  place: Place
  count: number
}

/** At most `OPEN_MAX`, as names are counted. */
export class Places {
  /** Nearly always one. */
  #places: CountedPlace[] = []

  add(place: Place, count: number): void {
    const known = this.#places.find(one => isSamePlace(one.place, place))
    if (known !== undefined) known.count += count
    else if (this.#places.length < OPEN_MAX) {
      const { service, namespace, ingress } = place
      this.#places.push({ place: { service, namespace, ingress }, count })
    }
  }

  merge(other: Places): void {
    for (const { place, count } of other.#sorted()) this.add(place, count)
  }

  /** Most frequent first. */
  each(visit: (place: Place, count: number) => void): void {
    for (const { place, count } of this.#sorted()) visit(place, count)
  }

  cut(): void {
    if (this.#places.length > KEPT_MAX) this.#places = this.#sorted().slice(0, KEPT_MAX)
  }

  /** The most frequent one with a namespace before those without; null: none was seen. */
  get best(): Place | null {
    const sorted = this.#sorted()
    return (sorted.find(({ place }) => place.namespace !== null) ?? sorted[0])?.place ?? null
  }

  #sorted(): CountedPlace[] {
    if (this.#places.length <= 1) return this.#places
    return [...this.#places].sort((a, b) => b.count - a.count || (textOf(a.place) < textOf(b.place) ? -1 : 1))
  }
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.service === b.service && a.namespace === b.namespace && a.ingress === b.ingress
}

function textOf({ service, namespace, ingress }: Place): string {
  return JSON.stringify([service, namespace, ingress])
}
