/** One file or stdin on its way through the engine: counts what is a success, joins what is not. */

import { takePath } from '../parsers/envelope.ts'
import { Line } from '../parsers/line.ts'
import { type LineVisitor, LogReader, type RecordLine } from '../parsers/reader.ts'
import type { AccessRecord, ErrorRecord, ParsedRecord, ParseErrorCode } from '../parsers/record.ts'
import { scannedRecord } from '../parsers/recordParser.ts'
import type { AccessView } from '../parsers/scanner.ts'
import { serviceIdentity } from './classify/classify.ts'
import type { Controller, Engine } from './engine.ts'
import { canCut } from './join/errorRole.ts'
import type { AccessEntry, ErrorEntry } from './model.ts'
import { RecordClock } from './recordTime.ts'

const TICK_MS = 1_000
/** How far an access line can be ahead of its error line: 34 ms were seen. */
const TWO_PIPES_MS = 100
/** One line so far ahead of the others is more likely wrong than right. */
const FORWARD_JUMP_MS = 3_600_000
/** Error lines without a request that are handed on before the next tick: record time may stand still. */
const ALONE_MAX = 1_000
const JOINED_MAX = 1_000

export class EngineSource implements LineVisitor {
  readonly name: string
  readonly reader: LogReader
  readonly clock: RecordClock
  /** Record time of this source's newest line, to the second; -Infinity before the first. */
  newestMs = Number.NEGATIVE_INFINITY
  /** Lines that became a record. */
  recognised = 0
  readonly #engine: Engine
  readonly #isGrouped: boolean
  readonly #own: Controller
  #pod: string | null = null
  #podController: Controller | null = null
  /** Line numbers of the last successes that have an error line. */
  readonly #joinedSuccesses = new Set<number>()

  constructor(engine: Engine, name: string, modifiedMs: number | null, group: string | null) {
    this.#engine = engine
    this.name = name
    this.#isGrouped = group !== null
    this.reader = new LogReader(this, engine.names, engine.options.logFormat)
    // kubelet's file names tell the pod.
    const place = new Line()
    takePath(place, name)
    this.reader.place = place
    this.#own = place.pod === null ? engine.controller(`file ${group ?? name}`) : engine.addPod(place.pod)
    this.clock = new RecordClock(engine.options.timeZone, modifiedMs)
  }

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
    if (timeMs < engine.options.fromMs || timeMs >= engine.options.toMs) {
      engine.counts.outside++
      return
    }
    const controller = this.#controllerOf(line.pod)
    if (timeMs >= controller.nextTickMs || timeMs < controller.resetBelowMs)
      this.#timeMoves(controller, timeMs, line.pod)
    else if (timeMs > controller.lastMs) controller.lastMs = timeMs
    if (timeMs < engine.fromMs) engine.fromMs = timeMs
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
    const engine = this.#engine
    const { records } = engine.counts
    if (record.kind !== 'other') this.recognised++
    if (record.kind === 'stream_access') records.streamAccess++
    else records[record.kind]++
    const timeMs = this.clock.of(record, line)
    if (timeMs !== null && !this.#isOfInterest(record, timeMs)) {
      if (record.kind === 'access') engine.counts.outside++
      return
    }
    const controller = this.#controllerOf(line.pod)
    const moves = timeMs !== null && (timeMs >= controller.nextTickMs || timeMs < controller.resetBelowMs)
    if (moves) this.#timeMoves(controller, timeMs, line.pod)
    switch (record.kind) {
      case 'access': {
        const nameId = engine.names.of(serviceIdentity(record) ?? '')
        return this.#access(record, line, timeMs ?? Number.NaN, controller, true, nameId)
      }
      case 'error':
        return this.#error(record, line, timeMs, controller)
      case 'controller':
        if (record.messageCause === 'no_endpoints' && record.service !== null && timeMs !== null) {
          const position = { file: this.name, line: line.number }
          engine.backends.addNoEndpoints(record.service, { timeMs, position, text: record.message })
        }
        if (timeMs === null || engine.isWanted(timeMs)) engine.listener.controller(record, timeMs)
        return
      case 'stream_access':
        return engine.listener.stream(record, timeMs)
    }
  }

  continuation(): void {
    this.#engine.counts.continuations++
  }

  reject(code: ParseErrorCode, column: number, line: RecordLine): void {
    this.#engine.counts.rejects++
    this.#engine.listener.reject(code, column, line, this.name)
  }

  /** Error and controller lines explain requests that end after them: those of a window's first requests lie before it. */
  #isOfInterest(record: ParsedRecord, timeMs: number): boolean {
    const { fromMs, toMs, join } = this.#engine.options
    if (record.kind !== 'error' && record.kind !== 'controller') return this.#engine.isWanted(timeMs)
    return timeMs >= fromMs - join.errorWaitMs && timeMs < toMs + join.accessWaitMs
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
    if (record.requestLength === 0 && (record.attempts?.length ?? 0) > 0) {
      engine.counts.subrequests++
      return
    }
    engine.count(record.status, nameId)
    const position = { file: this.name, line: line.number }
    const entry = { record, line, position, timeMs: Number.isNaN(timeMs) ? 0 : timeMs, isPrecise: line.timeMs !== null }
    const request = controller.joiner.addAccess(entry, waits)
    if (request) engine.decide(request)
    else if (!waits) this.#claimed(line.number)
  }

  /** A success has got its error line: a second one must not find it as if it were free. */
  #claimed(lineNumber: number): void {
    this.#joinedSuccesses.add(lineNumber)
    if (this.#joinedSuccesses.size > JOINED_MAX)
      this.#joinedSuccesses.delete(this.#joinedSuccesses.values().next().value!)
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
    if (controller.joiner.aloneCount > ALONE_MAX) this.#engine.take(controller.joiner.takeAlone())
  }

  /**
   * stdout and stderr are two pipes: the line that says an answer was cut can come just behind the access line, which was
   * a success then and is not held.
   */
  #findSuccess({ record, timeMs }: ErrorEntry, controller: Controller): void {
    if (record.request === null || record.client === null) return
    const found = this.reader.lookBack(record.client, record.request, timeMs - TWO_PIPES_MS)
    if (found === null || this.#joinedSuccesses.has(found.line.number)) return
    this.#claimed(found.line.number)
    const entry: AccessEntry = {
      record: found.record,
      line: found.line,
      position: { file: this.name, line: found.line.number },
      timeMs: found.line.timeMs ?? timeMs,
      isPrecise: true
    }
    const request = controller.joiner.addAccess(entry, false)
    if (request) this.#engine.decide(request)
  }

  /** Once a second of record time, and when it jumps. */
  #timeMoves(controller: Controller, timeMs: number, pod: string | null): void {
    const engine = this.#engine
    const { scanner } = this.reader.parser
    if (scanner) this.clock.setZone(scanner.zoneMs)
    const aheadMs = timeMs - controller.lastMs
    if (
      aheadMs > FORWARD_JUMP_MS &&
      Number.isFinite(aheadMs) &&
      !(Math.abs(timeMs - controller.aheadMs) < FORWARD_JUMP_MS)
    ) {
      controller.aheadMs = timeMs
      return
    }
    this.clock.saw(timeMs)
    // A pod's own clock is one stream, whatever order its lines come in; files of one group move together.
    const isOneStream = pod !== null || this.#isGrouped || this.reader.place.pod !== null
    if (timeMs < controller.resetBelowMs && !isOneStream) {
      engine.counts.streamRestarts++
      engine.take(controller.joiner.drain())
      engine.toMs = Math.max(engine.toMs, controller.lastMs)
      controller.lastMs = timeMs
    }
    if (timeMs > controller.lastMs) controller.lastMs = timeMs
    if (timeMs > this.newestMs) this.newestMs = timeMs
    if (timeMs < engine.fromMs && engine.isWanted(timeMs)) engine.fromMs = timeMs
    controller.nextTickMs = (Math.floor(controller.lastMs / TICK_MS) + 1) * TICK_MS
    controller.resetBelowMs = isOneStream
      ? Number.NEGATIVE_INFINITY
      : controller.lastMs - engine.options.join.errorWaitMs
    const isMovedByCaller = this.#isGrouped && controller === this.#own
    if (!isMovedByCaller) engine.take(controller.joiner.advance(controller.lastMs))
  }

  #controllerOf(pod: string | null): Controller {
    if (pod === null) return this.#own
    if (pod !== this.#pod) {
      this.#pod = pod
      this.#podController = this.#engine.addPod(pod)
    }
    return this.#podController!
  }
}
