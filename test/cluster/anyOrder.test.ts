import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { Pod } from '../../src/cluster/objects.ts'
import type { ClusterState } from '../../src/cluster/state.ts'
import { runs } from '../support/seed.ts'
import { added, applyAll, deleted, gap, heartbeat, listed, modified, ms, pod, slice, tenureLines } from './made.ts'

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
const UIDS = ['a', 'b', 'c', 'd']

/** What can happen in a second: to one of four pods, of which two share a name, or to one slice. */
const happening = fc.record({
  what: fc.constantFrom('born', 'changed', 'gone', 'listed', 'slice', 'heartbeat', 'gap'),
  uid: fc.nat(3),
  ip: fc.option(fc.nat(2)),
  phase: fc.constantFrom('Pending', 'Running', 'Failed'),
  ready: fc.boolean()
})
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never

/** One moment each; a list and a gap take a while. */
function eventsOf(happenings: readonly Happening[], twins = true): ClusterEvent[] {
  const present = new Map<string, Pod>()
  return happenings.flatMap(({ what, uid, ip, phase, ready }, i): ClusterEvent[] => {
    const at = i * 100
    const id = UIDS[uid]!
    const facts = {
      name: twins && uid < 2 ? 'twin' : id,
      uid: id,
      phase,
      version: i + 1,
      created: at,
      ip: ip === null ? null : ADDRESSES[ip]!
    }
    const before = present.get(id)
    const object = pod({
      ...facts,
      created: before === undefined ? at : Date.parse(before.metadata.creationTimestamp!) / 1e3 - ms(0) / 1e3
    })
    switch (what) {
      case 'born':
      case 'changed':
        present.set(id, object)
        return [what === 'born' ? added(at, object) : modified(at, object)]
      case 'gone':
        present.delete(id)
        return [deleted(at, object)]
      case 'slice': {
        const endpoint = { addresses: [ADDRESSES[ip ?? 0]!], conditions: { ready }, targetRef: { uid: id } }
        return [modified(at, slice('s', 'web', [endpoint]))]
      }
      case 'listed': {
        const [start, end] = listed(at, [], {}, 50) as [ClusterEvent, ClusterEvent]
        return [start, ...[...present.values()].map((one, n) => added(at + 1 + n, one)), end]
      }
      case 'heartbeat':
        return [heartbeat(at)]
      default:
        return gap(at, at + 50, 'Pod')
    }
  })
}

function answers(state: ClusterState): unknown {
  const bare = (histories: Iterable<{ uid: string; versions: readonly unknown[]; deletedMs: number | null }>) =>
    [...histories].map(one => ({ ...one }))
  return {
    known: [state.knownFromMs, state.knownToMs, state.forgottenToMs],
    pods: bare(state.all('Pod', null)),
    twins: bare(state.named('Pod', 'shop', 'twin')),
    tenures: ADDRESSES.map(address => tenureLines(state, address)),
    entries: ADDRESSES.map(address => state.sliceEntries(address)),
    gaps: Array.from({ length: 40 }, (_, i) => state.isInGap('Pod', ms(i * 50)))
  }
}

test('the order of arrival changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 14 }).chain(happenings => {
        const events = eventsOf(happenings)
        return fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }),
          fc.subarray(events)
        )
      }),
      ([events, shuffled, twice]) => {
        const want = answers(applyAll(openClusterState(), events))
        expect(answers(applyAll(openClusterState(), shuffled))).toEqual(want)
        const state = applyAll(openClusterState(), events)
        const { revision } = state
        applyAll(state, twice)
        expect(answers(state)).toEqual(want)
        expect(state.revision).toBe(revision)
        // Questions in between must not fix an answer.
        const asked = openClusterState()
        for (const event of shuffled) {
          asked.apply(event)
          asked.tenures(ADDRESSES[0]!)
          Array.from(asked.all('Pod', null))
        }
        expect(answers(asked)).toEqual(want)
      }
    ),
    runs(300)
  )
})

test('unrelated objects change nothing about an address', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 14 }), fc.array(happening, { maxLength: 14 }), (own, other) => {
      const events = eventsOf(own)
      const strangers = eventsOf(other).flatMap((event): ClusterEvent[] => {
        if (event.type === 'HEARTBEAT' || !('object' in event)) return []
        const { metadata } = event.object
        const object = { ...event.object, metadata: { ...metadata, namespace: 'other', uid: `other ${metadata.uid}` } }
        if ('status' in object) object.status = { phase: 'Running', podIP: '10.9.9.9' }
        return object.kind === 'Pod' ? [{ ...event, object }] : []
      })
      const want = ADDRESSES.map(address => tenureLines(applyAll(openClusterState(), events), address))
      const state = applyAll(openClusterState(), [...strangers, ...events, ...strangers])
      expect(ADDRESSES.map(address => tenureLines(state, address))).toEqual(want)
    })
  )
})

/** Watched lives of pods that share few addresses, one at a time. */
const life = fc.record({
  waits: fc.integer({ min: 1, max: 30 }),
  holds: fc.integer({ min: 1, max: 60 }),
  ip: fc.nat(2)
})

test('snapshots give the same holder as the watch, where two of them show it', () => {
  fc.assert(
    fc.property(
      fc.array(life, { minLength: 1, maxLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 2, maxLength: 8 }),
      (lives, moments) => {
        let now = 0
        const pods = lives.map(({ waits, holds, ip }, i) => {
          const from = now + waits
          now = from + holds
          return { from, to: now, object: pod({ name: `p${i}`, created: from, started: from, ip: ADDRESSES[ip]! }), ip }
        })
        const watched = applyAll(
          openClusterState(),
          pods.flatMap(({ from, to, object }) => [added(from, object), deleted(to, object)])
        )
        const shots = moments.map(at => {
          const there = pods.filter(({ from, to }) => from <= at && at < to).map(({ object }) => object)
          return listed(at, there)
        })
        const seen = applyAll(openClusterState(), shots.flat())
        const sorted = moments.toSorted((a, b) => a - b)
        for (const [i, end] of sorted.entries()) {
          const begin = sorted[i - 1]
          if (begin === undefined) continue
          for (const address of ADDRESSES) {
            const holders = (state: ClusterState, at: number) =>
              state
                .tenures(address)
                .filter(({ fromMs, toMs }) => fromMs <= ms(at) && (toMs === null || ms(at) < toMs))
                .map(one => one.pod.uid)
            const both = holders(watched, begin).filter(uid => holders(watched, end).includes(uid))
            if (both.length === 0) continue
            const middle = Math.floor((begin + end) / 2)
            expect(holders(seen, middle)).toEqual(both)
            expect(holders(watched, middle)).toEqual(both)
          }
        }
      }
    )
  )
})

test('a watched history agrees with a plain list of everything', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), happenings => {
      const events = eventsOf(
        happenings.filter(({ what }) => what === 'changed' || what === 'gone'),
        false
      )
      const state = applyAll(openClusterState(), events)
      // The model: what the last event at or before a moment says of each uid.
      for (let at = 0; at <= happenings.length * 100; at += 50)
        for (const address of ADDRESSES) {
          const last = new Map<string, ClusterEvent>()
          for (const event of events)
            if (event.at <= ms(at) && 'object' in event) last.set(event.object.metadata.uid!, event)
          const want = [...last.values()].flatMap(event => {
            if (!('object' in event) || event.type === 'DELETED') return []
            const { metadata, status } = event.object as Pod
            return status?.podIP === address && status.phase !== 'Failed' ? [metadata.uid!] : []
          })
          const held = state
            .tenures(address)
            .filter(({ fromMs, toMs }) => fromMs <= ms(at) && (toMs === null || ms(at) < toMs))
            .map(({ pod: { uid } }) => uid)
          expect(held.sort()).toEqual(want.sort())
        }
    })
  )
})
