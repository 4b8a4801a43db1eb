/** Reads inputs through the engine: one after the other, or several files of one time merged by record time. */

import type { Engine, EngineSource } from '../engine.ts'
import type { Input } from '../source/input.ts'

const PEEK_BYTES = 1 << 16

export interface ReadOptions {
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
  const source = engine.open(input.name, input.modifiedMs)
  let bytes = 0
  try {
    for await (const chunk of input.chunks()) {
      if (bytes === 0) options.opened(input, chunk)
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
  isErrorsOnly: boolean
}

/**
 * Files without pod names are one controller: `access.log` and `error.log`. The file that is furthest behind is read next;
 * before a chunk of access lines is read, files of error lines are read past its end, because an error line must be there
 * when its access line comes. Windows follow the slowest file.
 */
async function readMerged(engine: Engine, inputs: Input[], options: ReadOptions): Promise<EngineSource[]> {
  const group = inputs.map(input => input.name).join('\n')
  const readings: Reading[] = []
  let bytes = 0
  const advanceReading = async (reading: Reading): Promise<void> => {
    try {
      const chunk = await reading.chunks.next()
      // A copy: the input reads over its buffer.
      reading.next = chunk.done ? null : Buffer.from(chunk.value)
    } catch (error) {
      options.failed(error)
      reading.next = null
    }
    reading.nextMs = reading.next === null ? NaN : lastAccessTime(reading.next)
  }
  for (const input of inputs) {
    const reading: Reading = {
      source: engine.open(input.name, input.modifiedMs, group),
      chunks: input.chunks(),
      next: null,
      nextMs: NaN,
      isErrorsOnly: false
    }
    await advanceReading(reading)
    if (reading.next !== null) options.opened(input, reading.next)
    reading.isErrorsOnly = reading.next !== null && isErrorLog(reading.next)
    readings.push(reading)
  }
  shareZone(readings)
  for (let reading = pickNext(readings); reading; reading = pickNext(readings)) {
    bytes += reading.next!.length
    reading.source.push(reading.next!)
    await options.progress(bytes)
    await advanceReading(reading)
    if (reading.next === null) reading.source.end()
    const open = readings.filter(other => other.next !== null).map(other => other.source.newestMs)
    const slowest = open.length === 0 ? Number.NaN : Math.min(...open)
    if (Number.isFinite(slowest)) engine.advance(`file ${group}`, slowest)
  }
  return readings.map(reading => reading.source)
}

function pickNext(readings: Reading[]): Reading | null {
  let best: Reading | null = null
  for (const reading of readings) {
    if (reading.next !== null && (best === null || reading.source.newestMs < best.source.newestMs)) best = reading
  }
  if (best === null || best.isErrorsOnly || Number.isNaN(best.nextMs)) return best
  const { nextMs } = best
  return (
    readings.find(reading => reading.isErrorsOnly && reading.next !== null && reading.source.newestMs <= nextMs) ?? best
  )
}

/** Error lines print no zone; the access lines of the same controller do. */
function shareZone(readings: Reading[]): void {
  for (const { next } of readings) {
    const zone =
      next === null ? null : /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d ([+-])(\d\d)(\d\d)\]/.exec(head(next))
    if (!zone) continue
    const zoneMs = (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000
    for (const reading of readings) if (reading.source.clock.zoneMs === null) reading.source.clock.setZone(zoneMs)
    return
  }
}

function isErrorLog(chunk: Uint8Array): boolean {
  const text = head(chunk)
  return /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[/m.test(text) && !/"[A-Z]+ [^"]*" \d{3} \d+ "/.test(text)
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
