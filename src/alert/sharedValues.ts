/** Equal values kept once: what one failure tells of a service the next ones tell, too, each in words of its own. */

import { isSamePlace, type Place } from './places.ts'
import { rootCauseKey } from './rootCauseVotes.ts'
import type { SightedRootCause } from './sighting.ts'

/** Those that nobody asked for while so many others came are forgotten. */
const TEXTS_MAX = 30_000
const PLACES_MAX = 20_000
const ROOT_CAUSES_MAX = 5_000

export class SharedValues {
  readonly #texts = new Lately<string>(TEXTS_MAX)
  readonly #places = new Lately<Place>(PLACES_MAX)
  readonly #rootCauses = new Lately<SightedRootCause>(ROOT_CAUSES_MAX)

  text(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    const copy = copied(text)
    this.#texts.set(copy, copy)
    return copy
  }

  place(place: Place): Place {
    const known = this.#places.get(place.service)
    if (known !== undefined && isSamePlace(known, place)) return known
    const { service, namespace, ingress } = place
    const shared: Place = {
      service: this.text(service),
      namespace: namespace === null ? null : this.text(namespace),
      ingress: ingress === null ? null : this.text(ingress)
    }
    this.#places.set(shared.service, shared)
    return shared
  }

  rootCause(rootCause: SightedRootCause): SightedRootCause {
    const key = rootCauseKey(rootCause)
    const known = this.#rootCauses.get(key)
    if (known !== undefined && saysTheSame(known, rootCause)) return known
    this.#rootCauses.set(key, rootCause)
    return rootCause
  }
}

/** In two generations: the older one goes when the younger one is full. */
class Lately<V> {
  readonly #max: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(max: number) {
    this.#max = max
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#max && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}

/** A text that was cut out of a line keeps the whole line in memory; one that JSON has read does not. */
function copied(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string
}

function saysTheSame(a: SightedRootCause, b: SightedRootCause): boolean {
  if (a === b) return true
  return (
    a.kind === b.kind &&
    a.variant === b.variant &&
    a.ref === b.ref &&
    a.atMs === b.atMs &&
    a.confidence === b.confidence &&
    a.sentence === b.sentence &&
    a.advice === b.advice &&
    a.evidence.length === b.evidence.length &&
    a.evidence.every(({ cite, text }, i) => cite === b.evidence[i]!.cite && text === b.evidence[i]!.text)
  )
}
