/**
 * Lines of the topic of rejects, at the place where they were read first: so a failure has the id, and a request the key, that
 * they would have had if they had been understood at once, however often they are rejected and replayed. Pure.
 */

import { createHash } from 'node:crypto'
import type { IHeaders } from 'kafkajs'
import { ShipperRuns } from '../shipperRuns.ts'
import type { SourceEvent, SourceStream } from '../source.ts'
import { batchesOf, type RawMessage } from './batches.ts'

/** As a client library has it. */
export interface RejectedMessage {
  offset: string
  value: Uint8Array | null
  headers?: IHeaders
}

interface Origin {
  topic: string
  partition: number
  offset: number
}

export class RejectedLines {
  readonly #streams = new Map<string, SourceStream>()
  /** Whoever was killed between rejecting and committing has rejected twice. */
  readonly #seen = new Set<string>()

  /** One for each partition that lines came from first. */
  get streams(): Iterable<SourceStream> {
    return this.#streams.values()
  }

  /** The lines of messages that were read from `partition` of the topic of rejects. */
  *events(topic: string, partition: number, messages: readonly RejectedMessage[]): Generator<SourceEvent> {
    const byStream = new Map<SourceStream, RawMessage[]>()
    for (const { offset, value, headers } of messages) {
      // What others have put there was read nowhere else.
      const origin = originOf(headers) ?? { topic, partition, offset: Number(offset) }
      const stream = this.#streamOf(origin)
      const key = createHash('sha256')
        .update(`${stream.id}@${origin.offset}\n`)
        .update(value ?? '')
        .digest('base64')
      if (this.#seen.has(key)) continue
      this.#seen.add(key)
      const known = byStream.get(stream)
      if (known === undefined) byStream.set(stream, [{ offset: origin.offset, value }])
      else known.push({ offset: origin.offset, value })
    }
    for (const [stream, lines] of byStream)
      for (const batch of batchesOf(lines)) yield { kind: 'messages', stream, batch }
  }

  #streamOf({ topic, partition }: Origin): SourceStream {
    const name = `${topic}/${partition}`
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = {
        // Not the id of the partition itself: what was counted of that is another thing.
        id: `reject ${name}`,
        name,
        group: null,
        modifiedMs: null,
        head: Buffer.alloc(0),
        resume: null,
        isAtEnd: false,
        partition: { topic, partition, shipper: new ShipperRuns(null) },
        newestMs: Number.NEGATIVE_INFINITY,
        // Lines that fail again are to be tried again the next time, so no position is kept.
        place: () => null
      }
      this.#streams.set(name, stream)
    }
    return stream
  }
}

function originOf(headers: IHeaders = {}): Origin | null {
  const header = (name: string): string => headers[`why5xx.${name}`]?.toString() ?? ''
  const [topic, partition, offset] = [header('topic'), header('partition'), header('offset')]
  if (topic === '' || !/^\d{1,9}$/.test(partition) || !/^\d{1,15}$/.test(offset)) return null
  return { topic, partition: Number(partition), offset: Number(offset) }
}
