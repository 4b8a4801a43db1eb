/** Incidents on their way to a store that may be away. */
import { expect, test, vi } from 'vitest'
import type { Incident } from '../src/alert/incident.ts'
import { IncidentQueue } from '../src/incidentQueue.ts'

function incident(id: string, updatedMs: number, state: Incident['state'] = 'open'): Incident {
  return { id, updatedMs, state } as Incident
}

/** A store that refuses as long as the test says. */
class Place {
  fault: Error | null = null
  opened = 0
  closed = 0
  readonly kept = new Map<string, number>()
  readonly puts: number[] = []
  readonly waits: number[] = []
  readonly said: string[] = []
  hold: Promise<void> | null = null
  /** Then it is back; 1: it stays away, and the wait goes on. */
  waitsMax = 8

  readonly queue = new IncidentQueue({
    name: 'the store',
    open: async () => {
      this.opened++
      return {
        put: async incidents => {
          await this.hold
          if (this.fault !== null) throw this.fault
          this.puts.push(incidents.length)
          for (const { id, updatedMs } of incidents) this.kept.set(id, updatedMs)
        },
        close: async () => void this.closed++
      }
    },
    say: text => void this.said.push(text),
    wait: async (ms, signal) => {
      this.waits.push(ms)
      if (this.waits.length < this.waitsMax) return
      if (this.waitsMax > 1) this.fault = null
      else await new Promise(resolve => signal.addEventListener('abort', resolve))
    }
  })
}

test('nothing is opened before there is something to write', async () => {
  const place = new Place()
  place.queue.put([])
  await place.queue.close(1_000)
  expect(place).toMatchObject({ opened: 0, closed: 0 })
})

test('only the newest version of what waits is written', async () => {
  const place = new Place()
  let release = (): void => {}
  place.hold = new Promise(resolve => (release = resolve))
  place.queue.put([incident('a', 1)])
  await vi.waitFor(() => expect(place.opened).toBe(1))
  place.queue.put([incident('a', 2), incident('b', 2)])
  place.queue.put([incident('a', 3)])
  expect(place.queue.facts.waiting).toBe(2)
  release()
  await place.queue.close(1_000)
  expect([...place.kept]).toEqual([
    ['a', 3],
    ['b', 2]
  ])
  expect(place.puts).toEqual([1, 2])
  expect(place.closed).toBe(1)
})

test('an outage is said once, waited out ever longer, and its end is said', async () => {
  const place = new Place()
  place.fault = new Error('away')
  place.queue.put([incident('a', 1)])
  await vi.waitFor(() => expect(place.kept.get('a')).toBe(1))
  await vi.waitFor(() => expect(place.said).toHaveLength(2))
  expect(place.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  expect(place.said).toEqual([
    'incidents cannot be written to the store: away; it is tried again, alerts go on',
    'incidents are written to the store again'
  ])
  expect(place.queue.facts).toMatchObject({ waiting: 0, written: 1 })
})

test('what waits is bounded: what has ended goes first, and is counted', async () => {
  const place = new Place()
  place.fault = new Error('away')
  place.waitsMax = 1
  place.queue.put([incident('first', 1)])
  await vi.waitFor(() => expect(place.waits).toHaveLength(1))
  place.queue.put([incident('ended', 1, 'resolved')])
  place.queue.put(Array.from({ length: 10_000 }, (_, i) => incident(`open ${i}`, 1)))
  expect(place.queue.facts).toMatchObject({ waiting: 10_000, dropped: 2 })
  place.fault = null
  await place.queue.close(5_000)
  expect(place.kept.has('ended')).toBe(false)
  expect(place.kept.has('first')).toBe(false)
  expect(place.kept.has('open 0')).toBe(true)
})

test('the end does not wait for a place that does not answer, and says what is left', async () => {
  const place = new Place()
  place.hold = new Promise(() => {})
  place.queue.put([incident('a', 1)])
  await place.queue.close(20)
  expect(place.said).toEqual(['1 incidents could not be written to the store before the end'])
})
