/** What the failures of one minute, or of one incident, have in common: bounded, and the same in whatever order they came. */

import { Counts } from './counts.ts'
import type { Incident, IncidentExample } from './incident.ts'
import { RootCauseVotes, rootCauseKey } from './rootCauseVotes.ts'
import type { Sighting } from './sighting.ts'

/** A failure that is kept. Its document's id is worked out when its minute is over: until then a better one may come. */
interface Kept {
  timeMs: number
  /** null: it is settled. */
  sighting: Sighting | null
  id: string
}

interface KeptExample extends Kept {
  /** Higher is better. */
  rank: number
  /** null: only while it is not settled. */
  example: IncidentExample | null
}

/** Examples are kept by root cause, since which one the incident's is may change. */
const EXAMPLES_MAX = 8

export class Evidence {
  /** Failures that were seen; those of them that a retry saved, and those that none did. */
  sighted = 0
  masked = 0
  unsaved = 0
  readonly pods = new Counts()
  readonly nodes = new Counts()
  readonly controllers = new Counts()
  readonly rootCauses = new RootCauseVotes()
  readonly #statuses = new Counts()
  /** `[service, namespace, ingress]` as JSON. */
  readonly #places = new Counts()
  #first: Kept | null = null
  #last: Kept | null = null
  /** By key of the root cause; '': without one. */
  readonly #examples = new Map<string, KeptExample>()

  /** `count`: so many that are alike. */
  add(sighting: Sighting, count = 1): void {
    this.sighted += count
    if (sighting.masked) this.masked += count
    else this.unsaved += count
    if (sighting.status !== null) this.#statuses.add(String(sighting.status), count)
    this.#places.add(JSON.stringify([sighting.service, sighting.namespace, sighting.ingress]), count)
    this.pods.add(sighting.pod, count)
    this.nodes.add(sighting.node, count)
    this.controllers.add(sighting.controllerPod, count)
    if (sighting.rootCause !== null) this.rootCauses.add(sighting.rootCause, count)
    const kept = { timeMs: sighting.timeMs, sighting, id: '' }
    if (this.#first === null || compare(kept, this.#first) < 0) this.#first = kept
    if (this.#last === null || compare(kept, this.#last) > 0) this.#last = kept
    const key = sighting.rootCause === null ? '' : rootCauseKey(sighting.rootCause)
    this.#offer(key, { ...kept, rank: rankOf(sighting), example: null })
  }

  merge(other: Evidence): void {
    this.sighted += other.sighted
    this.masked += other.masked
    this.unsaved += other.unsaved
    this.#statuses.merge(other.#statuses)
    this.#places.merge(other.#places)
    this.pods.merge(other.pods)
    this.nodes.merge(other.nodes)
    this.controllers.merge(other.controllers)
    this.rootCauses.merge(other.rootCauses)
    if (other.#first !== null && (this.#first === null || compare(other.#first, this.#first) < 0))
      this.#first = other.#first
    if (other.#last !== null && (this.#last === null || compare(other.#last, this.#last) > 0)) this.#last = other.#last
    for (const [key, example] of other.#examples) this.#offer(key, example)
  }

  /** Goes on with what was stored of an incident: counts by name are known of the most frequent ones. */
  restore(incident: Incident): void {
    this.sighted += incident.failures
    this.masked += incident.masked
    this.unsaved += incident.failures - incident.masked
    const weight = Math.max(1, incident.failures)
    if (incident.status !== null) this.#statuses.add(String(incident.status), weight)
    this.#places.add(JSON.stringify([incident.service, incident.namespace, incident.ingress]), weight)
    for (const [name, count] of incident.pods) this.pods.add(name, count)
    for (const [name, count] of incident.nodes) this.nodes.add(name, count)
    for (const [name, count] of incident.controllers) this.controllers.add(name, count)
    this.rootCauses.restore(incident.rootCause, incident.rootCauseShare)
    const { example, rootCause } = incident
    if (incident.firstId !== null) {
      const first = { timeMs: incident.startMs, sighting: null, id: incident.firstId }
      if (this.#first === null || compare(first, this.#first) < 0) this.#first = first
    }
    // The time of the last one is not stored: whatever was seen meanwhile is later.
    if (incident.lastId !== null && this.#last === null)
      this.#last = { timeMs: incident.startMs, sighting: null, id: incident.lastId }
    if (example !== null) {
      const key = rootCause === null ? '' : rootCauseKey(rootCause)
      this.#offer(key, { timeMs: example.timeMs, sighting: null, id: example.id, rank: RANK_MAX, example })
    }
  }

  /** Its minute is over: only what is kept of it stays. */
  settle(): void {
    this.#first &&= settled(this.#first)
    this.#last &&= settled(this.#last)
    const leading = this.rootCauses.leading()
    const key = leading === null ? '' : rootCauseKey(leading.rootCause)
    const best = this.#best(key)
    this.#examples.clear()
    if (best !== null) this.#examples.set(best[0], settledExample(best[1]))
    for (const counts of [this.pods, this.nodes, this.controllers, this.#statuses, this.#places]) counts.cut()
    this.rootCauses.cut()
  }

  /** What clients saw most often: of failures rather than of what a retry saved. */
  get status(): number | null {
    const statuses = this.#statuses.top(Number.POSITIVE_INFINITY).map(([status]) => Number(status))
    return statuses.find(status => status < 100 || status >= 400) ?? statuses[0] ?? null
  }

  /** As most failures tell it, one with a namespace before those without; null: none was seen. */
  get place(): Pick<Incident, 'service' | 'namespace' | 'ingress'> | null {
    const places = this.#places
      .top(Number.POSITIVE_INFINITY)
      .map(([text]) => JSON.parse(text) as [string, string | null, string | null])
    const place = places.find(([, namespace]) => namespace !== null) ?? places[0]
    return place === undefined ? null : { service: place[0], namespace: place[1], ingress: place[2] }
  }

  get firstId(): string | null {
    return this.#first === null ? null : idOf(this.#first)
  }

  get lastId(): string | null {
    return this.#last === null ? null : idOf(this.#last)
  }

  /** Time of the first one that was seen, Unix ms. */
  get firstMs(): number | null {
    return this.#first?.timeMs ?? null
  }

  /** One with the root cause, where there is one. */
  example(rootCause: Incident['rootCause']): IncidentExample | null {
    const best = this.#best(rootCause === null ? '' : rootCauseKey(rootCause))
    return best === null ? null : settledExample(best[1]).example
  }

  #best(key: string): [string, KeptExample] | null {
    const wanted = this.#examples.get(key)
    if (wanted !== undefined) return [key, wanted]
    return [...this.#examples].sort((a, b) => compareExamples(a[1], b[1]) || (a[0] < b[0] ? -1 : 1))[0] ?? null
  }

  #offer(key: string, offered: KeptExample): void {
    const known = this.#examples.get(key)
    if (known === undefined ? this.#examples.size < EXAMPLES_MAX : compareExamples(offered, known) < 0)
      this.#examples.set(key, offered)
  }
}

const RANK_MAX = 7

/** A failure that a client saw tells more than one that a retry saved. */
function rankOf({ counted, status, path }: Sighting): number {
  return (counted ? 4 : 0) + (status === null ? 0 : 2) + (path === null ? 0 : 1)
}

function compareExamples(a: KeptExample, b: KeptExample): number {
  return b.rank - a.rank || compare(a, b)
}

/** By time, then by what they say; of two that say the same the one that came first stays. */
function compare(a: Kept, b: Kept): number {
  if (a.timeMs !== b.timeMs) return a.timeMs - b.timeMs
  if (a.sighting === null || b.sighting === null) return 0
  const [aText, bText] = [textOf(a.sighting), textOf(b.sighting)]
  return aText < bText ? -1 : aText > bText ? 1 : 0
}

function textOf({ method, host, path, status, address, pod, controllerPod }: Sighting): string {
  return JSON.stringify([host, path, method, status, address, pod, controllerPod])
}

function idOf({ sighting, id }: Kept): string {
  return sighting === null ? id : sighting.id()
}

function settled(kept: Kept): Kept {
  return kept.sighting === null ? kept : { timeMs: kept.timeMs, sighting: null, id: kept.sighting.id() }
}

function settledExample(kept: KeptExample): KeptExample {
  const { sighting, timeMs, rank } = kept
  if (sighting === null) return kept
  const { status, method, host, path, address, pod } = sighting
  const id = sighting.id()
  return { timeMs, sighting: null, id, rank, example: { id, timeMs, status, method, host, path, address, pod } }
}
