/**
 * One engine for every command: bytes of one or more sources → counted requests, joined requests, failures.
 * Holds the readers, the clocks and one joiner per controller; decides nothing about presentation and does no I/O.
 */

import type { Line } from '../parsers/line.ts'
import type { LogFormat } from '../parsers/logFormat.ts'
import { NameTable } from '../parsers/nameTable.ts'
import { type LineVisitor, LogReader, type RecordLine } from '../parsers/reader.ts'
import type {
  AccessRecord,
  ControllerRecord,
  ErrorRecord,
  ParsedRecord,
  ParseErrorCode,
  StreamAccessRecord
} from '../parsers/record.ts'
import { scannedRecord } from '../parsers/recordParser.ts'
import type { AccessView } from '../parsers/scanner.ts'
import { BackendFacts } from './classify/backendFacts.ts'
import { classifyAlone, classifyRequest, serviceIdentity } from './classify/classify.ts'
import { canCut, roleOf } from './join/errorRole.ts'
import { Joiner, type JoinOptions, type JoinResult } from './join/joiner.ts'
import type { AccessEntry, ErrorEntry, Failure, JoinedRequest } from './model.ts'
import { RecordClock } from './recordTime.ts'
import { Totals } from './totals.ts'

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
}

/** What the engine tells; all by record time, each thing once. */
export interface EngineListener {
  failure(failure: Failure): void
  controller(record: ControllerRecord, timeMs: number | null): void
  stream(record: StreamAccessRecord, timeMs: number | null): void
  reject(code: ParseErrorCode, column: number, line: RecordLine, source: string): void
}

/** One controller: what can be joined with what. */
interface Controller {
  joiner: Joiner
  lastMs: number
  /** Record time of the next look at the windows. */
  nextTickMs: number
  /** Time below this is another stream (pod after pod in one file). */
  resetBelowMs: number
}

const TICK_MS = 1_000
/** More controller pods than any cluster has in the time of one log. */
const CONTROLLERS_MAX = 1_000
/** How far an access line can be ahead of its error line: 34 ms were seen. */
const TWO_PIPES_MS = 100
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
    streamRestarts: 0
  }
  readonly names = new NameTable()
  readonly backends = new BackendFacts()
  readonly pods = new Set<string>()
  readonly sources: EngineSource[] = []
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
  }

  /** Error lines given up because too many waited. */
  get overflow(): number {
    return [...this.#controllers.values()].reduce((sum, controller) => sum + controller.joiner.overflow, 0)
  }

  /**
   * A source to push chunks into. Sources with one `group` are one controller whose logs lie in several files; then the
   * caller moves the windows (`advance`), because no file alone tells how far time has come.
   */
  open(name: string, modifiedMs: number | null, group: string | null = null): EngineSource {
    const source = new EngineSource(this, name, modifiedMs, group)
    this.sources.push(source)
    return source
  }

  controller(name: string): Controller {
    // Bounded: what comes after the limit shares one joiner, whose lines still join by client, request and connection.
    const key = this.#controllers.has(name) || this.#controllers.size < CONTROLLERS_MAX ? name : 'others'
    let controller = this.#controllers.get(key)
    if (!controller) {
      controller = {
        joiner: new Joiner(this.options.join),
        lastMs: -MS_MAX,
        nextTickMs: -MS_MAX,
        resetBelowMs: -MS_MAX
      }
      this.#controllers.set(key, controller)
    }
    return controller
  }

  /** Closes windows of one controller as of `nowMs`. */
  advance(key: string, nowMs: number): void {
    this.take(this.controller(key).joiner.advance(nowMs))
  }

  /** Wall time went by while a source was silent at its end: `idleMs` since its last line. */
  idle(idleMs: number): void {
    for (const controller of this.#controllers.values()) {
      if (controller.lastMs > -MS_MAX) this.take(controller.joiner.advance(controller.lastMs + idleMs))
    }
  }

  /** All sources are at their end. */
  finish(): void {
    for (const controller of this.#controllers.values()) {
      this.take(controller.joiner.drain())
      this.toMs = Math.max(this.toMs, controller.lastMs)
    }
  }

  /** Counts a client's request, if its service is wanted. */
  count(status: number, nameId: number): void {
    if (this.options.isWantedName === null || this.#isWantedId(nameId)) this.totals.count(status, nameId)
  }

  #isWantedId(nameId: number): boolean {
    return (this.#wantedIds[nameId] ??= this.options.isWantedName!(this.names.names[nameId]!))
  }

  isWanted(timeMs: number): boolean {
    return Number.isNaN(timeMs) || (timeMs >= this.options.fromMs && timeMs < this.options.toMs)
  }

  take(result: JoinResult): void {
    for (const request of result.requests) this.decide(request)
    for (const error of result.alone) {
      const failure = classifyAlone(error)
      const role = roleOf(error.record)
      if (role === 'ends' || role === 'cuts') this.counts.errorsAlone++
      if (failure === null || !this.isWanted(failure.timeMs) || this.options.isWantedName !== null) continue
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
    else if (status >= 400 && status < 500 && failure.cause !== 'no_route' && !failure.counted)
      this.counts.refusedByNginx++
    this.listener.failure(failure)
  }
}

/** One file or stdin on its way through the engine. */
export class EngineSource implements LineVisitor {
  readonly name: string
  readonly reader: LogReader
  readonly clock: RecordClock
  readonly #engine: Engine
  readonly #isGrouped: boolean
  readonly #own: Controller
  #pod: string | null = null
  #podController: Controller | null = null
  /** Numbers of successes that late error lines were joined to. */
  readonly #lookedBack = new Set<number>()

  constructor(engine: Engine, name: string, modifiedMs: number | null, group: string | null) {
    this.#engine = engine
    this.name = name
    this.#isGrouped = group !== null
    this.#own = engine.controller(`file ${group ?? name}`)
    this.reader = new LogReader(this, engine.names, engine.options.logFormat)
    this.clock = new RecordClock(engine.options.timeZone, modifiedMs)
  }

  /** Record time of this source's newest line, ms; -Infinity before the first. */
  newestMs = -MS_MAX
  /** Lines that became a record. */
  recognised = 0

  push(chunk: Uint8Array): void {
    const before = this.reader.lines
    this.reader.push(chunk)
    this.#engine.counts.lines += this.reader.lines - before
  }

  end(): void {
    const before = this.reader.lines
    this.reader.end()
    this.#engine.counts.lines += this.reader.lines - before
  }

  access(view: AccessView, line: Line): void {
    const engine = this.#engine
    engine.counts.records.access++
    this.recognised++
    const timeMs = Number.isNaN(line.timeMs) ? view.timeMs : line.timeMs
    if (timeMs < engine.options.fromMs || timeMs >= engine.options.toMs) return
    const controller = this.#controllerOf(line.pod)
    if (timeMs > controller.lastMs) controller.lastMs = timeMs
    if (timeMs > this.newestMs) this.newestMs = timeMs
    if (timeMs < engine.fromMs) engine.fromMs = timeMs
    if (timeMs >= controller.nextTickMs || timeMs < controller.resetBelowMs) this.#timeMoves(controller, timeMs)
    const { status, attempts } = view
    // Step one ends here for a success, and for what the application itself answered below 500.
    const isAnswered =
      attempts <= 1 && view.upstreamStatus < 500 && !view.isEmptyRequest && engine.names.isPlain[view.nameId]!
    const isPlain =
      isAnswered &&
      ((status >= 200 && status < 400) ||
        status === 101 ||
        (status >= 400 && status < 499 && view.upstreamStatus === status))
    if (
      isPlain &&
      !controller.joiner.mayTake(view.bytes, view.start, view.clientEnd, view.requestStart, view.requestEnd)
    ) {
      engine.count(status, view.nameId)
      return
    }
    const recordLine = this.reader.recordLine(line)
    const record = scannedRecord(view, this.reader.parser.scanner!, recordLine.raw)
    this.#access(record, recordLine, timeMs, controller, !isPlain, view.nameId)
  }

  record(record: ParsedRecord, line: RecordLine): void {
    const { records } = this.#engine.counts
    if (record.kind !== 'other') this.recognised++
    if (record.kind === 'stream_access') records.streamAccess++
    else records[record.kind]++
    const timeMs = this.clock.of(record, line)
    if (timeMs !== null && !this.#engine.isWanted(timeMs)) return
    const controller = this.#controllerOf(line.pod)
    if (timeMs !== null && timeMs > this.newestMs) this.newestMs = timeMs
    if (timeMs !== null && (timeMs >= controller.nextTickMs || timeMs < controller.resetBelowMs))
      this.#timeMoves(controller, timeMs)
    switch (record.kind) {
      case 'access':
        return this.#access(
          record,
          line,
          timeMs ?? NaN,
          controller,
          true,
          this.#engine.names.of(serviceIdentity(record) ?? '')
        )
      case 'error':
        return this.#error(record, line, timeMs, controller)
      case 'controller':
        if (record.messageCause === 'no_endpoints' && record.service !== null && timeMs !== null)
          this.#engine.backends.addNoEndpoints(record.service, {
            timeMs,
            position: { file: this.name, line: line.number },
            text: record.message
          })
        return this.#engine.listener.controller(record, timeMs)
      case 'stream_access':
        return this.#engine.listener.stream(record, timeMs)
    }
  }

  continuation(): void {
    this.#engine.counts.continuations++
  }

  reject(code: ParseErrorCode, column: number, line: RecordLine): void {
    this.#engine.counts.rejects++
    this.#engine.listener.reject(code, column, line, this.name)
  }

  #access(
    record: AccessRecord,
    line: RecordLine,
    timeMs: number,
    controller: Controller,
    waits: boolean,
    nameId: number
  ): void {
    const engine = this.#engine
    if (record.status === null) return
    const isPrecise = line.timeMs !== null
    const entry: AccessEntry = {
      record,
      line,
      position: { file: this.name, line: line.number },
      timeMs: Number.isNaN(timeMs) ? 0 : timeMs,
      isPrecise
    }
    const isSubrequest = record.requestLength === 0 && (record.attempts?.length ?? 0) > 0
    if (isSubrequest) engine.counts.subrequests++
    else engine.count(record.status, nameId)
    const request = controller.joiner.addAccess(entry, waits && !isSubrequest)
    if (!waits) engine.decide(request)
  }

  #error(record: ErrorRecord, line: RecordLine, timeMs: number | null, controller: Controller): void {
    const isPrecise = line.timeMs !== null
    const entry = {
      record,
      line,
      position: { file: this.name, line: line.number },
      timeMs: timeMs ?? (Number.isFinite(controller.lastMs) ? controller.lastMs : 0),
      isPrecise
    }
    const waits = controller.joiner.addError(entry)
    if (waits && isPrecise && canCut(record)) this.#findSuccess(entry, controller)
  }

  /**
   * stdout and stderr are two pipes: the line that says an answer was cut can come just behind the access line, which was
   * a success then and is not held.
   */
  #findSuccess({ record, timeMs }: ErrorEntry, controller: Controller): void {
    if (record.request === null || record.client === null) return
    const found = this.reader.lookBack(record.client, record.request, timeMs - TWO_PIPES_MS)
    if (found === null || this.#lookedBack.has(found.line.number)) return
    this.#lookedBack.add(found.line.number)
    if (this.#lookedBack.size > 1_000) this.#lookedBack.delete(this.#lookedBack.values().next().value!)
    const entry: AccessEntry = {
      record: found.record,
      line: found.line,
      position: { file: this.name, line: found.line.number },
      timeMs: found.line.timeMs ?? timeMs,
      isPrecise: true
    }
    this.#engine.decide(controller.joiner.addAccess(entry, false))
  }

  /** Once a second of record time, and when it jumps back. */
  #timeMoves(controller: Controller, timeMs: number): void {
    const engine = this.#engine
    const { scanner } = this.reader.parser
    if (scanner) this.clock.setZone(scanner.zoneMs)
    this.clock.saw(timeMs)
    if (timeMs < controller.resetBelowMs && !this.#isGrouped) {
      engine.counts.streamRestarts++
      engine.take(controller.joiner.drain())
      engine.toMs = Math.max(engine.toMs, controller.lastMs)
      controller.lastMs = timeMs
    }
    if (timeMs > controller.lastMs) controller.lastMs = timeMs
    if (timeMs < engine.fromMs) engine.fromMs = timeMs
    controller.nextTickMs = (Math.floor(controller.lastMs / TICK_MS) + 1) * TICK_MS
    controller.resetBelowMs = controller.lastMs - engine.options.join.errorWaitMs
    if (!this.#isGrouped) engine.take(controller.joiner.advance(controller.lastMs))
  }

  #controllerOf(pod: string | null): Controller {
    if (pod === null) return this.#own
    if (pod !== this.#pod) {
      this.#pod = pod
      if (this.#engine.pods.size < CONTROLLERS_MAX) this.#engine.pods.add(pod)
      this.#podController = this.#engine.controller(`pod ${pod}`)
    }
    return this.#podController!
  }
}
