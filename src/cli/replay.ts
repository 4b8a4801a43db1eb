import { resolve } from 'node:path'
import type { ClusterKnowledge } from '../cluster/knowledge.ts'
import { openClusterKnowledge } from '../clusterWiring.ts'
import { Why5xxError } from '../errors.ts'
import { createLogger } from '../logger.ts'
import { runPipeline } from '../pipeline.ts'
import type { DriverLog } from '../source/kafka/driver.ts'
import { ReplaySource } from '../source/replay.ts'
import { ReplayWriter } from '../store/replayWriter.ts'
import { grouped, jsonText, plural, safeText } from '../text.ts'
import { durationMs } from '../timeOption.ts'
import { openSink, wire } from '../wiring.ts'
import type { CommonOptions } from './options.ts'
import { complain, writeOut } from './output.ts'
import { StatusLine } from './statusLine.ts'
import { Stop } from './stop.ts'
import { checkStoreFlag, storeFlag, storeName } from './storeFlag.ts'
import { NO_INCIDENTS, storeIncidents } from './storeIncidents.ts'

export interface ReplayFlags {
  rejects?: boolean
  store?: string
  format?: string
}

/** What `replay --format json` prints. */
interface ReplayResult {
  store: string
  lines: number
  /** Added to the totals; `requestsKnown` were counted before, from this file or another. */
  requestsCounted: number
  requestsKnown: number
  documentsWritten: number
  /** There before, in the same or a better version. */
  documentsKnown: number
  rejects: number
  /** Worked out from what the store holds of the time of these lines, and a day before. */
  incidentsFound: number
  /** Of these; the others were there before. */
  incidentsStored: number
  /** Record time of the first line, and behind the last one, RFC 3339; null without any. */
  from: string | null
  to: string | null
}

/**
 * Reads files to their end into the store: documents that are there stay, or give way to a better judgement; no request is
 * counted twice. Returns the exit code.
 */
export async function runReplay(paths: string[], flags: ReplayFlags, common: CommonOptions): Promise<number> {
  if (paths.length === 0) throw new Why5xxError('WHY5XX_USAGE', 'replay what? Name log files, or add --rejects')
  const format = replayFormat(flags)
  const store =
    flags.store === undefined ? [] : [['sink.embedded.path', { value: flags.store, origin: '--store' }] as const]
  const loaded = await common.load(new Map(store))
  const { config } = loaded
  checkStoreFlag(config, flags.store)
  const { sink } = config
  const status = { line: null as StatusLine | null }
  const write = (text: string): void => void (status.line ?? process.stderr).write(text)
  const logger = await createLogger(config.log, { write })
  const warn = (text: string): void => logger.warn(text)
  const log: DriverLog = (level, text, fields) => logger[level](text, fields)
  const stop = new Stop(warn)
  const writer = new ReplayWriter(
    await openSink(loaded, {
      notify: warn,
      log,
      readsFiles: true
    })
  )
  let knowledge: ClusterKnowledge | null = null
  try {
    // What is old is judged by the state of then.
    knowledge = await openClusterKnowledge(config, { say: warn, log })
    // Naming a file twice must not read it twice.
    const files = [...new Map(paths.map(path => [resolve(path), path])).values()]
    const source = new ReplaySource(files, writer.streams, Date.now)
    const parts = wire({ ...loaded, source, store: writer, knowledge, nowMs: Date.now, warn })
    status.line = new StatusLine(parts.counters, { kind: 'files' })
    status.line.start()
    await runPipeline(parts, stop.signal)
    status.line.stop()
    const { counters, engine } = parts
    const requests = [...counters.requests.values()].reduce((sum, count) => sum + count, 0)
    const span = { fromMs: engine.fromMs, toMs: counters.newestMs + 1 }
    const incidents = stop.signal.aborted ? NO_INCIDENTS : await storeIncidents(config, flags.store, span, warn)
    const result: ReplayResult = {
      store: storeName(config),
      lines: engine.counts.lines,
      requestsCounted: requests - writer.requestsKnown,
      requestsKnown: engine.totals.requests - requests + writer.requestsKnown,
      documentsWritten: counters.written.documents,
      documentsKnown: counters.written.known,
      rejects: counters.lines.reject,
      incidentsFound: incidents.found,
      incidentsStored: incidents.stored,
      from: isoTime(engine.fromMs),
      // The window that shows it ends behind the last line.
      to: isoTime(counters.newestMs + 1)
    }
    const option = `sink.${sink.kind}.retention`
    const { retention } = sink.kind === 'embedded' ? sink.embedded : sink.elasticsearch
    const oldestMs = Date.now() - durationMs(option, retention)
    if (engine.fromMs < oldestMs)
      warn(
        `what is older than ${isoTime(oldestMs)} will be deleted: ${option} is ${retention}; set it for longer, here and in run`
      )
    await writeOut(format === 'json' ? `${jsonText(result)}\n` : replayText(result, storeFlag(config)))
    const { access, error, controller, stream_access: streamAccess } = counters.lines
    const found = access + error + controller + streamAccess + result.requestsKnown + result.documentsKnown
    if (found === 0)
      complain(
        result.lines === 0
          ? 'there was no line to read'
          : `none of the ${plural(result.lines, 'line')} is a log line of nginx or its controller; try why5xx check`
      )
    return stop.exitCode ?? (counters.unreadable > 0 || found === 0 ? 1 : 0)
  } finally {
    status.line?.stop()
    stop.release()
    await knowledge?.close()
    await writer.close()
  }
}

export function replayFormat({ format = 'text' }: ReplayFlags): 'text' | 'json' {
  if (format === 'text' || format === 'json') return format
  throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
}

function replayText(result: ReplayResult, store: string): string {
  const { lines, requestsCounted, requestsKnown, documentsWritten, documentsKnown } = result
  const known = (count: number): string => (count === 0 ? '' : ` (${grouped(count)} were there before)`)
  const { incidentsFound, incidentsStored } = result
  const incidents =
    incidentsFound === 0
      ? ''
      : `, ${plural(incidentsStored, 'incident')} stored${known(incidentsFound - incidentsStored)}`
  const rejects = result.rejects === 0 ? '' : `, ${plural(result.rejects, 'line')} not understood`
  const out = [
    `${plural(lines, 'line')} read: ${plural(requestsCounted, 'request')} counted${known(requestsKnown)}, ${plural(documentsWritten, 'document')} stored${known(documentsKnown)}${incidents}${rejects}`,
    `in ${safeText(result.store)}${result.from === null ? '' : '; to look at it:'}`
  ]
  if (result.from === null) return `${out.join('\n')}\n`
  const window = ` --from ${result.from} --to ${result.to}`
  for (const command of ['timeline', ...(incidentsFound > 0 ? ['incidents'] : []), 'failures'])
    out.push(`  why5xx ${command}${store}${window}`)
  return `${out.join('\n')}\n`
}

function isoTime(ms: number): string | null {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null
}
