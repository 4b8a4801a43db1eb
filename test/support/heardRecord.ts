/** What a reader of a record told. */
import type { ClusterRecord, ClusterRecordReader, RecordedEvent, RecordHandlers } from '../../src/cluster/record.ts'
import { ListedObjects } from './listedObjects.ts'

export class HeardRecord implements RecordHandlers {
  readonly begun: number[] = []
  readonly heard: RecordedEvent[] = []
  readonly state = new ListedObjects()
  caught = 0
  missed = 0
  readonly reader: ClusterRecordReader

  constructor(record: ClusterRecord, fromMs: number, limitMs = Number.POSITIVE_INFINITY) {
    this.reader = record.read(fromMs, this)
    this.reader.readTo(limitMs)
  }

  begins(atMs: number): void {
    this.begun.push(atMs)
  }

  events(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      this.heard.push(event)
      this.state.apply(event)
    }
  }

  caughtUp(): void {
    this.caught++
  }

  missing(): void {
    this.missed++
  }

  /** `at` of everything told. */
  get ats(): number[] {
    return this.heard.map(({ at }) => at)
  }

  /** `at TYPE`, in order. */
  get told(): string[] {
    return this.heard.map(({ at, type }) => `${at} ${type}`)
  }
}
