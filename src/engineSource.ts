/** One file, stdin or Kafka partition on its way through the engine: counts what is a success, joins what is not. */

import { takePath } from '../parsers/jsonEnvelope.ts'
import { Line } from '../parsers/line.ts'
import type { MessageBatch } from '../parsers/messageBatch.ts'
import { MessageReader } from '../parsers/messageReader.ts'
import { type LineVisitor, LogReader, type RecordLine } from '../parsers/reader.ts'
import type { AccessRecord, ErrorRecord, ParsedRecord, ParseErrorCode } from '../parsers/record.ts'
import { scannedRecord } from '../parsers/recordParser.ts'
import type { AccessView } from '../parsers/scanner.ts'
import { positionOf, ReadFence, type ReadPosition, START, type WaitingLine } from './checkpoint.ts'
import { classifyAccess } from './classify/accessTable.ts'
import { serviceIdentity } from './classify/classify.ts'
import type { Controller, Engine, SourceInfo } from './engine.ts'
import { canCut } from './join/errorRole.ts'
import type { Entry, ErrorEntry, Position } from './model.ts'
import { RecordClock } from './recordTime.ts'
import type { StreamPartition } from './source/source.ts'
import { CLIENT_CLOSED, MASKED, type MinuteLedger } from './totals.ts'

const TICK_MS = 1_000
/** How far an access line can be ahead of its error line: 34 ms were seen. */
const TWO_PIPES_MS = 100
/** One line so far ahead of the others is more likely wrong than right. */
const FORWARD_JUMP_MS = 3_600_000
/** Error lines without a request that are handed on before the next tick: record time may stand still. */
const ALONE_MAX = 1_000
const JOINED_MAX = 1_000
const PODS_MAX = 1_000

export class EngineSource implements LineVisitor {
  readonly name: string
  readonly reader: LogReader | MessageReader
  readonly clock: RecordClock
  /** Record time of this source's newest line, to the second; -Infinity before the first. */
  newestMs = Number.NEGATIVE_INFINITY
  /** Record time of the line that was read last, whatever it is; -Infinity before the first. */
  lineMs = Number.NEGATIVE_INFINITY
  /** Lines that became a record. */
  recognised = 0
  readonly id: string
  readonly modifiedMs: number | null
  /** Those whose lines came through this source. */
  readonly controllers = new Set<Controller>()
  readonly #engine: Engine
  readonly #partition: StreamPartition | null
  readonly #isGrouped: boolean
  readonly #own: Controller
  readonly #fence: ReadFence
  #pod: string | null = null
  readonly #pods = new Map<string, { controller: Controller; ledger: MinuteLedger | null }>()
  #controller: Controller
  #ledger: MinuteLedger | null = null
  /** The last successes that have an error line. */
  readonly #joinedSuccesses = new Set<string>()

  constructor(
    engine: Engine,
    { name, modifiedMs, group = null, id = name, resume = null, partition = null, place: known }: SourceInfo
  ) {
    this.#engine = engine
    this.#partition = partition
    this.name = name
    this.id = id
    this.modifiedMs = modifiedMs
    this.#fence = new ReadFence(resume ?? START)
    this.reader = this.#openReader(resume ?? START)
    // kubelet's file names tell the pod.
    const place = Object.assign(new Line(), known)
    takePath(place, name)
    this.reader.place = place
    this.#isGrouped = group !== null && place.pod === null
    this.#own = place.pod === null ? engine.controller(`file ${group ?? name}`) : engine.addPod(place.pod)
    this.#controller = this.#own
    this.controllers.add(this.#own)
    this.#setLedger(place)
    this.clock = new RecordClock(engine.options.timeZone, modifiedMs)
    if (resume !== null) this.#resume(resume)
  }

  #openReader({ from, fromLine, readTo }: ReadPosition): LogReader | MessageReader {
    const { names, options } = this.#engine
    if (this.#partition === null)
      return new LogReader(this, names, options.logFormat, { byteOffset: from, lines: fromLine })
    const { shipper } = this.#partition
    return new MessageReader(this, names, options.logFormat, {
      from,
      readTo,
      resends: shipper,
      learnsShapes: true
    })
  }

  /** It comes as messages, whose end is exact. */
  get isPartition(): boolean {
    return this.#partition !== null
  }

  /** The Kafka message whose line is being told, Latin-1; null when it came as bytes. */
  get value(): string | null {
    return this.reader.value
  }

  /** Clocks go on where they stood: lines without a zone or a year, and windows, depend on what came before. */
  #resume({ zoneMs, newestMs }: ReadPosition): void {
    if (zoneMs !== null) this.clock.setZone(zoneMs)
    if (newestMs === null) return
    this.clock.saw(newestMs)
    this.newestMs = newestMs
    const own = this.#own
    if (newestMs <= own.lastMs) return
    own.lastMs = newestMs
    own.nextTickMs = nextTick(newestMs)
  }

  /** Where a restart goes on; `waiting` are the lines of this source that wait. */
  position(waiting: readonly WaitingLine[]): ReadPosition {
    const { reader } = this
    const { readTo, lines } = reader
    const open = reader.openLines()
    const context = reader.context(TWO_PIPES_MS)
    const { zoneMs } = this.clock
    return positionOf({ readTo, lines, zoneMs, newestMs: this.newestMs, open, context }, waiting, this.#fence)
  }

  push(chunk: Uint8Array): void {
    const { reader } = this
    if (!(reader instanceof LogReader)) throw new TypeError(`${this.name} comes as messages`)
    this.#countLines(() => reader.push(chunk))
  }

  /** As `push`, of a partition. */
  pushMessages(batch: MessageBatch): void {
    const { reader } = this
    if (!(reader instanceof MessageReader)) throw new TypeError(`${this.name} comes as bytes`)
    this.#countLines(() => reader.pushMessages(batch))
  }

  end(): void {
    this.#countLines(() => this.reader.end())
  }

  /** Counts the lines that `read` reads. */
  #countLines(read: () => void): void {
    const before = this.reader.linesRead
    read()
    this.#engine.counts.lines += this.reader.linesRead - before
  }

  access(view: AccessView, line: Line): void {
    const engine = this.#engine
    const isAgain = line.byteOffset < this.#fence.readTo && this.#fence.isCounted(line.byteOffset)
    if (isAgain) {
      if (this.#fence.isDone(line.byteOffset)) return
    } else engine.counts.records.access++
    this.recognised++
    const timeMs = Number.isNaN(line.timeMs) ? view.timeMs : line.timeMs
    if (!Number.isNaN(timeMs)) this.lineMs = timeMs
    if (timeMs < engine.options.fromMs || timeMs >= engine.options.toMs) {
      engine.counts.outside++
      return
    }
    const controller = this.#controllerOf(line)
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
      if (!isAgain) this.#count(status, view.nameId, timeMs, view.requestTimeMs)
      return
    }
    const recordLine = this.reader.recordLine(line)
    const record = scannedRecord(view, this.reader.parser.scanner!, recordLine.raw)
    this.#access(record, recordLine, timeMs, controller, !isPlain, view.nameId, isAgain)
  }

  record(record: ParsedRecord, line: RecordLine): void {
    const engine = this.#engine
    const { records } = engine.counts
    const isAgain = this.#fence.isCounted(line.byteOffset)
    if (isAgain && this.#fence.isDone(line.byteOffset)) return
    if (record.kind !== 'other') this.recognised++
    if (!isAgain) records[record.kind === 'stream_access' ? 'streamAccess' : record.kind]++
    const timeMs = this.clock.of(record, line)
    if (timeMs !== null) this.lineMs = timeMs
    if (timeMs !== null && !this.#isOfInterest(record, timeMs)) {
      if (record.kind === 'access') engine.counts.outside++
      return
    }
    const controller = this.#controllerOf(line)
    const moves = timeMs !== null && (timeMs >= controller.nextTickMs || timeMs < controller.resetBelowMs)
    if (moves) this.#timeMoves(controller, timeMs, line.pod)
    switch (record.kind) {
      case 'access': {
        const nameId = engine.names.of(serviceIdentity(record) ?? '')
        return this.#access(record, line, timeMs ?? Number.NaN, controller, true, nameId, isAgain)
      }
      case 'error':
        return this.#error(record, line, timeMs, controller)
      case 'controller':
        if (record.messageCause === 'no_endpoints' && record.service !== null && timeMs !== null) {
          const position = this.placeOf(line)
          engine.backends.addNoEndpoints(record.service, { timeMs, position, text: record.message })
        }
        if (timeMs !== null && !engine.isWanted(timeMs)) return
        return engine.listener.controller({ record, line, position: this.placeOf(line), stream: this.id, timeMs })
      case 'stream_access':
        return engine.listener.stream(record, timeMs)
    }
  }

  continuation(lineNumber: number): void {
    if (lineNumber > this.#fence.lines) this.#engine.counts.continuations++
  }

  reject(code: ParseErrorCode, column: number, line: RecordLine): void {
    if (this.#fence.isCounted(line.byteOffset)) return
    this.#engine.counts.rejects++
    this.#engine.listener.reject(code, column, line, this)
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
    nameId: number,
    isAgain: boolean
  ): void {
    const engine = this.#engine
    if (record.status === null) return
    if (record.requestLength === 0 && (record.attempts?.length ?? 0) > 0) {
      if (!isAgain) engine.counts.subrequests++
      return
    }
    if (!isAgain) this.#countRecord(record, nameId, timeMs)
    const entry = this.#entry(record, line, Number.isNaN(timeMs) ? 0 : timeMs)
    const request = controller.joiner.addAccess(entry, waits)
    if (request) engine.decide(request)
    else if (!waits) this.#claimed(line)
  }

  #count(status: number, nameId: number, timeMs: number, durationMs: number): void {
    const engine = this.#engine
    if (!engine.count(status, nameId)) return
    if (engine.minuteRequests !== null) engine.minuteRequests.count(this.#minuteTime(timeMs), nameId)
    if (this.#ledger !== null) this.#ledger.count(this.#minuteTime(timeMs), nameId, status, durationMs, this.reader.at)
  }

  #countRecord(record: AccessRecord, nameId: number, timeMs: number): void {
    const status = record.status!
    this.#count(status, nameId, timeMs, record.requestTimeMs ?? 0)
    if (this.#ledger === null || !this.#engine.isWantedId(nameId)) return
    if (status === 499 && record.attempts?.at(-1)?.status !== 499)
      this.#ledger.mark(this.#minuteTime(timeMs), nameId, CLIENT_CLOSED, this.reader.at)
    else if (status < 400 && (record.attempts?.length ?? 0) > 1 && classifyAccess(record).masked)
      this.#ledger.mark(this.#minuteTime(timeMs), nameId, MASKED, this.reader.at)
  }

  /** A format without a time: the minute of the lines around it. */
  #minuteTime(timeMs: number): number {
    if (!Number.isNaN(timeMs)) return timeMs
    return Number.isFinite(this.#own.lastMs) ? this.#own.lastMs : (this.modifiedMs ?? 0)
  }

  #entry<R>(record: R, line: RecordLine, timeMs: number): Entry<R> {
    const position = this.placeOf(line)
    const isJudgedAgain = this.#fence.isJudgedAgain(line.byteOffset)
    return { record, line, position, stream: this.id, timeMs, isPrecise: line.timeMs !== null, isJudgedAgain }
  }

  /** Where the line was read. */
  placeOf(line: RecordLine): Position {
    if (this.#partition === null) return { file: this.name, line: line.number }
    const { topic, partition } = this.#partition
    return { topic, partition, offset: line.byteOffset }
  }

  /** A success has got its error line: a second one must not find it as if it were free. */
  #claimed(line: RecordLine): void {
    this.#joinedSuccesses.add(claimKey(line))
    if (this.#joinedSuccesses.size > JOINED_MAX)
      this.#joinedSuccesses.delete(this.#joinedSuccesses.values().next().value!)
  }

  #error(record: ErrorRecord, line: RecordLine, timeMs: number | null, controller: Controller): void {
    const at = timeMs ?? (Number.isFinite(controller.lastMs) ? controller.lastMs : 0)
    const entry = { ...this.#entry(record, line, at), isDoubtful: this.#fence.isDoubtful(line.byteOffset) }
    const waits = controller.joiner.addError(entry)
    if (waits && entry.isPrecise && canCut(record)) this.#findSuccess(entry, controller)
    if (controller.joiner.aloneCount > ALONE_MAX) this.#engine.take(controller.joiner.takeAlone())
  }

  /**
   * stdout and stderr are two pipes: the line that says an answer was cut can come just behind the access line, which was
   * a success then and is not held.
   */
  #findSuccess({ record, timeMs, line }: ErrorEntry, controller: Controller): void {
    if (record.request === null || record.client === null) return
    const found = this.reader.lookBack(record.client, record.request, line.pod, timeMs - TWO_PIPES_MS)
    if (found === null || this.#joinedSuccesses.has(claimKey(found.line))) return
    this.#claimed(found.line)
    const entry = this.#entry(found.record, found.line, found.line.timeMs ?? timeMs)
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
    controller.nextTickMs = nextTick(controller.lastMs)
    controller.resetBelowMs = isOneStream
      ? Number.NEGATIVE_INFINITY
      : controller.lastMs - engine.options.join.errorWaitMs
    const isMovedByCaller = this.#isGrouped && controller === this.#own
    if (!isMovedByCaller) engine.take(controller.joiner.advance(controller.lastMs))
  }

  #controllerOf(line: Line | RecordLine): Controller {
    const { pod } = line
    if (pod === this.#pod) return this.#controller
    this.#pod = pod
    // Pods of a partition take turns with every line.
    const known = pod === null ? undefined : this.#pods.get(pod)
    if (known !== undefined) {
      this.#ledger = known.ledger
      return (this.#controller = known.controller)
    }
    this.#controller = pod === null ? this.#own : this.#engine.addPod(pod)
    this.controllers.add(this.#controller)
    this.#setLedger(pod === null ? this.reader.place : line)
    if (pod !== null && this.#pods.size < PODS_MAX)
      this.#pods.set(pod, { controller: this.#controller, ledger: this.#ledger })
    return this.#controller
  }

  #setLedger({ namespace, pod, container }: Pick<RecordLine, 'namespace' | 'pod' | 'container'>): void {
    const name = pod === null ? this.id : `${namespace ?? ''}/${pod}/${container ?? ''}`
    this.#ledger = this.#engine.minutes?.ledger(name, this.id) ?? null
  }
}

/** One message may hold several lines: their number is the same, and the stamp or place within it tells them apart. */
function claimKey({ number, written }: RecordLine): string {
  return `${number} ${written}`
}

function nextTick(ms: number): number {
  return (Math.floor(ms / TICK_MS) + 1) * TICK_MS
}
