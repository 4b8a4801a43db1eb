/** Reads the record in a folder, and follows it while another process, or this one, writes. */

import { setTimeout as delay } from 'node:timers/promises'
import { systemErrorText } from '../errors.ts'
import { ListSearch } from './listSearch.ts'
import type { ClusterRecord, ClusterRecordReader, RecordedEvent, RecordHandlers } from './record.ts'
import { parseHead, parseRecorded } from './recordLine.ts'
import { linesOf, listSegments, type Segment } from './recordSegment.ts'

const POLL_MS = 1_000
const EVENTS_MAX = 500

export interface SegmentRecordSettings {
  folder: string
  /** A sentence for the log. */
  say: (text: string) => void
  pollMs?: number
}

export function segmentRecord(settings: SegmentRecordSettings): ClusterRecord {
  return {
    read: (fromMs: number, handlers: RecordHandlers): ClusterRecordReader => new Reader(settings, fromMs, handlers)
  }
}

interface Place {
  number: number
  /** Bytes of what is unpacked. */
  byte: number
}

class Reader implements ClusterRecordReader {
  readonly #settings: SegmentRecordSettings
  readonly #fromMs: number
  readonly #handlers: RecordHandlers
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #place: Place | null = null
  #lastAtMs = Number.NEGATIVE_INFINITY
  #limitMs = Number.NEGATIVE_INFINITY
  #wake: () => void = () => {}
  #said = ''

  constructor(settings: SegmentRecordSettings, fromMs: number, handlers: RecordHandlers) {
    this.#settings = settings
    this.#fromMs = fromMs
    this.#handlers = handlers
    // Not before the caller has this reader in its hands.
    this.#running = Promise.resolve().then(() => this.#run())
  }

  readTo(atMs: number): void {
    this.#limitMs = atMs
    this.#wake()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#step()
        this.#said = ''
      } catch (error) {
        if (!isGone(error)) this.#sayOnce(error)
      }
      await this.#pause()
    }
  }

  async #step(): Promise<void> {
    const segments = await listSegments(this.#settings.folder, this.#place?.number)
    if (this.#place === null) {
      if (segments === null || segments.length === 0) return this.#handlers.missing()
      const found = await this.#search(segments)
      if (found === null) return this.#handlers.caughtUp()
      this.#place = found.position
      this.#handlers.begins(found.atMs)
    }
    for (const segment of segments ?? []) {
      if (segment.number < this.#place.number) continue
      if (segment.number > this.#place.number) this.#place = { number: segment.number, byte: 0 }
      if (!(await this.#read(segment))) return
      // Nothing is written to it any more.
      if (segment.isPacked) this.#place = { number: segment.number + 1, byte: 0 }
    }
    this.#handlers.caughtUp()
  }

  /** The last whole list at or before the moment, else the oldest. */
  async #search(segments: readonly Segment[]): Promise<{ position: Place; atMs: number } | null> {
    // A name holds whole seconds.
    const later = segments.findIndex(({ fromMs }) => fromMs > this.#fromMs)
    const before = later === -1 ? segments : segments.slice(0, later)
    for (const segment of before.toReversed()) {
      const { best } = await this.#lists(segment, search => search.isOver || search.best !== null)
      if (best !== null) return best
    }
    for (const segment of segments) {
      const { next } = await this.#lists(segment, search => search.next !== null)
      if (next !== null) return next
    }
    return null
  }

  async #lists(segment: Segment, isEnough: (search: ListSearch<Place>) => boolean): Promise<ListSearch<Place>> {
    const search = new ListSearch<Place>(this.#fromMs)
    try {
      for await (const { text, start } of linesOf(this.#settings.folder, segment)) {
        const head = parseHead(text)
        if (head !== null) search.add({ number: segment.number, byte: start }, head)
        if (isEnough(search) || this.#stop.signal.aborted) break
      }
    } catch (error) {
      if (isGone(error)) throw error
      this.#sayOnce(error)
    }
    return search
  }

  /** False: it stopped at the limit. */
  async #read(segment: Segment): Promise<boolean> {
    const place = this.#place!
    let events: RecordedEvent[] = []
    const tell = (): void => {
      if (events.length > 0) this.#handlers.events(events)
      events = []
    }
    try {
      if (!segment.isPacked && segment.bytes <= place.byte) return true
      for await (const { text, end } of linesOf(this.#settings.folder, segment, place.byte)) {
        if (this.#lastAtMs > this.#limitMs || this.#stop.signal.aborted) return false
        place.byte = end
        const event = parseRecorded(text)
        if (event === null) continue
        this.#lastAtMs = event.at
        if (events.push(event) >= EVENTS_MAX) tell()
      }
    } catch (error) {
      if (isGone(error)) throw error
      // A damaged one ends here; the next one begins with a whole list.
      this.#sayOnce(error)
    } finally {
      tell()
    }
    return true
  }

  #sayOnce(error: unknown): void {
    const text = `${this.#settings.folder}: the cluster's state cannot be read: ${systemErrorText(error)}`
    if (text !== this.#said) this.#settings.say(text)
    this.#said = text
  }

  /** Until something may have come. */
  async #pause(): Promise<void> {
    const wake = new AbortController()
    this.#wake = () => wake.abort()
    const signal = AbortSignal.any([wake.signal, this.#stop.signal])
    await delay(this.#settings.pollMs ?? POLL_MS, undefined, { signal }).catch(() => {})
  }
}

/** Packed or removed between the listing and the reading: the next listing tells. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
