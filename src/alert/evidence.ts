/** What the failures of one minute, or of one incident, have in common: bounded, and the same in whatever order they came. */

import { Counts } from './counts.ts'
import type { Incident, IncidentExample } from './incident.ts'
import { PackedEvidence, Tallies } from './packedEvidence.ts'
import { type Place, Places } from './places.ts'
import { isSameRootCause, RootCauseVotes, rootCauseKey } from './rootCauseVotes.ts'
import type { SharedValues } from './sharedValues.ts'
import type { SightedRootCause, Sighting } from './sighting.ts'

/** A failure that is kept. Its document's id is worked out when its minute is over: until then a better one may come. */
interface Kept {
  timeMs: number
  /** null: it is settled. */
  sighting: Sighting | null
  id: string
}

interface KeptExample extends Kept {
  rootCause: SightedRootCause | null
  /** Higher is better. */
  rank: number
  /** null: only while it is not settled. */
  example: IncidentExample | null
}

/** Examples are kept by root cause, since which one the incident's is may change. */
const EXAMPLES_MAX = 8

export class Evidence {
  /** Failures that were seen; those of them that a retry saved. */
  sighted = 0
  masked = 0
  readonly pods = new Counts()
  readonly nodes = new Counts()
  readonly controllers = new Counts()
  readonly rootCauses = new RootCauseVotes()
  readonly #statuses = new Counts()
  readonly #places = new Places()
  #first: Kept | null = null
  #last: Kept | null = null
  /** One for a root cause. */
  #examples: KeptExample[] = []

  /** Those that no retry saved. */
  get unsaved(): number {
    return this.sighted - this.masked
  }

  /** `count`: so many that are alike. */
  add(sighting: Sighting, count = 1): void {
    this.sighted += count
    if (sighting.masked) this.masked += count
    if (sighting.status !== null) this.#statuses.add(String(sighting.status), count)
    this.#places.add(sighting, count)
    this.pods.add(sighting.pod, count)
    this.nodes.add(sighting.node, count)
    this.controllers.add(sighting.controllerPod, count)
    const { timeMs, rootCause } = sighting
    if (rootCause !== null) this.rootCauses.add(rootCause, count)
    const kept: KeptExample = { timeMs, sighting, id: '', rootCause, rank: rankOf(sighting), example: null }
    this.#keepEnds(kept, kept)
    this.#offer(kept)
  }

  /** Failures of which only the counts are known. */
  addCounts(count: number, masked: number): void {
    this.sighted += count
    this.masked += masked
  }

  merge(other: Evidence | PackedEvidence): void {
    this.sighted += other.sighted
    this.masked += other.masked
    if (other instanceof PackedEvidence) this.#unpack(other)
    else {
      this.#statuses.merge(other.#statuses)
      this.#places.merge(other.#places)
      this.pods.merge(other.pods)
      this.nodes.merge(other.nodes)
      this.controllers.merge(other.controllers)
      this.rootCauses.merge(other.rootCauses)
      this.#keepEnds(other.#first, other.#last)
      for (const example of other.#examples) this.#offer(example)
    }
  }

  /** Goes on with what was stored of an incident: counts by name are known of the most frequent ones. */
  restore(incident: Incident): void {
    this.sighted += incident.failures
    this.masked += incident.masked
    const weight = Math.max(1, incident.failures)
    if (incident.status !== null) this.#statuses.add(String(incident.status), weight)
    this.#places.add(incident, weight)
    for (const [name, count] of incident.pods) this.pods.add(name, count)
    for (const [name, count] of incident.nodes) this.nodes.add(name, count)
    for (const [name, count] of incident.controllers) this.controllers.add(name, count)
    this.rootCauses.restore(incident.rootCause, incident.rootCauseShare)
    const { example, rootCause } = incident
    if (incident.firstId !== null)
      this.#keepEnds({ timeMs: incident.startMs, sighting: null, id: incident.firstId }, null)
    // The time of the last one is not stored: whatever was seen meanwhile is later.
    if (incident.lastId !== null && this.#last === null)
      this.#last = { timeMs: incident.startMs, sighting: null, id: incident.lastId }
    if (example !== null)
      this.#offer({ timeMs: example.timeMs, sighting: null, id: example.id, rootCause, rank: RANK_MAX, example })
  }

  /** Its minute is over: only what is kept of it stays. */
  settle(): void {
    this.#first &&= settled(this.#first)
    this.#last &&= settled(this.#last)
    const best = this.#best(this.rootCauses.leading()?.rootCause ?? null)
    this.#examples = best === null ? [] : [settledExample(best)]
    for (const counts of [this.pods, this.nodes, this.controllers, this.#statuses, this.#places]) counts.cut()
    this.rootCauses.cut()
  }

  /** Settled, of at least one failure. */
  packed(shared: SharedValues): PackedEvidence {
    const [first, last] = [this.#first!, this.#last!]
    const kept = this.#best(this.rootCauses.leading()?.rootCause ?? null)!
    const { status, method, host, path, address, pod } = (kept.sighting ?? kept.example)!
    this.rootCauses.cut()
    this.#places.cut()
    return new PackedEvidence(
      {
        sighted: this.sighted,
        masked: this.masked,
        judged: this.rootCauses.judged,
        firstMs: first.timeMs,
        firstId: idOf(first),
        lastAfterMs: last.timeMs - first.timeMs,
        lastId: idOf(last),
        exampleRootCause: kept.rootCause === null ? null : shared.rootCause(kept.rootCause),
        exampleRank: kept.rank,
        exampleAfterMs: kept.timeMs - first.timeMs,
        exampleId: idOf(kept),
        exampleText: JSON.stringify([status, method, host, path, address, pod])
      },
      this.#tallies(shared)
    )
  }

  #tallies(shared: SharedValues): Tallies {
    const tallies = new Tallies()
    this.pods.each((name, count) => tallies.add('pods', shared.text(name), count))
    tallies.endOf('pods')
    this.nodes.each((name, count) => tallies.add('nodes', shared.text(name), count))
    tallies.endOf('nodes')
    this.controllers.each((name, count) => tallies.add('controllers', shared.text(name), count))
    tallies.endOf('controllers')
    this.#statuses.each((name, count) => tallies.add('statuses', shared.text(name), count))
    tallies.endOf('statuses')
    this.#places.each((place, count) => tallies.add('places', shared.place(place), count))
    tallies.endOf('places')
    this.rootCauses.each((rootCause, count) => tallies.add('rootCauses', shared.rootCause(rootCause), count))
    tallies.endOf('rootCauses')
    return tallies
  }

  #unpack(packed: PackedEvidence): void {
    const {
      firstMs,
      firstId,
      lastAfterMs,
      lastId,
      exampleRootCause: rootCause,
      exampleRank: rank,
      exampleId: id
    } = packed
    packed.each('statuses', (name, count) => this.#statuses.add(name, count))
    packed.each('places', (place, count) => this.#places.add(place, count))
    packed.each('pods', (name, count) => this.pods.add(name, count))
    packed.each('nodes', (name, count) => this.nodes.add(name, count))
    packed.each('controllers', (name, count) => this.controllers.add(name, count))
    let votes = 0
    packed.each('rootCauses', (vote, count) => {
      votes += count
      this.rootCauses.add(vote, count)
    })
    this.rootCauses.restore(null, { count: 0, of: packed.judged - votes })
    const first = { timeMs: firstMs, sighting: null, id: firstId }
    this.#keepEnds(
      first,
      lastAfterMs === 0 && lastId === firstId ? first : { timeMs: firstMs + lastAfterMs, sighting: null, id: lastId }
    )
    const timeMs = firstMs + packed.exampleAfterMs
    const kept: KeptExample = { timeMs, sighting: null, id, rootCause, rank, example: null }
    const known = this.#exampleOf(rootCause)
    if (known !== undefined && compareExamples(kept, known) >= 0) return
    const [status, method, host, path, address, pod] = JSON.parse(packed.exampleText) as PackedTexts
    this.#offer({ ...kept, example: { id, timeMs, status, method, host, path, address, pod } })
  }

  /** What clients saw most often: of failures rather than of what a retry saved. */
  get status(): number | null {
    const statuses = this.#statuses.top(Number.POSITIVE_INFINITY).map(([status]) => Number(status))
    return statuses.find(status => status < 100 || status >= 400) ?? statuses[0] ?? null
  }

  /** As most failures tell it, one with a namespace before those without; null: none was seen. */
  get place(): Place | null {
    return this.#places.best
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
    const best = this.#best(rootCause)
    return best === null ? null : settledExample(best).example
  }

  #best(rootCause: SightedRootCause | null): KeptExample | null {
    const wanted = this.#exampleOf(rootCause)
    if (wanted !== undefined) return wanted
    if (this.#examples.length <= 1) return this.#examples[0] ?? null
    return [...this.#examples].sort((a, b) => compareExamples(a, b) || (keyOf(a) < keyOf(b) ? -1 : 1))[0]!
  }

  #exampleOf(rootCause: SightedRootCause | null): KeptExample | undefined {
    return this.#examples.find(one => isSameRootCause(one.rootCause, rootCause))
  }

  #offer(offered: KeptExample): void {
    const known = this.#exampleOf(offered.rootCause)
    if (known === undefined) this.#keepExample(offered)
    else if (compareExamples(offered, known) < 0) this.#examples[this.#examples.indexOf(known)] = offered
  }

  #keepExample(kept: KeptExample): void {
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(kept)
  }

  #keepEnds(first: Kept | null, last: Kept | null): void {
    if (first !== null && (this.#first === null || compare(first, this.#first) < 0)) this.#first = first
    if (last !== null && (this.#last === null || compare(last, this.#last) > 0)) this.#last = last
  }
}

/** Of an example, after its id and time. */
type PackedTexts = [number | null, string | null, string | null, string | null, string | null, string | null]

function keyOf({ rootCause }: KeptExample): string {
  return rootCause === null ? '' : rootCauseKey(rootCause)
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
  const { sighting, timeMs, rank, rootCause } = kept
  if (sighting === null) return kept
  const { status, method, host, path, address, pod } = sighting
  const id = sighting.id()
  const example = { id, timeMs, status, method, host, path, address, pod }
  return { timeMs, sighting: null, id, rootCause, rank, example }
}
