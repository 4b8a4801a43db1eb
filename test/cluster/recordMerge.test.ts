/** Two watches that write into one record, what is sent twice, and times in which nobody wrote. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { RecordedEvent } from '../../src/cluster/record.ts'
import { RecordMerge } from '../../src/cluster/recordMerge.ts'
import { ListedObjects } from '../support/listedObjects.ts'
import { heartbeat, list, mark, pod, told, writer } from '../support/recordedEvents.ts'
import { runs } from '../support/seed.ts'

function merged(...events: RecordedEvent[]): { told: string[]; names: string[]; dropped: number } {
  const state = new ListedObjects()
  const merge = new RecordMerge(event => state.apply(event))
  for (const event of events) merge.add(event)
  return { told: state.applied.map(short), names: state.names, dropped: merge.dropped }
}

function short(event: ClusterEvent): string {
  const about = 'object' in event ? ` ${event.object.metadata.name}@${event.object.metadata.resourceVersion}` : ''
  return `${event.at} ${event.type}${about}`
}

test('of one watch everything is told as it is, also versions that go back', () => {
  const a = writer('a')
  const events = a(...list(0, pod('x', 5)), told(1, 'MODIFIED', pod('x', 3)), heartbeat(2), ...list(3, pod('x', 3)))
  expect(merged(...events).told).toEqual(events.map(short))
})

test('what was sent twice is told once', () => {
  const a = writer('a')
  const events = a(...list(0, pod('x', 1)), told(1, 'MODIFIED', pod('x', 2)), told(2, 'MODIFIED', pod('x', 3)))
  const { told: all, dropped } = merged(...events, ...events.slice(-2))
  expect(all).toEqual(events.map(short))
  expect(dropped).toBe(2)
})

test('a silence is a gap, whoever speaks again', () => {
  const [a, b] = [writer('a'), writer('b')]
  const { told: all } = merged(
    ...a(...list(0, pod('x', 1)), heartbeat(2_000), heartbeat(10_000)),
    ...b(...list(40_000, pod('x', 1)))
  )
  expect(all.slice(4)).toEqual([
    '10000 HEARTBEAT',
    '10000 GAP_START',
    '40000 GAP_END',
    '40000 LIST_START',
    '40000 ADDED x@1',
    '40000 LIST_END'
  ])
})

test('what the last one did not see, the next one does', () => {
  const [a, b] = [writer('a'), writer('b')]
  const gap = { at: 1, type: 'GAP_START', kind: 'Pod' } as const
  const { told: all } = merged(...a(...list(0), gap), ...b(...list(500)))
  expect(all.slice(2)).toEqual(['1 GAP_START', '500 GAP_END', '500 LIST_START', '500 LIST_END'])
})

describe('two watches at once', () => {
  test('what one says late is dropped, also about what is gone', () => {
    const [a, b] = [writer('a'), writer('b')]
    const { told: all, names } = merged(
      ...a(...list(0, pod('x', 1), pod('y', 1))),
      ...b(...list(10, pod('x', 1), pod('y', 1))),
      ...a(told(20, 'MODIFIED', pod('x', 5)), told(20, 'DELETED', pod('y', 6))),
      ...b(told(21, 'MODIFIED', pod('x', 4)), told(21, 'MODIFIED', pod('y', 4)), told(22, 'MODIFIED', pod('x', 5))),
      ...b(told(23, 'DELETED', pod('y', 6)))
    )
    expect(all.slice(-2)).toEqual(['20 MODIFIED x@5', '20 DELETED y@6'])
    expect(names).toEqual(['x@5'])
  })

  test('the list of one is told whole, and what the other says meanwhile behind it', () => {
    const [a, b] = [writer('a'), writer('b')]
    const { told: all, names } = merged(
      ...a(...list(0, pod('x', 1))),
      ...b(mark(10, 'LIST_START'), told(10, 'ADDED', pod('x', 1))),
      ...a(told(11, 'ADDED', pod('y', 2)), mark(12, 'LIST_START'), told(12, 'ADDED', pod('x', 1))),
      ...b(mark(13, 'LIST_END'), heartbeat(14)),
      ...a(told(14, 'ADDED', pod('y', 2)), mark(15, 'LIST_END'))
    )
    expect(all.slice(3)).toEqual([
      '10 LIST_START',
      '10 ADDED x@1',
      '13 LIST_END',
      '11 ADDED y@2',
      '12 LIST_START',
      '12 ADDED x@1',
      '14 ADDED y@2',
      '15 LIST_END',
      '14 HEARTBEAT'
    ])
    expect(names).toEqual(['x@1', 'y@2'])
  })

  test('a list that is older than what is known names the newest version', () => {
    const [a, b] = [writer('a'), writer('b')]
    const { names } = merged(
      ...a(...list(0, pod('x', 1), pod('y', 1))),
      ...b(...list(1, pod('x', 1), pod('y', 1)), told(2, 'MODIFIED', pod('x', 7)), told(2, 'DELETED', pod('y', 8))),
      ...a(...list(3, pod('x', 1), pod('y', 1)))
    )
    expect(names).toEqual(['x@7'])
  })

  test('one that dies in its list holds the other up for half a minute', () => {
    const [a, b] = [writer('a'), writer('b')]
    const { names, told: all } = merged(
      ...a(...list(0, pod('x', 1)), mark(1, 'LIST_START')),
      ...b(...list(2, pod('x', 2)), heartbeat(30_000), heartbeat(30_002))
    )
    expect(names).toEqual(['x@2'])
    expect(all.at(-1)).toBe('30002 HEARTBEAT')
  })

  test('the other may count anew when the first is gone', () => {
    const [a, b] = [writer('a'), writer('b')]
    const { names } = merged(
      ...a(...list(0, pod('x', 900))),
      ...b(...list(60_000, pod('x', 3)), told(60_001, 'MODIFIED', pod('x', 4)))
    )
    expect(names).toEqual(['x@4'])
  })

  // Each watch tells the truth, each a while after it was so; the record holds them in the order in which they came.
  test('whatever their delays, the end is the truth', () => {
    const change = fc.record({ name: fc.constantFrom('u', 'v', 'w', 'x'), isDeleted: fc.boolean(), gap: fc.nat(40) })
    const delays = fc.infiniteStream(fc.nat(120))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), delays, delays, fc.nat(900), (changes, slow, slower, listAt) => {
        const truth = new Map<string, number>()
        let at = 1_000
        const steps: { at: number; event: ClusterEvent; names: Map<string, number> }[] = []
        changes.forEach(({ name, isDeleted, gap }, i) => {
          at += gap
          const had = truth.get(name)
          if (isDeleted && had === undefined) return
          if (isDeleted) truth.delete(name)
          else truth.set(name, i + 10)
          const type = isDeleted ? 'DELETED' : had === undefined ? 'ADDED' : 'MODIFIED'
          steps.push({ at, event: told(at, type, pod(name, i + 10)), names: new Map(truth) })
        })
        const told1 = oneWatch('a', steps, slow, listAt)
        const told2 = oneWatch('b', steps, slower, 900 - listAt)
        const record = [...told1, ...told2].sort((one, two) => one.at - two.at)
        const last = Math.max(...record.map(event => event.at))
        const closing = writer('a')(...Array.from({ length: 10_000 }, () => heartbeat(last))).slice(-1)
        expect(merged(...record, ...closing).names).toEqual([...truth].map(([n, v]) => `${n}@${v}`).sort())
      }),
      runs(200)
    )
  })
})

/** A list of what was so `listAt` after the begin, spread over a while, between what the watch saw of the changes. */
function oneWatch(
  id: string,
  steps: { at: number; event: ClusterEvent; names: Map<string, number> }[],
  delays: Iterable<number>,
  listAt: number
): RecordedEvent[] {
  const delay = delays[Symbol.iterator]()
  const events: ClusterEvent[] = [...list(0)]
  let nowMs = 0
  let seen = new Map<string, number>()
  const tellList = (): void => {
    events.push(mark(nowMs, 'LIST_START'))
    for (const [name, version] of seen) events.push(told((nowMs += 3), 'ADDED', pod(name, version)))
    events.push(mark(nowMs, 'LIST_END'))
  }
  let isListed = false
  for (const { at, event, names } of steps) {
    nowMs = Math.max(nowMs, at + (delay.next().value as number))
    if (!isListed && at > 1_000 + listAt) {
      tellList()
      isListed = true
    }
    events.push({ ...event, at: nowMs })
    seen = names
  }
  return writer(id)(...events)
}
