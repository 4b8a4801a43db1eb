/** A state that begins at any whole list of a record answers for later moments as one that has read all of it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { KubeObject, Pod } from '../../src/cluster/objects.ts'
import type { RecordedEvent } from '../../src/cluster/record.ts'
import { RecordMerge } from '../../src/cluster/recordMerge.ts'
import type { ClusterState, History } from '../../src/cluster/state.ts'
import { heartbeat, mark, told, writer } from '../support/recordedEvents.ts'
import { runs } from '../support/seed.ts'

const T = Date.UTC(2026, 10, 21, 10)
const NAMES = ['a', 'b', 'c']
const ADDRESSES = ['10.0.0.1', '10.0.0.2']

interface Step {
  kind: 'change' | 'delete' | 'list' | 'away'
  name: string
  address: string
  ms: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('change', 'change', 'change', 'delete', 'list', 'away'),
  name: fc.constantFrom(...NAMES),
  address: fc.constantFrom(...ADDRESSES),
  ms: fc.integer({ min: 1, max: 9_000 })
})

/** A watch that is sometimes away: what it missed, it finds in the list with which the next one begins. */
function record(steps: readonly Step[]): RecordedEvent[] {
  const there = new Map<string, KubeObject>()
  let watches = 1
  let tell = writer('watch-1')
  let at = T
  let version = 0
  const wholeList = (): RecordedEvent[] =>
    tell(mark(at, 'LIST_START'), ...[...there.values()].map(pod => told(at, 'ADDED', pod)), mark(at, 'LIST_END'))
  const events = wholeList()
  for (const { kind, name, address, ms } of steps) {
    at += ms
    const known = there.get(name)
    // Two pods do not have one address at a time.
    const isFree = [...there.values()].every(pod => pod === known || (pod as Pod).status!.podIP !== address)
    // It never comes less often.
    events.push(...tell(heartbeat(at)))
    if (kind === 'list') events.push(...wholeList())
    if (kind === 'delete' && known !== undefined) {
      there.delete(name)
      events.push(...tell(told(at, 'DELETED', known)))
    }
    if (kind === 'change' && isFree) {
      const pod = podOf(name, known?.metadata.uid ?? `${name}-${version}`, ++version, address, at)
      there.set(
        name,
        known === undefined
          ? pod
          : { ...pod, metadata: { ...pod.metadata, creationTimestamp: known.metadata.creationTimestamp! } }
      )
      events.push(...tell(told(at, known === undefined ? 'ADDED' : 'MODIFIED', there.get(name)!)))
    }
    if (kind === 'away') {
      at += 40_000
      tell = writer(`watch-${++watches}`)
      // Unseen: one goes.
      there.delete(name)
      events.push(...wholeList(), ...tell(heartbeat(at)))
    }
  }
  return [...events, ...tell(heartbeat(at + 1))]
}

function podOf(name: string, uid: string, version: number, address: string, at: number): KubeObject {
  const metadata = {
    name,
    namespace: 'shop',
    uid,
    resourceVersion: String(version),
    labels: { version: String(version) },
    creationTimestamp: new Date(at - 3_000).toISOString()
  }
  return { kind: 'Pod', metadata, status: { phase: 'Running', podIP: address } } as KubeObject
}

function stateOf(events: readonly RecordedEvent[]): ClusterState {
  const state = openClusterState()
  const merge = new RecordMerge((event: ClusterEvent) => state.apply(event))
  for (const event of events) merge.add(event)
  return state
}

/** What can be asked of a moment. */
function answers(state: ClusterState, at: number): unknown {
  const isThere = ({ versions, deletedMs }: History): boolean =>
    versions[0]!.atMs <= at && (deletedMs === null || deletedMs > at)
  return {
    pods: [...state.all('Pod', null)].filter(isThere).map(history => {
      const version = history.versions.findLast(({ atMs }) => atMs <= at)!
      return `${history.uid} ${version.object.metadata.labels!.version}`
    }),
    holders: ADDRESSES.map(address =>
      state
        .tenures(address)
        .filter(({ fromMs, toMs }) => fromMs <= at && (toMs === null || toMs > at))
        .map(({ pod }) => pod.uid)
    ),
    isInGap: state.isInGap('Pod', at),
    isObservable: state.isObservable('Pod', 'shop'),
    isKnown: state.knownToMs > at
  }
}

test('from any whole list onward', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat(), (steps, choice) => {
      const events = record(steps)
      const lists = events.flatMap(({ type }, i) => (type === 'LIST_START' ? [i] : []))
      const begin = lists[choice % lists.length]!
      const [whole, part] = [stateOf(events), stateOf(events.slice(begin))]
      const moments = new Set(events.slice(begin).flatMap(({ at }) => [at, at + 1, at + 500]))
      const from = events[begin]!.at
      for (const at of moments) if (at > from) expect(answers(part, at), `at T+${at - T}`).toEqual(answers(whole, at))
    }),
    runs(150)
  )
})
