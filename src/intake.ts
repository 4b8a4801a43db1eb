/** The way in: every stream of the source on its way through the engine, and where each of them is. */

import type { MessageBatch } from '../parsers/messageBatch.ts'
import type { WaitingLine } from './checkpoint.ts'
import type { Controller, Engine } from './engine.ts'
import type { EngineSource } from './engineSource.ts'
import { ReadTime } from './readTime.ts'
import { groupTimeMs, zoneMsOf } from './source/mergeOrder.ts'
import type { SourceStream, StreamState } from './source/source.ts'
import { Fingerprints, HEAD_BYTES } from './store/identity.ts'

export const TICK_MS = 1_000
/** Longer than a stream waits for its turn while others catch up. */
const SILENT_MS = 60_000
/** A partition's end is exact: nothing has come while the broker was asked. */
const PARTITION_SILENT_MS = 2 * TICK_MS
/** Pieces of one line come in one chunk of a shipper, or in the next. */
const PIECE_TICKS = 60

interface OpenStream {
  stream: SourceStream
  source: EngineSource
  /** Bytes of its head that are known. */
  headBytes: number
  isEnded: boolean
  /** Ticks since a chunk of it came, while it stood at its end. */
  silentTicks: number
  /** Something has come since the last tick. */
  hasCome: boolean
  /** How far record time has come in it. */
  time: ReadTime
  /** Of the pods of a partition: record time of the last line, and ticks in which only others came. */
  pods: Map<Controller, { lastMs: number; ticks: number }>
  /** Its state as it was told last. */
  told: string
}

export class Intake {
  /** Record time of the newest line of all, Unix ms; -Infinity before the first. */
  newestMs = Number.NEGATIVE_INFINITY
  readonly #fingerprints = new Fingerprints()
  readonly #engine: Engine
  readonly #open = new Map<string, OpenStream>()
  /** Streams that are done. */
  readonly #gone: string[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Streams that are read. */
  get streams(): number {
    return this.#engine.sources.length
  }

  /** What tells lines without an envelope from those of other files: by id of the stream and offset of the line. */
  sourceOf(stream: string, byteOffset: number): string {
    const open = this.#open.get(stream)
    // A pipe and a partition have no head: what lies in them goes by their names.
    const hasName = open !== undefined && (open.stream.name === 'stdin' || open.stream.partition !== undefined)
    return hasName ? open.stream.name : this.#fingerprints.of(stream, byteOffset)
  }

  push(stream: SourceStream, bytes: Uint8Array): void {
    const open = this.#openStream(stream)
    if (open.headBytes === 0) this.#setZone(open.source, stream.group, bytes)
    if (open.headBytes < HEAD_BYTES) {
      open.headBytes = stream.head.length
      this.#fingerprints.add(stream.id, stream.head)
    }
    open.source.push(bytes)
    open.time.read(open.source.lineMs)
    open.silentTicks = 0
    stream.newestMs = open.source.newestMs
    if (stream.newestMs > this.newestMs) this.newestMs = stream.newestMs
    this.#moveWindows(stream.group)
  }

  /** As `push`, of a partition. */
  pushMessages(stream: SourceStream, batch: MessageBatch): void {
    const open = this.#openStream(stream)
    open.source.pushMessages(batch)
    if (batch.count > 0) open.time.read(open.source.lineMs)
    open.silentTicks = 0
    open.hasCome = true
    stream.newestMs = open.source.newestMs
    if (stream.newestMs > this.newestMs) this.newestMs = stream.newestMs
  }

  /** Another process reads the stream. */
  drop(stream: SourceStream): void {
    const open = this.#open.get(stream.id)
    if (open === undefined) return
    this.#engine.drop(open.source)
    this.#open.delete(stream.id)
  }

  end(stream: SourceStream): void {
    const open = this.#openStream(stream)
    this.#engine.close(open.source)
    open.isEnded = true
    this.#moveWindows(stream.group)
  }

  /** Nothing has come for `idleMs`: records that may go on are told, windows close by wall time. */
  idle(idleMs: number): void {
    // Partitions have ticks of their own: what they flush, they forget.
    for (const source of this.#engine.sources) if (!source.isPartition) source.reader.flush()
    this.#engine.idle(idleMs)
  }

  /**
   * To be called about once a second: windows of a controller that has fallen silent while others go on (its pod is gone)
   * close by wall time. Own ticks are counted, so a process that was stopped hears no silence.
   */
  tick(): void {
    const silentMs = new Map<Controller, number>()
    const saw = (controller: Controller, ms: number): void => {
      silentMs.set(controller, Math.min(silentMs.get(controller) ?? Number.POSITIVE_INFINITY, ms))
    }
    for (const open of this.#open.values()) {
      const { source, stream } = open
      open.silentTicks = open.isEnded || stream.isAtEnd ? open.silentTicks + 1 : 0
      const ms = open.silentTicks * TICK_MS
      const isSilent = ms >= (source.isPartition ? PARTITION_SILENT_MS : SILENT_MS)
      if (isSilent && source.isPartition) source.reader.flush()
      // A piece whose container died would hold the offset for ever.
      if (source.isPartition) source.reader.age(PIECE_TICKS)
      for (const controller of source.controllers) {
        const pod = isSilent || !source.isPartition ? 0 : this.#silentPodMs(open, controller)
        saw(controller, isSilent ? ms : pod)
      }
      open.hasCome = false
    }
    for (const [controller, ms] of silentMs) if (ms > 0) this.#engine.silence(controller, ms)
  }

  /** How long other pods have come in this partition without this one, when that is long enough; else 0. */
  #silentPodMs({ pods, hasCome }: OpenStream, controller: Controller): number {
    const { lastMs } = controller
    const known = pods.get(controller)
    if (known === undefined || known.lastMs !== lastMs) {
      pods.set(controller, { lastMs, ticks: 0 })
      return 0
    }
    if (hasCome) known.ticks++
    return known.ticks * TICK_MS >= SILENT_MS ? known.ticks * TICK_MS : 0
  }

  /**
   * Record time up to which everything was read that is there, Unix ms: how far the stream has come that is furthest behind.
   * Infinity: all stand at their end. -Infinity: of one nothing was read yet. `nowMs`: wall time.
   */
  readToMs(nowMs: number): number {
    let readToMs = Number.POSITIVE_INFINITY
    for (const { stream, isEnded, time } of this.#open.values()) {
      const ms = time.atMs(nowMs)
      if (!isEnded && !stream.isAtEnd && ms < readToMs) readToMs = ms
    }
    return readToMs
  }

  /** States that have changed since the last call, as of now, and how many lines wait in all streams. */
  takeStates(): { states: StreamState[]; linesHeld: number } {
    // Their totals went with the batch of the call before.
    for (const id of this.#gone.splice(0)) this.#engine.minutes?.forget(id)
    const waiting = new Map<string, WaitingLine[]>()
    let linesHeld = 0
    for (const entry of this.#engine.waiting()) {
      linesHeld++
      const { byteOffset, number } = entry.line
      const line = { byteOffset, number, isDoubtful: 'isDoubtful' in entry && entry.isDoubtful }
      const lines = waiting.get(entry.stream)
      if (lines) lines.push(line)
      else waiting.set(entry.stream, [line])
    }
    const states: StreamState[] = []
    for (const [id, open] of this.#open) {
      const held = waiting.get(id) ?? []
      const read = open.source.position(held)
      const isDone = open.isEnded && held.length === 0
      const told = JSON.stringify([read, isDone])
      if (told !== open.told) {
        const place = open.stream.place(read.readTo)
        if (place !== null) states.push({ stream: id, place, read, isDone })
      }
      open.told = told
      if (!isDone) continue
      this.#open.delete(id)
      this.#fingerprints.remove(id)
      this.#gone.push(id)
    }
    return { states, linesHeld }
  }

  #openStream(stream: SourceStream): OpenStream {
    let open = this.#open.get(stream.id)
    if (open === undefined) {
      const { id, name, group, modifiedMs, resume, partition = null } = stream
      const source = this.#engine.open({ id, name, group, modifiedMs, resume, partition })
      stream.newestMs = source.newestMs
      open = {
        stream,
        source,
        headBytes: 0,
        isEnded: false,
        silentTicks: 0,
        hasCome: false,
        time: new ReadTime(),
        pods: new Map(),
        told: ''
      }
      this.#open.set(id, open)
    }
    return open
  }

  /** Error lines print no zone; the access lines of the same controller do. */
  #setZone(source: EngineSource, group: string | null, bytes: Uint8Array): void {
    const zoneMs = zoneMsOf(bytes)
    if (zoneMs === null) return
    const own = [...this.#open.values()].filter(open => group !== null && open.stream.group === group)
    for (const { clock } of [source, ...own.map(open => open.source)]) if (clock.zoneMs === null) clock.setZone(zoneMs)
  }

  #moveWindows(group: string | null): void {
    if (group === null) return
    const streams = [...this.#open.values()].filter(open => open.stream.group === group && !open.isEnded)
    const nowMs = groupTimeMs(streams.map(open => open.stream))
    if (Number.isFinite(nowMs)) this.#engine.advance(group, nowMs)
  }
}
