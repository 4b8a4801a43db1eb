/** Reads inputs through the engine: one after the other, or several files of one time merged by record time. */

import type { Engine } from '../engine.ts'
import type { EngineSource } from '../engineSource.ts'
import type { Input } from '../source/input.ts'

const PEEK_BYTES = 1 << 16

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
  const source = engine.open({ name: input.name, modifiedMs: input.modifiedMs })
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
interface Reading {
  source: EngineSource
  chunks: AsyncGenerator<Uint8Array>
  /** Not pushed yet; null at the end. */
  next: Uint8Array | null
  /** Time of the last access line in `next`, NaN when none shows. */
  nextMs: number
  content: Content
}

/** What the head of a file holds. */
type Content = 'access' | 'errors' | 'mixed'

const GROUP = 'access and error logs'

/**
 * Files that hold access lines alone, or error lines alone, are one controller's `access.log` and `error.log`; a mixed file,
 * or one whose name tells its pod, is a controller by itself. The file that is furthest behind is read next; before a chunk
 * of access lines is read, files of error lines are read past its end, because an error line must be there when its access
 * line comes. Windows of the group follow its slowest file.
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
    const source = engine.open({
      name: input.name,
      modifiedMs: input.modifiedMs,
      group: content === 'mixed' ? null : GROUP
    })
    readings.push({ source, chunks, next: first, nextMs: first === null ? Number.NaN : lastAccessTime(first), content })
  }
  for (const { source, next: head, content } of readings) {
    // Error lines print no zone; the access lines of the same controller do.
    const group =
      content === 'mixed' ? [source] : readings.filter(other => other.content !== 'mixed').map(other => other.source)
    if (head !== null) setZone(group, head)
  }
  for (let reading = pickNext(readings); reading; reading = pickNext(readings)) {
    options.arrived()
    bytes += reading.next!.length
    reading.source.push(reading.next!)
    await options.progress(bytes)
    reading.next = await next(reading.chunks)
    reading.nextMs = reading.next === null ? Number.NaN : lastAccessTime(reading.next)
    if (reading.next === null) reading.source.end()
    const open = readings
      .filter(other => other.next !== null && other.content !== 'mixed')
      .map(other => other.source.newestMs)
    if (open.length > 0 && Number.isFinite(Math.min(...open))) engine.advance(GROUP, Math.min(...open))
  }
  return readings.map(reading => reading.source)
}

function pickNext(readings: Reading[]): Reading | null {
  let best: Reading | null = null
  for (const reading of readings) {
    if (reading.next !== null && (best === null || reading.source.newestMs < best.source.newestMs)) best = reading
  }
  if (best === null || best.content !== 'access' || Number.isNaN(best.nextMs)) return best
  const { nextMs } = best
  return (
    readings.find(
      reading => reading.content === 'errors' && reading.next !== null && reading.source.newestMs <= nextMs
    ) ?? best
  )
}

/** The zone of the container's clock, from the first access line in `chunk`, for sources that do not know it yet. */
function setZone(sources: EngineSource[], chunk: Uint8Array): void {
  const zone = /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d ([+-])(\d\d)(\d\d)\]/.exec(head(chunk))
  if (!zone) return
  const zoneMs = (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000
  for (const source of sources) if (source.clock.zoneMs === null) source.clock.setZone(zoneMs)
}

function contentOf(chunk: Uint8Array): Content {
  const text = head(chunk)
  const hasErrors = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[/m.test(text)
  const hasAccess = /"[A-Z]+ [^"]*" \d{3} \d+|^\{/m.test(text)
  const isEnveloped = /^\d{4}-\d\d-\d\dT[\d:.]+\S+ std(?:out|err) |^\[pod\/|^\{"log":/m.test(text)
  if (isEnveloped) return 'mixed'
  if (hasErrors) return hasAccess ? 'mixed' : 'errors'
  return hasAccess ? 'access' : 'mixed'
}

function lastAccessTime(chunk: Uint8Array): number {
  const text = Buffer.from(chunk.subarray(Math.max(0, chunk.length - PEEK_BYTES))).toString('latin1')
  const stamps = text.match(/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/g)
  const last = stamps?.at(-1)
  if (!last) return NaN
  const [, day, month, year, time, zone] = /\[(\d\d)\/(\w{3})\/(\d{4}):(\S+) ([+-]\d{4})\]/.exec(last)!
  return Date.parse(`${day} ${month} ${year} ${time} ${zone}`)
}

function head(chunk: Uint8Array): string {
  return Buffer.from(chunk.subarray(0, PEEK_BYTES)).toString('latin1')
}
