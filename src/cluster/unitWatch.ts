/**
 * The watch of one unit: list, then follow from the list's version, again and again. What it sees goes to `WatchListener`;
 * when it sees nothing, that is told too, and how it goes on:
 *
 *   the server ends the stream (every 5-10 min)   again from the last version: nothing is missed, nothing is told
 *   cut, refused, silent                          the same, but lost if it takes longer than a second; waits between tries
 *   410, or an ERROR event with that code         lost, listed again
 *   a line that is no event                       lost, listed again
 *   403, 404                                      unreadable; asked again every few minutes
 */
import type { IncomingMessage } from 'node:http'
import { Why5xxError } from '../errors.ts'
import { ApiError, type Connection, get } from './apiRequest.ts'
import { type Keep, listUnit, selectorOf } from './list.ts'
import type { KubeObject } from './objects.ts'
import { PresentObjects } from './presentObjects.ts'
import { pathOf } from './resources.ts'
import { type Unit, unreadableBecause } from './units.ts'
import { type WatchLine, watchLines } from './watchLines.ts'

export interface WatchTiming {
  /** Wall time, Unix ms. */
  now: () => number
  /** In [0, 1). */
  random: () => number
  /** Resolves after `ms`, or at once when `signal` is aborted. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface WatchLimits {
  /** A stream that has brought bookmarks, which come about once a minute, is dead when it brings nothing for so long. */
  silentMs: number
  /** Streams that end are lost when they are not open again by then. */
  reopenMs: number
  /** A stream that was lost is believed when it has been open for so long without an error in it. */
  believedMs: number
  /** First and longest wait between tries; in between it doubles, and a random part of it is waited. */
  retryMs: number
  retryMsMax: number
  /** What may not be read is asked for again. */
  recheckMs: number
  /** What cannot be watched is listed again: metrics, Secrets. */
  pollMs: number
}

/** Resolved when what was told is on its way: the stream is not read further before. Never rejects. */
export interface WatchListener {
  listed(unit: Unit, objects: PresentObjects): Promise<void>
  changed(unit: Unit, changes: { isDeleted: boolean; object: KubeObject }[]): Promise<void>
  /** Everything up to now is seen. */
  opened(unit: Unit): Promise<void>
  /** The stream has ended; the next one is being opened. */
  ended(unit: Unit): void
  /** Nothing is seen, perhaps `sinceMs` already. */
  lost(unit: Unit, because: string, sinceMs: number | null): Promise<void>
  unreadable(unit: Unit, because: string): Promise<void>
}

export interface UnitWatchParts {
  connection: Connection
  keep: Keep
  listener: WatchListener
  timing: WatchTiming
  limits: WatchLimits
}

/** Neither has a watch, or a role for it. */
export const POLLED: ReadonlySet<string> = new Set(['PodMetrics', 'Secret'])
/** For how long the server is asked to keep a stream open, s: at least, and a random part of as much again. */
const OPEN_S = 300
const OPENING_MS = 30_000
/** What the kernel needs to find out that nobody is there any more: see KEEP_ALIVE_MS in apiRequest.ts. */
const DEAD_MS = 25_000

/** A stream that lived for so long was none that fails at once, ms. */
const HEALTHY_MS = 10_000

/** Ends a stream that may be dead. */
class Renewal extends Error {
  readonly sinceMs: number

  constructor(sinceMs: number) {
    super('the server did not answer')
    this.sinceMs = sinceMs
  }
}

export class UnitWatch {
  readonly #unit: Unit
  readonly #parts: UnitWatchParts
  #version: string | null = null
  #isLost = false
  #isOpen = false
  /** Tries in a row that brought nothing. */
  #failures = 0
  #stream = new AbortController()

  constructor(unit: Unit, parts: UnitWatchParts) {
    this.#unit = unit
    this.#parts = parts
  }

  /** Until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#stream = new AbortController()
      const either = AbortSignal.any([signal, this.#stream.signal])
      try {
        if (this.#version === null || POLLED.has(this.#unit.kind)) await this.#list(either)
        if (POLLED.has(this.#unit.kind)) await this.#parts.timing.wait(this.#parts.limits.pollMs, either)
        else await this.#follow(this.#version ?? '', either)
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error, signal)
      }
    }
  }

  /** The stream that is open now may be dead since `sinceMs`: it is lost, and opened again from the last version. */
  renew(sinceMs: number): void {
    this.#stream.abort(new Renewal(sinceMs))
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { connection, keep, listener } = this.#parts
    const objects = new PresentObjects()
    const version = await listUnit({ connection, unit: this.#unit, keep, into: objects, signal })
    await listener.listed(this.#unit, objects)
    this.#version = version
    this.#isLost = false
    if (POLLED.has(this.#unit.kind)) {
      this.#failures = 0
      await this.#believe()
    }
  }

  async #follow(version: string, signal: AbortSignal): Promise<void> {
    const { connection, limits, timing } = this.#parts
    const timeoutSeconds = Math.round(OPEN_S * (1 + timing.random()))
    const parameters = {
      ...selectorOf(this.#unit),
      watch: 1,
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds
    }
    const late = setTimeout(() => void this.#lose('the stream cannot be opened again', null), limits.reopenMs)
    let response: IncomingMessage
    try {
      response = await get(connection, pathOf(this.#unit.kind, this.#unit.namespace), parameters, {
        silentMs: OPENING_MS,
        signal
      })
    } finally {
      clearTimeout(late)
    }
    response.setTimeout(timeoutSeconds * 1000 + OPENING_MS)
    const openedMs = timing.now()
    // A server that has forgotten our version says so in the stream, at once.
    const believing = this.#isLost ? setTimeout(() => void this.#believe(), limits.believedMs) : undefined
    if (believing === undefined) await this.#believe()
    try {
      for await (const lines of watchLines(response, connection, signal)) await this.#take(lines, response)
    } finally {
      clearTimeout(believing)
      response.destroy()
      if (timing.now() - openedMs >= HEALTHY_MS) this.#failures = 0
    }
    this.#end()
    // Somebody between us and the server who ends every stream at once must not be asked without a pause.
    if (this.#failures++ > 0) await timing.wait(this.#backoffMs(), signal)
  }

  async #take(lines: WatchLine[], response: IncomingMessage): Promise<void> {
    const changes: { isDeleted: boolean; object: KubeObject }[] = []
    let error: ApiError | null = null
    for (const { type, object } of lines) {
      if (type === 'ERROR') {
        error = this.#errorOf(object)
        break
      }
      if (type === 'BOOKMARK') response.setTimeout(this.#parts.limits.silentMs)
      else {
        const kept = this.#parts.keep({ kind: this.#unit.kind, ...object })
        if (kept?.kind === this.#unit.kind) changes.push({ isDeleted: type === 'DELETED', object: kept })
      }
      this.#version = versionOf(object) ?? this.#version
      this.#failures = 0
    }
    if (error === null || changes.length > 0) await this.#believe()
    if (changes.length > 0) await this.#parts.listener.changed(this.#unit, changes)
    if (error !== null) throw error
  }

  /** Code 410, or what else the server says in a stream that it has opened. */
  #errorOf(status: Record<string, unknown>): ApiError {
    const code = typeof status.code === 'number' ? status.code : 500
    const message = typeof status.message === 'string' ? status.message.slice(0, 300) : 'the watch failed'
    return new ApiError(this.#parts.connection, `${code} ${message}`, code)
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { listener, limits, timing } = this.#parts
    if (error instanceof Renewal) return this.#lose(error.message, error.sinceMs)
    const failure = asFailure(error, this.#parts.connection)
    this.#failures++
    const unreadable = unreadableBecause(this.#unit, failure)
    if (unreadable !== null) {
      this.#version = null
      this.#isOpen = false
      await listener.unreadable(this.#unit, unreadable)
      // A server that has just started knows neither its roles nor its APIs for a moment.
      return timing.wait(Math.min(limits.recheckMs, limits.retryMs * 8 ** this.#failures), signal)
    }
    if (failure.status === 410 || failure.status === 200) {
      this.#version = null
      await this.#lose(failure.said, null)
      return this.#failures > 1 ? timing.wait(this.#backoffMs(), signal) : undefined
    }
    this.#end()
    const isDead = (failure.cause as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT'
    if (isDead) await this.#lose(failure.said, timing.now() - DEAD_MS)
    if (this.#failures === 1) return
    await this.#lose(failure.said, null)
    await timing.wait(failure.retryAfterMs ?? this.#backoffMs(), signal)
  }

  async #lose(because: string, sinceMs: number | null): Promise<void> {
    this.#isLost = true
    this.#isOpen = false
    await this.#parts.listener.lost(this.#unit, because, sinceMs)
  }

  async #believe(): Promise<void> {
    this.#isLost = false
    if (this.#isOpen) return
    this.#isOpen = true
    await this.#parts.listener.opened(this.#unit)
  }

  #end(): void {
    this.#isOpen = false
    this.#parts.listener.ended(this.#unit)
  }

  #backoffMs(): number {
    const { limits, timing } = this.#parts
    return timing.random() * Math.min(limits.retryMsMax, limits.retryMs * 2 ** Math.min(this.#failures, 20))
  }
}

/** Credentials that cannot be had fail like a server that cannot be reached: both may pass. Anything else is ours. */
function asFailure(error: unknown, connection: Connection): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof Why5xxError) return new ApiError(connection, error.message, null, { cause: error })
  throw error
}

function versionOf(object: Record<string, unknown>): string | null {
  const version = (object.metadata as { resourceVersion?: unknown } | null | undefined)?.resourceVersion
  return typeof version === 'string' && version !== '' ? version : null
}
