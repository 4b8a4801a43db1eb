/** A record in memory: tells what a test puts into it, when the test says so. */
import { ListSearch } from '../../src/cluster/listSearch.ts'
import type { ClusterRecord, ClusterRecordReader, RecordedEvent, RecordHandlers } from '../../src/cluster/record.ts'

interface Reading extends ClusterRecordReader {
  fromMs: number
  limitMs: number
  isClosed: boolean
  next: number | null
  handlers: RecordHandlers
}

export class MemoryRecord implements ClusterRecord {
  readonly events: RecordedEvent[] = []
  isMissing = false
  readonly readings: Reading[] = []

  read(fromMs: number, handlers: RecordHandlers): ClusterRecordReader {
    const reading: Reading = {
      fromMs,
      limitMs: Number.NEGATIVE_INFINITY,
      isClosed: false,
      next: null,
      handlers,
      readTo: atMs => {
        reading.limitMs = atMs
      },
      close: async () => {
        reading.isClosed = true
      }
    }
    this.readings.push(reading)
    return reading
  }

  get reading(): Reading {
    return this.readings.at(-1)!
  }

  /** The newest reading reads as far as it may. */
  tell(): void {
    const { reading } = this
    if (this.isMissing) return reading.handlers.missing()
    if (reading.next === null) {
      const search = new ListSearch<number>(reading.fromMs)
      for (const [position, event] of this.events.entries()) search.add(position, event)
      const found = search.best ?? search.next
      if (found === null) return reading.handlers.caughtUp()
      reading.next = found.position
      reading.handlers.begins(found.atMs)
    }
    const from = reading.next
    while (reading.next < this.events.length && !this.#isOver(reading)) reading.next++
    reading.handlers.events(this.events.slice(from, reading.next))
    if (reading.next === this.events.length) reading.handlers.caughtUp()
  }

  #isOver({ next, limitMs }: Reading): boolean {
    return next! > 0 && this.events[next! - 1]!.at > limitMs
  }
}
