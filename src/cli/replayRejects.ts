import { Why5xxError } from '../errors.ts'
import { createLogger } from '../logger.ts'
import { runPipeline } from '../pipeline.ts'
import { kafkaConnection } from '../source/kafka/connection.ts'
import type { DriverLog } from '../source/kafka/driver.ts'
import { RejectSource } from '../source/kafka/rejectSource.ts'
import { type RefusedDocument, refusedDocument } from '../store/refusedDocument.ts'
import { RejectReplayWriter } from '../store/rejectReplayWriter.ts'
import { jsonText, plural } from '../text.ts'
import { openSink, wire } from '../wiring.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { type ReplayFlags, replayFormat } from './replay.ts'
import { StatusLine } from './statusLine.ts'
import { Stop } from './stop.ts'

/** What `replay --rejects --format json` prints. */
export interface RejectsResult {
  topic: string
  rejects: number
  /** Lines that are understood by now, and those that still are not. */
  linesRead: number
  linesRejected: number
  /** Documents that are stored by now; those that were there before; those that were refused again. */
  documentsWritten: number
  documentsKnown: number
  documentsRefused: number
}

/**
 * Reads again what could not be read or stored before, after a fix. Each line counts once, however often it is replayed;
 * what fails again stays where it is. Returns the exit code.
 */
export async function runReplayRejects(files: string[], flags: ReplayFlags, common: CommonOptions): Promise<number> {
  if (files.length > 0) throw new Why5xxError('WHY5XX_USAGE', 'replay reads files or --rejects, not both')
  if (flags.store !== undefined)
    throw new Why5xxError('WHY5XX_USAGE', '--rejects writes to the store that the workers write to: leave --store out')
  const format = replayFormat(flags)
  const loaded = await common.load()
  const { source: from, sink: to } = loaded.config
  if (from.kind !== 'kafka' || to.kind !== 'elasticsearch')
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `--rejects reads a topic and writes to Elasticsearch: set source.kind to kafka (it is ${from.kind}) and sink.kind to elasticsearch (it is ${to.kind}), best by the workers' own options file`
    )
  const { kafka } = from
  const status = { line: null as StatusLine | null }
  const write = (text: string): void => void (status.line ?? process.stderr).write(text)
  const logger = await createLogger(loaded.config.log, { write })
  const warn = (text: string): void => logger.warn(text)
  const log: DriverLog = (level, text, fields) => logger[level](text, fields)
  const stop = new Stop(warn)
  let foreign = 0
  const documents = { written: 0, known: 0 }
  const sink = new RejectReplayWriter(
    await openSink(loaded, { notify: warn, log, keepsRejects: false, holdsRefused: false })
  )
  const source = new RejectSource({
    connection: kafkaConnection(kafka),
    topic: kafka.rejectTopic,
    groupId: kafka.groupId,
    onDocuments: async texts => {
      const found = texts.map(refusedDocument).filter(one => one !== null)
      foreign += texts.length - found.length
      const of = (kind: RefusedDocument['kind']) => found.filter(one => one.kind === kind).map(({ stored }) => stored)
      const nothing = { failures: [], rejects: [], gaps: [], totals: [], streams: [], engine: null }
      const result = await sink.write({ ...nothing, built: of('failure'), controllers: of('controller') })
      documents.written += result.written
      documents.known += result.known
    },
    log
  })
  try {
    const parts = wire({ ...loaded, source, store: sink, nowMs: Date.now, warn })
    status.line = new StatusLine(parts.counters, { kind: 'kafka' })
    status.line.start()
    await runPipeline(parts, stop.signal)
    const { written } = parts.counters
    if (foreign > 0) warn(`${plural(foreign, 'message')} of ${kafka.rejectTopic} held no document of why5xx`)
    status.line.stop()
    const { reject, ...read } = parts.counters.lines
    const result: RejectsResult = {
      topic: kafka.rejectTopic,
      rejects: source.messages,
      linesRead: Object.values(read).reduce((sum, count) => sum + count, 0),
      linesRejected: reject,
      documentsWritten: written.documents + documents.written,
      documentsKnown: written.known + documents.known,
      documentsRefused: sink.facts?.items.get('rejected') ?? 0
    }
    await writeOut(format === 'json' ? `${jsonText(result)}\n` : resultText(result))
    return stop.exitCode ?? 0
  } finally {
    status.line?.stop()
    stop.release()
    await sink.close()
  }
}

function resultText(result: RejectsResult): string {
  const { topic, rejects, linesRead, linesRejected, documentsWritten, documentsKnown, documentsRefused } = result
  if (rejects === 0) return `${topic} holds no rejects\n`
  const documents = `${plural(documentsWritten, 'document')} stored, ${documentsKnown} there before, ${documentsRefused} refused again`
  return `${plural(rejects, 'reject')} of ${topic}: ${plural(linesRead, 'line')} read now, ${linesRejected} still not; ${documents}\n`
}
