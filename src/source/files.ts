/** Log files that are followed through rotation, or read to their end. */

import { setImmediate } from 'node:timers/promises'
import { systemErrorText } from '../errors.ts'
import { FileFinder } from './fileFinder.ts'
import type { FileStream } from './fileStream.ts'
import { findCopy } from './knownFiles.ts'
import { knownFile } from './place.ts'
import { Truncated } from './plainFile.ts'
import type { Source, SourceEvent, StreamState } from './source.ts'
import { systemTicker, type Ticker } from './ticker.ts'
import { Folders } from './track.ts'
import { Turns } from './turns.ts'

export interface FileSourceOptions {
  /** Paths or globs. */
  paths: string[]
  /** False: every file that matches is read to its end as of the start, then reading ends. */
  follow: boolean
  /** How often open files are asked whether they grew, ms. */
  pollMs?: number
  /** How often new files and rotations are looked for, ms. */
  scanMs?: number
  /** How long a file that was rotated away must stay still before it is ended, ms. */
  quietMs?: number
  /** Files that are open at once; those beyond wait until others end. */
  openMax?: number
}

const IDLE_EVERY_MS = 1_000
/** Chunks between two turns of the event loop, which signals need. */
const CHUNKS_PER_TURN = 16
const COPY_LOOKS = 3
/** Timers fire up to a millisecond early. */
const TIMER_MS = 1

export class FileSource implements Source {
  readonly isRepeatable = true
  readonly #options: Required<FileSourceOptions>
  readonly #known: readonly StreamState[]
  readonly #ticker: Ticker

  /** `known`: what the store remembers. Each `read` begins from there. */
  constructor(options: FileSourceOptions, known: readonly StreamState[], ticker: Ticker = systemTicker) {
    this.#options = { pollMs: 250, scanMs: 2_000, quietMs: 5_000, openMax: 1_024, ...options }
    this.#known = known
    this.#ticker = ticker
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const run = new Reading(this.#options, this.#known, this.#ticker)
    try {
      yield* run.events(signal)
    } finally {
      for (const stream of run.finder.streams) stream.close()
    }
  }
}

/** One call of `read`. */
class Reading {
  readonly finder: FileFinder
  readonly #options: Required<FileSourceOptions>
  readonly #ticker: Ticker
  readonly #events: SourceEvent[] = []
  readonly #turns = new Turns()
  #scannedMs = Number.NEGATIVE_INFINITY
  #polledMs = Number.NEGATIVE_INFINITY

  constructor(options: Required<FileSourceOptions>, known: readonly StreamState[], ticker: Ticker) {
    this.#options = options
    this.#ticker = ticker
    const files = known.flatMap(state => knownFile(state) ?? [])
    this.finder = new FileFinder(
      { patterns: options.paths, isOnce: !options.follow, openMax: options.openMax },
      files,
      () => ticker.wallMs(),
      event => this.#events.push(event)
    )
  }

  async *events(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const { follow, pollMs } = this.#options
    let idleMs = 0
    let saidMs = 0
    for (let chunks = 1; !signal.aborted; chunks++) {
      await this.#look()
      this.#endStreams()
      while (this.#events.length > 0 && !signal.aborted) yield this.#events.shift()!
      if (signal.aborted) return
      const stream = await this.#turns.next(this.finder.tracks, (failing, error) => this.#failed(failing, error))
      if (stream !== null) {
        const bytes = await this.#chunkOf(stream)
        if (chunks % CHUNKS_PER_TURN === 0) await setImmediate()
        if (bytes === null || signal.aborted) continue
        idleMs = 0
        saidMs = 0
        yield { kind: 'chunk', stream, bytes }
        continue
      }
      this.#endStreams()
      if (this.#events.length > 0) continue
      if (!follow && this.finder.streams.length === 0) {
        if (!this.finder.hasMore) return
        continue
      }
      await this.#ticker.sleep(pollMs, signal)
      // Ticks, not the clock: one that comes late, after a pause of the process, counts once.
      idleMs += pollMs
      if (idleMs - saidMs < IDLE_EVERY_MS || signal.aborted) continue
      // What came during the tick is no silence.
      await this.#look()
      if (this.finder.streams.some(other => other.hasUnread)) continue
      saidMs = idleMs
      yield { kind: 'idle', idleMs }
    }
  }

  /** Growth every `pollMs`, new files every `scanMs`; before it growth, because a truncated file must be known as such. */
  async #look(): Promise<void> {
    const { follow, pollMs, scanMs } = this.#options
    const nowMs = this.#ticker.steadyMs()
    const isFirst = this.#scannedMs === Number.NEGATIVE_INFINITY
    // Without following only what the looks before had no room for, when there is room.
    if (!isFirst && !follow && (!this.finder.hasMore || this.finder.streams.length > 0)) return
    if (nowMs - this.#polledMs >= pollMs - TIMER_MS) {
      const passedMs = Math.min(nowMs - this.#polledMs, 2 * pollMs)
      this.#polledMs = nowMs
      // Error logs last: a line that was written before the access line we have just seen is then seen, too.
      const streams = this.finder.streams
      for (const stream of streams) if (stream.content !== 'errors') await this.#poll(stream, passedMs)
      for (const stream of streams) if (stream.content === 'errors') await this.#poll(stream, passedMs)
    }
    if (follow && nowMs - this.#scannedMs < scanMs - TIMER_MS) return
    this.#scannedMs = nowMs
    await this.finder.scan(isFirst && !follow)
  }

  async #poll(stream: FileStream, passedMs: number): Promise<void> {
    if (stream.isClosed) return
    stream.stillMs += passedMs
    try {
      stream.poll()
    } catch (error) {
      await this.#failed(stream, error)
    }
  }

  async #chunkOf(stream: FileStream): Promise<Uint8Array | null> {
    try {
      return await stream.read()
    } catch (error) {
      await this.#failed(stream, error)
      return null
    }
  }

  async #failed(stream: FileStream, error: unknown): Promise<void> {
    if (error instanceof Truncated) return this.#truncated(stream)
    const { path } = stream.track
    this.finder.gap(
      path,
      'unreadable',
      null,
      `${stream.realPath} cannot be read on from byte ${stream.trace.at}: ${systemErrorText(error)}.`
    )
    stream.finish()
  }

  /** Reads the rest of what was truncated in its copy, if somebody made one, and the truncated file from its beginning. */
  async #truncated(stream: FileStream): Promise<void> {
    const { track, realPath } = stream
    let isFound = false
    // A copy may be renamed or compressed while we look for it.
    for (let look = 1; look <= COPY_LOOKS && !isFound; look++) {
      try {
        const copy = await findCopy(stream, track.members(new Folders()), this.finder.openFiles())
        if (copy?.hasMore) stream.switchTo(copy.file)
        isFound = copy !== null
      } catch (error) {
        if (look === COPY_LOOKS) this.finder.unreadable(realPath, systemErrorText(error))
      }
    }
    if (!stream.isComplete) stream.finish()
    this.#endStreams()
    // Also what was copied away after it, before we looked.
    track.last = { id: stream.id, mtimeMs: stream.mtimeMs }
    await this.finder.scanTrack(track)
  }

  #endStreams(): void {
    for (const track of this.finder.tracks) {
      for (const stream of track.streams.filter(open => this.#isOver(open))) {
        stream.close()
        track.streams.splice(track.streams.indexOf(stream), 1)
        if (track.last?.id === stream.id) track.last.mtimeMs = stream.mtimeMs
        const { lostBytes } = stream
        if (lostBytes > 0) {
          const text = `${track.path} was truncated before its last ${lostBytes} bytes were read, and no copy holds them.`
          this.finder.gap(track.path, 'truncated', lostBytes, text)
        }
        // Of an empty file nobody has heard.
        if (!stream.isAnnounced && stream.resume === null) continue
        this.finder.known.ended(stream)
        this.#events.push({ kind: 'end', stream })
      }
    }
  }

  #isOver(stream: FileStream): boolean {
    if (stream.hasUnread) return false
    if (stream.isComplete || !this.#options.follow) return true
    if (stream.stillMs < this.#options.quietMs) return false
    if (stream.isDeleted) return true
    // A writer that nobody has signalled goes on in the renamed file: as long as nothing comes in a newer one, it is waited for.
    const { streams, matched } = stream.track
    stream.isFollowed ||= streams.slice(streams.indexOf(stream) + 1).some(newer => newer.size > 0)
    return stream.isRotated && (stream.isFollowed || matched.size === 0)
  }
}
