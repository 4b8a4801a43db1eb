/** The state of a cluster over time, in memory. Everything it answers is worked out from sightings when it is asked. */

import { canonicalAddress } from './address.ts'
import { ClosedQueue } from './closedQueue.ts'
import { Coverage } from './coverage.ts'
import type { ClusterEvent, ListEvent, ObjectEvent } from './event.ts'
import { EventShelf } from './eventShelf.ts'
import { eventTimeMs } from './eventTime.ts'
import { type Life, livesOf } from './histories.ts'
import { byAge, byName, compareText, entryText } from './historyOrder.ts'
import type { KubeEvent, ObjectOf, Pod, Service } from './objects.ts'
import { CLUSTER_KINDS, type EndpointSlice, type Ingress, KINDS, type Kind, type KubeObject } from './objects.ts'
import { ObjectTable } from './objectTable.ts'
import { aboutOf, addressIn, clusterAddresses, controllerOf, type Logs, Postings } from './postings.ts'
import { SharedParts } from './sharing.ts'
import type { SightingLog } from './sightings.ts'
import { entriesOf, serviceOfSlice } from './sliceEntries.ts'
import type { Gap, SliceEntry, Tenure, UpstreamName } from './state.ts'
import { type ClusterState, type ClusterStateOptions, type History, STATE_DEFAULTS } from './state.ts'
import { tenuresOf } from './tenures.ts'
import { upstreamsOfIngress, upstreamsOfService } from './upstreamNames.ts'
import { WarmLogs } from './warmLogs.ts'
import { WorkedOut } from './workedOut.ts'

const EVENT_LIMITS = { perObject: 100, total: 50_000 }
/** Of histories that are kept unpacked; some 400 bytes each. */
const VERSIONS_MAX = 32_000
/** Of EndpointSlices; some 150 bytes each. */
const ENTRIES_MAX = 75_000
const KNOWN_KINDS: ReadonlySet<unknown> = new Set(KINDS)

/** What was worked out of a log, and for which state of the lists and gaps. */
interface Derived {
  revision: number
  lives: readonly Life[]
  /** Of pods only, worked out when asked for. */
  tenures: readonly Tenure[] | null
}

/** By address; one map a life. */
interface Entries {
  revision: number
  lives: readonly ReadonlyMap<string, readonly SliceEntry[]>[]
}

/** An empty state. Objects that it returns are shared between versions: they are to be read, never written. */
export function openClusterState(options: Partial<ClusterStateOptions> = {}): ClusterState {
  return new ClusterIndex({ ...STATE_DEFAULTS, ...options })
}

class ClusterIndex implements ClusterState {
  revision = 0
  knownToMs = Number.NEGATIVE_INFINITY
  forgottenToMs = Number.NEGATIVE_INFINITY
  readonly #options: ClusterStateOptions
  readonly #tables = new Map<Kind, ObjectTable>()
  readonly #postings = new Postings()
  readonly #coverage = new Coverage()
  readonly #parts = new SharedParts()
  readonly #closed = new ClosedQueue()
  readonly #warm = new WarmLogs()
  readonly #events = new EventShelf(EVENT_LIMITS)
  readonly #derived = new WorkedOut<Derived>(VERSIONS_MAX, ({ lives }) =>
    lives.reduce((count, { history }) => count + history.versions.length, 1)
  )
  readonly #entries = new WorkedOut<Entries>(ENTRIES_MAX, ({ lives }) =>
    lives.reduce((count, entries) => [...entries.values()].reduce((sum, { length }) => sum + length, count), 1)
  )
  #firstObjectMs = Number.POSITIVE_INFINITY
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(options: ClusterStateOptions) {
    this.#options = options
  }

  apply(event: ClusterEvent): void {
    if (!Number.isFinite(event.at)) return
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        if (this.#see(event)) this.#learned(event.at, true)
        break
      case 'LIST_START':
      case 'LIST_END':
        if (!this.#coverage.addList(event)) return
        this.#sweep(event)
        this.#learned(event.at, true)
        break
      case 'HEARTBEAT':
        if (this.#coverage.addHeartbeat(event)) this.#learned(event.at, true)
        break
      case 'GAP_START':
      case 'GAP_END':
        if (this.#coverage.addGap(event)) this.#learned(event.at, false)
        break
    }
  }

  get knownFromMs(): number {
    const { firstListMs } = this.#coverage
    return firstListMs === Number.POSITIVE_INFINITY ? this.#firstObjectMs : firstListMs
  }

  isObservable(kind: Kind, namespace: string): boolean {
    const isReadable = this.#coverage.isReadable(kind, namespace)
    if (isReadable !== null) return isReadable
    const table = this.#tables.get(kind)
    if (table === undefined) return false
    // Lists that leave this namespace out say that others are not looked at.
    return this.#coverage.wasAskedFor(kind) ? table.hasNamespace(namespace) : table.size > 0
  }

  unreadableBecause(kind: Kind): string | null {
    return this.#coverage.unreadableBecause(kind)
  }

  isInGap(kind: Kind, atMs: number): boolean {
    return this.#coverage.isInGap(kind, atMs)
  }

  gaps(kind: Kind): readonly Gap[] {
    return this.#coverage.gapsOf(kind)
  }

  named<K extends Kind>(kind: K, namespace: string, name: string): readonly History<ObjectOf[K]>[] {
    const logs = this.#tables.get(kind)?.named(namespaceOf(kind, namespace), name) ?? []
    return this.#historiesOf<ObjectOf[K]>(logs).sort(byAge)
  }

  byUid<K extends Kind>(kind: K, uid: string): History<ObjectOf[K]> | null {
    const log = this.#tables.get(kind)?.get(uid)
    return log === undefined ? null : (this.#historiesOf<ObjectOf[K]>([log]).at(-1) ?? null)
  }

  *all<K extends Kind>(kind: K, namespace: string | null): Iterable<History<ObjectOf[K]>> {
    const table = this.#tables.get(kind)
    if (table === undefined) return
    for (const logs of table.inOrder(namespace)) yield* this.#historiesOf<ObjectOf[K]>(logs).sort(byAge)
  }

  podsWithLabels(namespace: string, labels: Readonly<Record<string, string>>): readonly History<Pod>[] {
    const wanted = Object.entries(labels)
    let fewest: Logs = []
    let count = Number.POSITIVE_INFINITY
    for (const [name, value] of wanted) {
      const own = this.#postings.count('label', namespace, name, value)
      if (own >= count) continue
      fewest = this.#postings.get('label', namespace, name, value)
      count = own
    }
    return this.#historiesOf<Pod>(fewest)
      .filter(({ versions }) =>
        versions.some(({ object }) => {
          const own = object.metadata.labels ?? {}
          return wanted.every(([name, value]) => Object.hasOwn(own, name) && own[name] === value)
        })
      )
      .sort(byName)
  }

  ownedBy(uid: string): readonly History[] {
    return this.#historiesOf(this.#postings.get('owner', uid))
      .filter(({ versions }) => versions.some(({ object }) => controllerOf(object) === uid))
      .sort(byName)
  }

  eventsOf(history: History): readonly History<KubeEvent>[] {
    const isMadeUp = this.#tables.get(history.kind)?.get(history.uid)?.isUidMadeUp === true
    return this.eventsNamed(history.kind, history.namespace, history.name).filter(({ versions }) => {
      const uid = versions.at(-1)!.object.involvedObject?.uid
      // The kubelet calls its node by the name where others give the uid.
      const isByName = history.kind === 'Node' && uid === history.name
      return isMadeUp || isByName || uid === undefined || uid === '' || uid === history.uid
    })
  }

  eventsNamed(kind: string, namespace: string, name: string): readonly History<KubeEvent>[] {
    const scope = CLUSTER_KINDS.has(kind as Kind) ? '' : namespace
    return this.#historiesOf<KubeEvent>(this.#postings.get('about', kind, scope, name)).sort(
      (a, b) => eventTimeMs(a) - eventTimeMs(b) || byName(a, b)
    )
  }

  eventsTelling(namespace: string, address: string): readonly History<KubeEvent>[] {
    const canonical = canonicalAddress(address)
    if (canonical === null) return []
    return this.#historiesOf<KubeEvent>(this.#postings.get('told', namespace, canonical))
      .filter(({ versions }) => addressIn(versions.at(-1)!.object.message) === canonical)
      .sort(byName)
  }

  tenures(address: string): readonly Tenure[] {
    const canonical = canonicalAddress(address)
    if (canonical === null) return []
    const found: Tenure[] = []
    for (const log of this.#postings.get('address', 'Pod', canonical)) {
      const derived = this.#derive(log)
      derived.tenures ??= derived.lives.flatMap(tenuresOf)
      for (const tenure of derived.tenures) if (tenure.address === canonical) found.push(tenure)
    }
    return found.sort((a, b) => a.fromMs - b.fromMs || byName(a.pod, b.pod))
  }

  sliceEntries(address: string): readonly SliceEntry[] {
    const canonical = canonicalAddress(address)
    if (canonical === null) return []
    const found: SliceEntry[] = []
    for (const log of this.#postings.get('address', 'EndpointSlice', canonical)) {
      for (const entries of this.#entriesOf(log)) found.push(...(entries.get(canonical) ?? []))
    }
    return found.sort((a, b) => a.fromMs - b.fromMs || compareText(entryText(a), entryText(b)))
  }

  slicesOf(namespace: string, service: string): readonly History<EndpointSlice>[] {
    return this.#historiesOf<EndpointSlice>(this.#postings.get('slice', namespace, service))
      .filter(({ versions }) => versions.some(({ object }) => serviceOfSlice(object) === service))
      .sort(byName)
  }

  upstream(name: string): readonly UpstreamName[] {
    const byIngress = this.#upstreams('Ingress', name, object => upstreamsOfIngress(object as Ingress))
    // The controller makes upstreams of Ingresses; a Service that none of them names explains a name only where they are unknown.
    return byIngress.length > 0
      ? byIngress
      : this.#upstreams('Service', name, object => upstreamsOfService(object as Service))
  }

  servicesAt(clusterIp: string): readonly History<Service>[] {
    const canonical = canonicalAddress(clusterIp)
    if (canonical === null) return []
    return this.#historiesOf<Service>(this.#postings.get('clusterIp', canonical))
      .filter(({ versions }) => versions.some(({ object }) => clusterAddresses(object).has(canonical)))
      .sort(byAge)
  }

  #upstreams(kind: Kind, name: string, read: (object: KubeObject) => Map<string, UpstreamName>): UpstreamName[] {
    const found = new Map<string, UpstreamName>()
    for (const log of this.#postings.get('upstream', kind, name))
      for (const { object } of log.sightings()) {
        const upstream = read(object).get(name)
        if (upstream !== undefined) found.set(JSON.stringify(Object.values(upstream)), upstream)
      }
    return [...found].sort(([a], [b]) => compareText(a, b)).map(([, upstream]) => upstream)
  }

  /** False: it tells nothing new, or cannot be what it says. */
  #see({ at, type, object }: ObjectEvent): boolean {
    const { kind, metadata } = object ?? {}
    if (!KNOWN_KINDS.has(kind) || typeof metadata?.name !== 'string' || metadata.name === '') return false
    const namespace = namespaceOf(kind, metadata.namespace)
    const uid = typeof metadata.uid === 'string' && metadata.uid !== '' ? metadata.uid : null
    let table = this.#tables.get(kind)
    if (table === undefined) this.#tables.set(kind, (table = new ObjectTable(this.#parts)))
    // Its end may be among what was forgotten: it would be there for ever.
    if (at < this.forgottenToMs && !table.has(kind, namespace, metadata.name, uid)) return false
    const log = table.open(kind, namespace, metadata.name, uid)
    const isNewer = at > log.lastAt
    const before = isNewer ? log.newestIfWarm : null
    const learned = log.add({ at, type, object })
    if (log.newestIfWarm !== null && kind !== 'Event') this.#warm.touch(log)
    if (learned === 'nothing') return false
    // A late one is compared with nothing: which one it comes after is not worth the search.
    if (learned === 'change') this.#postings.add(log, isNewer ? log.newest()! : object, before)
    if (log.isLong) this.#shorten(log)
    this.#firstObjectMs = Math.min(this.#firstObjectMs, at)
    const namesakes = table.named(namespace, metadata.name)
    for (const one of namesakes) this.#changed(one)
    if (kind === 'Event') {
      this.#shelve(log, object as KubeEvent)
      // It is nearly always the only version.
      log.rest()
    } else if (type === 'DELETED' || this.#closed.has(log) || namesakes.length > 1 || at < this.#coverage.lastListEndMs)
      for (const one of namesakes) this.#noteEnd(one)
    return true
  }

  #shorten(log: SightingLog): void {
    const objectsOf = () => log.sightings().map(({ object }) => object)
    const all = objectsOf()
    log.cut()
    this.#postings.delete(log, all, objectsOf())
  }

  #shelve(log: SightingLog, event: KubeEvent): void {
    const about = aboutOf(event)
    for (const old of this.#events.touch(log, about === null ? '' : about.join('\0'))) this.#forget(old)
  }

  /** After a list: what was not in it is gone. */
  #sweep({ kinds }: ListEvent): void {
    const { lastListEndMs } = this.#coverage
    for (const kind of kinds)
      if (kind !== 'Event')
        for (const log of this.#tables.get(kind)?.logs() ?? [])
          if (log.lastAt < lastListEndMs && !this.#closed.has(log) && this.#isMissed(log)) this.#noteEnd(log)
  }

  /** It may have ended since it was seen; false: it has not. */
  #isMissed(log: SightingLog): boolean {
    const { kind, namespace, name, lastAt } = log
    const isListed = this.#coverage.nextListMs(kind, namespace, lastAt) !== Number.POSITIVE_INFINITY
    return isListed || this.#tables.get(kind)!.named(namespace, name).length > 1
  }

  #noteEnd(log: SightingLog): void {
    // Not kept: nobody has asked for its history.
    this.#closed.set(log, this.#livesOf(log).at(-1)?.history.deletedMs ?? null)
  }

  #learned(at: number, isKnown: boolean): void {
    this.revision++
    if (isKnown) this.knownToMs = Math.max(this.knownToMs, at)
    this.#newestMs = Math.max(this.#newestMs, at)
    const oldestMs = this.#newestMs - this.#options.keepMs
    while (this.#closed.firstMs < oldestMs || this.#closed.size > this.#options.closedMax) {
      this.forgottenToMs = Math.max(this.forgottenToMs, this.#closed.firstMs)
      const log = this.#closed.shift()
      if (log !== undefined) this.#forget(log)
    }
    for (const log of this.#events.olderThan(oldestMs)) this.#forget(log)
  }

  #forget(log: SightingLog): void {
    this.#postings.delete(
      log,
      log.sightings().map(({ object }) => object)
    )
    this.#tables.get(log.kind)?.delete(log)
    this.#closed.set(log, null)
    this.#events.delete(log)
    this.#changed(log)
  }

  #changed(log: SightingLog): void {
    this.#derived.delete(log)
    this.#entries.delete(log)
  }

  #entriesOf(log: SightingLog): Entries['lives'] {
    const { revision } = this.#coverage
    const known = this.#entries.get(log)
    if (known?.revision === revision) return known.lives
    const derived = this.#derived.get(log)
    const lives = (derived?.revision === revision ? derived.lives : this.#livesOf(log)).map(entriesOf)
    this.#entries.set(log, { revision, lives })
    return lives
  }

  #derive(log: SightingLog): Derived {
    const { revision } = this.#coverage
    const known = this.#derived.get(log)
    if (known?.revision === revision) return known
    const derived = { revision, lives: this.#livesOf(log), tenures: null }
    this.#derived.set(log, derived)
    return derived
  }

  #livesOf(log: SightingLog): Life[] {
    const table = this.#tables.get(log.kind)
    const namesakes = table?.named(log.namespace, log.name).filter(other => other !== log) ?? []
    return livesOf(log, namesakes, this.#coverage)
  }

  #historiesOf<O extends KubeObject = ObjectOf[Kind]>(logs: Iterable<SightingLog>): History<O>[] {
    const histories: History<O>[] = []
    for (const log of logs) for (const { history } of this.#derive(log).lives) histories.push(history as History<O>)
    return histories
  }
}

function namespaceOf(kind: Kind, namespace: unknown): string {
  return CLUSTER_KINDS.has(kind) || typeof namespace !== 'string' ? '' : namespace
}
