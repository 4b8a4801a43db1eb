/**
 * One engine for every command: bytes of one or more sources → counted requests, joined requests, failures.
 * Holds the readers, the clocks and one joiner per controller; decides nothing about presentation and does no I/O.
 */

import type { LogFormat } from '../parsers/logFormat.ts'
import { NameTable } from '../parsers/nameTable.ts'
import type { RecordLine } from '../parsers/reader.ts'
import type { ParseErrorCode, StreamAccessRecord } from '../parsers/record.ts'
import type { ReadPosition } from './checkpoint.ts'
import { BackendFacts } from './classify/backendFacts.ts'
import { classifyAlone, classifyRequest, isRefusal } from './classify/classify.ts'
import { EngineSource } from './engineSource.ts'
import { roleOf } from './join/errorRole.ts'
import { Joiner, type JoinOptions, type JoinResult } from './join/joiner.ts'
import { MinuteRequests } from './minuteRequests.ts'
import type { AccessEntry, ControllerEntry, ErrorEntry, Failure, JoinedRequest } from './model.ts'
import type { LogPlace } from './source/input.ts'
import type { StreamPartition } from './source/source.ts'
import { MinuteTotals, Totals } from './totals.ts'

export interface EngineOptions {
  join: JoinOptions
  /** Of error lines when nothing else tells. */
  timeZone: string
  /** null: detected. */
  logFormat: LogFormat | null
  /** Requests and lines outside are read, and not counted. Unix ms. */
  fromMs: number
  toMs: number
  /** Which upstream names count; null: all. */
  isWantedName: ((name: string) => boolean) | null
  /** Count per minute too; `lines` keeps beside the sums what was counted at which position. */
  withMinutes?: boolean | 'lines'
  /** Count only the requests of each minute and upstream name, for at most so many of these pairs. */
  requestCellsMax?: number
}

/** As JSON in the store. */
export interface EngineState extends Record<string, unknown> {
  backends: ReturnType<BackendFacts['toJSON']>
}

/** What tells a source from others. */
export interface SourceInfo {
  /** What documents call it. */
  name: string
  /** Of its file, Unix ms; null without one. */
  modifiedMs: number | null
  /** Sources with one `group` are one controller whose logs lie in several files; null: a controller by itself. */
  group?: string | null
  /** Unique where several have one name; else the name. */
  id?: string
  /** Where an earlier run got to. */
  resume?: ReadPosition | null
  /** It comes as messages. */
  partition?: StreamPartition | null
  /** Whose log it is, where that is known. */
  place?: LogPlace | undefined
}

/** What the engine tells; all by record time, each thing once. */
export interface EngineListener {
  failure(failure: Failure): void
  /** An error line that tells an end, found no request, and gets no document. */
  alone(error: ErrorEntry): void
  controller(entry: ControllerEntry): void
  stream(record: StreamAccessRecord, timeMs: number | null): void
  reject(code: ParseErrorCode, column: number, line: RecordLine, source: EngineSource): void
}

/** One controller: what can be joined with what. */
export interface Controller {
  joiner: Joiner
  lastMs: number
  /** Record time of the next look at the windows. */
  nextTickMs: number
  /** Time below this is another stream (pod after pod in one file). */
  resetBelowMs: number
  /** Time of a line that was far ahead of all others; NaN without one. A second one like it is believed. */
  aheadMs: number
}

/** More controller pods than any cluster has in the time of one log. */
const CONTROLLERS_MAX = 1_000
const MS_MAX = Number.POSITIVE_INFINITY

export class Engine {
  readonly totals: Totals
  readonly counts = {
    lines: 0,
    rejects: 0,
    continuations: 0,
    records: { access: 0, error: 0, controller: 0, streamAccess: 0, other: 0 },
    /** Lines of auth and mirror subrequests: no requests of a client. */
    subrequests: 0,
    /** 499, unless the application itself answered it. */
    clientClosed: 0,
    /** nginx's own 4xx that get a document. */
    refusedByNginx: 0,
    masked: 0,
    /** Documents of error lines that have no access line. */
    errorOnly: 0,
    /** Error lines that tell an end and found no request. */
    errorsAlone: 0,
    /** Times the clock of a source without pod names jumped back: another pod's log began. */
    streamRestarts: 0,
    /** Access lines outside of the window asked for. */
    outside: 0
  }
  readonly names = new NameTable()
  readonly backends = new BackendFacts()
  readonly pods = new Set<string>()
  readonly sources: EngineSource[] = []
  readonly minutes: MinuteTotals | null
  readonly minuteRequests: MinuteRequests | null
  fromMs = MS_MAX
  toMs = -MS_MAX
  readonly options: EngineOptions
  readonly listener: EngineListener
  readonly #controllers = new Map<string, Controller>()
  readonly #wantedIds: boolean[] = []

  constructor(options: EngineOptions, listener: EngineListener) {
    this.options = options
    this.listener = listener
    this.totals = new Totals(this.names)
    this.minutes = options.withMinutes ? new MinuteTotals(this.names, options.withMinutes === 'lines') : null
    this.minuteRequests = options.requestCellsMax === undefined ? null : new MinuteRequests(options.requestCellsMax)
  }

  /** Error lines given up because too many waited. */
  get overflow(): number {
    return [...this.#controllers.values()].reduce((sum, controller) => sum + controller.joiner.overflow, 0)
  }

  /**
   * A source to push chunks into. Of sources with a group the caller moves the windows (`advance`), because no file alone
   * tells how far time has come.
   */
  open(info: SourceInfo): EngineSource {
    const source = new EngineSource(this, info)
    this.sources.push(source)
    return source
  }

  /** Nothing more will come of a source; what waits of it goes on waiting. */
  close(source: EngineSource): void {
    source.end()
    const at = this.sources.indexOf(source)
    if (at >= 0) this.sources.splice(at, 1)
  }

  /**
   * Another process reads the source from now on: what waits of it is dropped. It may come back, from a place that was read
   * before: the clocks of its controllers go with it.
   */
  drop(source: EngineSource): void {
    const at = this.sources.indexOf(source)
    if (at >= 0) this.sources.splice(at, 1)
    for (const controller of this.#controllers.values()) controller.joiner.forget(source.id)
    this.#forgetControllers(source.controllers)
    this.minutes?.forget(source.id)
  }

  /** What a restart needs beside the lines that wait; null: nothing has changed since the last call. */
  takeState(): EngineState | null {
    return this.backends.takeChanges() ? { backends: this.backends.toJSON() } : null
  }

  /** Goes on from what an earlier run knew. */
  restore({ backends }: EngineState): void {
    this.backends.restore(backends)
  }

  /** Every entry that waits for a partner, of all sources. */
  *waiting(): Generator<AccessEntry | ErrorEntry> {
    for (const controller of this.#controllers.values()) yield* controller.joiner.waiting()
  }

  controller(name: string): Controller {
    if (!this.#controllers.has(name) && this.#controllers.size >= CONTROLLERS_MAX) this.#forgetControllers(null)
    // Bounded: what comes after the limit shares one joiner, whose lines still join by client, request and connection.
    const key = this.#controllers.has(name) || this.#controllers.size < CONTROLLERS_MAX ? name : 'others'
    let controller = this.#controllers.get(key)
    if (!controller) {
      controller = {
        joiner: new Joiner(this.options.join),
        lastMs: -MS_MAX,
        nextTickMs: -MS_MAX,
        resetBelowMs: -MS_MAX,
        aheadMs: Number.NaN
      }
      this.#controllers.set(key, controller)
    }
    return controller
  }

  /** Pods come and go for weeks: those whose logs are closed and whose lines are decided. null: of all. */
  #forgetControllers(among: ReadonlySet<Controller> | null): void {
    const used = new Set(this.sources.flatMap(source => [...source.controllers]))
    for (const [key, controller] of this.#controllers) {
      if (used.has(controller) || among?.has(controller) === false) continue
      if (controller.joiner.waiting().next().done) this.#controllers.delete(key)
    }
  }

  /** Closes windows of the controller whose logs lie in the files of `group` as of `nowMs`. */
  advance(group: string, nowMs: number): void {
    this.take(this.controller(`file ${group}`).joiner.advance(nowMs))
  }

  addPod(pod: string): Controller {
    if (this.pods.size < CONTROLLERS_MAX) this.pods.add(pod)
    return this.controller(`pod ${pod}`)
  }

  /** Wall time went by while every source was silent at its end: `idleMs` since the last line. */
  idle(idleMs: number): void {
    for (const controller of this.#controllers.values()) this.silence(controller, idleMs)
  }

  /** The same for one controller. */
  silence(controller: Controller, idleMs: number): void {
    if (controller.lastMs > -MS_MAX) this.take(controller.joiner.advance(controller.lastMs + idleMs))
  }

  /** All sources are at their end. */
  finish(): void {
    for (const controller of this.#controllers.values()) {
      this.take(controller.joiner.drain())
      this.toMs = Math.max(this.toMs, controller.lastMs)
    }
  }

  /** Counts a client's request, if its service is wanted; says whether. */
  count(status: number, nameId: number): boolean {
    if (this.options.isWantedName !== null && !this.isWantedId(nameId)) return false
    this.totals.count(status, nameId)
    return true
  }

  isWantedId(nameId: number): boolean {
    const { isWantedName } = this.options
    return isWantedName === null || (this.#wantedIds[nameId] ??= isWantedName(this.names.names[nameId]!))
  }

  isWanted(timeMs: number): boolean {
    return Number.isNaN(timeMs) || (timeMs >= this.options.fromMs && timeMs < this.options.toMs)
  }

  take(result: JoinResult): void {
    for (const request of result.requests) this.decide(request)
    for (const error of result.alone) {
      const failure = classifyAlone(error)
      const role = roleOf(error.record)
      if (!this.isWanted(error.timeMs) || this.options.isWantedName !== null) continue
      if (role === 'ends' || role === 'cuts') {
        this.counts.errorsAlone++
        if (failure === null) this.listener.alone(error)
      }
      if (failure === null) continue
      this.counts.errorOnly++
      this.listener.failure(failure)
    }
  }

  decide(request: JoinedRequest): void {
    const { failure } = classifyRequest(request, this.backends)
    if (failure === null || this.options.isWantedName?.(failure.upstreamName ?? '') === false) return
    if (failure.masked) this.counts.masked++
    const status = request.access.record.status!
    if (status === 499) this.counts.clientClosed++
    else if (isRefusal(status)) this.counts.refusedByNginx++
    this.listener.failure(failure)
  }
}
