/** Reads inputs through the engine: one after the other, or several files of one time merged by record time. */

import type { Engine } from '../engine.ts'
import type { EngineSource } from '../engineSource.ts'
import type { Input } from '../source/input.ts'
import {
  type Content,
  contentOf,
  GROUP,
  lastAccessTime,
  type Merged,
  pickNext,
  zoneMsOf
} from '../source/mergeOrder.ts'

export interface ReadOptions {
  /** Called when a chunk has come, before it is read. */
  arrived(): void
  /** Called after each chunk; `bytes` read so far of all inputs. */
  progress(bytes: number): void | Promise<void>
  /** An input that ended too early or could not be read on; the rest goes on. */
  failed(error: unknown): void
  /** The first chunk of an input, for its fingerprint. */
  opened(input: Input, head: Uint8Array): void
}

/** Ends when every input is at its end. Sources are returned for what they know (formats, lines). */
export async function readLogs(engine: Engine, inputs: Input[], options: ReadOptions): Promise<EngineSource[]> {
  if (inputs.length === 1) return [await readOne(engine, inputs[0]!, options)]
  return readMerged(engine, inputs, options)
}

async function readOne(engine: Engine, input: Input, options: ReadOptions): Promise<EngineSource> {
  const source = engine.open({ name: input.name, modifiedMs: input.modifiedMs, place: input.place })
  let bytes = 0
  try {
    for await (const chunk of input.chunks()) {
      options.arrived()
      if (bytes === 0) {
        options.opened(input, chunk)
        setZone([source], chunk)
      }
      bytes += chunk.length
      source.push(chunk)
      await options.progress(bytes)
    }
  } catch (error) {
    options.failed(error)
  }
  source.end()
  return source
}

/** One of several inputs, a chunk ahead of what the engine has seen. */
class Reading implements Merged {
  readonly source: EngineSource
  readonly chunks: AsyncGenerator<Uint8Array>
  readonly content: Content
  /** Not pushed yet; null at the end. */
  next: Uint8Array | null

  constructor(source: EngineSource, chunks: AsyncGenerator<Uint8Array>, first: Uint8Array | null, content: Content) {
    this.source = source
    this.chunks = chunks
    this.next = first
    this.content = content
  }

  get newestMs(): number {
    return this.source.newestMs
  }
}

/**
 * Files that hold access lines alone, or error lines alone, are one controller's `access.log` and `error.log`; a mixed file,
 * or one whose name tells its pod, is a controller by itself. `pickNext` says which is read next. Windows of the group
 * follow its slowest file.
 */
async function readMerged(engine: Engine, inputs: Input[], options: ReadOptions): Promise<EngineSource[]> {
  const readings: Reading[] = []
  let bytes = 0
  const next = async (chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array | null> => {
    try {
      const chunk = await chunks.next()
      // A copy: the input reads over its buffer.
      return chunk.done ? null : Buffer.from(chunk.value)
    } catch (error) {
      options.failed(error)
      return null
    }
  }
  for (const input of inputs) {
    const chunks = input.chunks()
    const first = await next(chunks)
    if (first !== null) options.opened(input, first)
    const content = first === null ? 'mixed' : contentOf(first)
    const { name, modifiedMs, place } = input
    const source = engine.open({ name, modifiedMs, place, group: content === 'mixed' ? null : GROUP })
    readings.push(new Reading(source, chunks, first, content))
  }
  for (const { source, next: head, content } of readings) {
    // Error lines print no zone; the access lines of the same controller do.
    const group =
      content === 'mixed' ? [source] : readings.filter(other => other.content !== 'mixed').map(other => other.source)
    if (head !== null) setZone(group, head)
  }
  const pick = () =>
    pickNext(
      readings.filter(reading => reading.next !== null),
      reading => lastAccessTime(reading.next!)
    )
  for (let reading = pick(); reading; reading = pick()) {
    options.arrived()
    bytes += reading.next!.length
    reading.source.push(reading.next!)
    await options.progress(bytes)
    reading.next = await next(reading.chunks)
    if (reading.next === null) reading.source.end()
    const open = readings
      .filter(other => other.next !== null && other.content !== 'mixed')
      .map(other => other.source.newestMs)
    if (open.length > 0 && Number.isFinite(Math.min(...open))) engine.advance(GROUP, Math.min(...open))
  }
  return readings.map(reading => reading.source)
}

/** The zone of the container's clock, from the first access line in `chunk`, for sources that do not know it yet. */
function setZone(sources: EngineSource[], chunk: Uint8Array): void {
  const zoneMs = zoneMsOf(chunk)
  if (zoneMs === null) return
  for (const source of sources) if (source.clock.zoneMs === null) source.clock.setZone(zoneMs)
}
