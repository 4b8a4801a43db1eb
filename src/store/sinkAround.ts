/** A store behind another one that changes what is written: everything else goes through. */

import type { RawBatch, Sink } from './sink.ts'
import type { ClaimedStreams, WriteResult } from './store.ts'

export abstract class SinkAround implements Sink {
  protected readonly store: Sink

  constructor(store: Sink) {
    this.store = store
  }

  abstract write(batch: RawBatch): Promise<WriteResult>

  get isThread(): boolean {
    return this.store.isThread
  }

  get streams(): Sink['streams'] {
    return this.store.streams
  }

  get engine(): Sink['engine'] {
    return this.store.engine
  }

  get facts(): Sink['facts'] {
    return this.store.facts
  }

  get pausedBecause(): string | null {
    return this.store.pausedBecause
  }

  countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    return this.store.countedMinutes(containers, stream)
  }

  claim(streams: string[]): Promise<ClaimedStreams> {
    return this.store.claim(streams)
  }

  close(): Promise<void> {
    return this.store.close()
  }
}
