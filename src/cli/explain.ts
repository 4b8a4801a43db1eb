import { resolve } from 'node:path'
import { Engine } from '../engine.ts'
import type { EngineSource } from '../engineSource.ts'
import { Why5xxError } from '../errors.ts'
import { ClockText } from '../explain/clockText.ts'
import { jsonReport } from '../explain/jsonReport.ts'
import { readLogs } from '../explain/readLogs.ts'
import type { ReportFacts } from '../explain/report.ts'
import { Summary } from '../explain/summary.ts'
import { Masker } from '../mask.ts'
import type { Failure } from '../model.ts'
import { type Input, openInput } from '../source/input.ts'
import { styleFor } from '../terminal.ts'
import { jsonText, safeJson } from '../text.ts'
import { durationMs, parseTimeOption } from '../timeOption.ts'
import { LiveView } from './liveView.ts'
import type { CommonOptions } from './options.ts'
import { complain, reportInputError, writeOut } from './output.ts'
import { Progress } from './progress.ts'

interface ExplainFlags {
  format?: string
  from?: string
  to?: string
  since?: string
  service?: string[]
  cause?: string[]
  source?: string
  timeZone?: string
  color?: boolean
}

const FORMATS = ['text', 'json', 'ndjson', 'markdown']

/** Reads logs to their end (or to Ctrl-C) and prints what failed and why. Returns the exit code. */
export async function runExplain(paths: string[], flags: ExplainFlags, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  if (!FORMATS.includes(format))
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected one of ${FORMATS.join(', ')}`)
  const { config, maskOptions, logFormat } = await options.load()
  const masker = new Masker(maskOptions)
  const causes = await wantedCauses(flags.cause)
  // Wrong zones are told before anything is read.
  checkZone(flags.timeZone ?? 'UTC')
  const range = timeRange(flags)

  const summary = new Summary(masker, format === 'text' || format === 'markdown')
  const documents =
    format === 'ndjson' ? await documentWriter(config.clusterName, config.links.runbook, masker, flags.source) : null
  const engine = new Engine(
    { join: config.join, timeZone: config.timeZone, logFormat, ...range, isWantedName: wantedNames(flags.service) },
    {
      failure(failure) {
        if (causes !== null && !causes.has(failure.cause)) return
        summary.add(failure)
        documents?.add(failure)
      },
      alone: error => summary.alone(error),
      controller: entry => summary.controller(entry.record, entry.timeMs),
      stream: record => summary.streamAccess(record),
      reject: (code, column, line, source) => summary.reject(code, column, line, source.name)
    }
  )

  let exitCode = 0
  const inputs: Input[] = []
  // Naming a file twice must not count its lines twice.
  const distinct = new Map(paths.map(path => [path === '-' ? path : resolve(path), path]))
  for (const path of distinct.values()) {
    try {
      inputs.push(openInput(path))
    } catch (error) {
      exitCode = reportInputError(error)
    }
  }
  if (inputs.length === 0) return exitCode

  const render = async (): Promise<string> => {
    if (!Number.isFinite(engine.toMs)) engine.toMs = Math.max(...engine.sources.map(source => source.newestMs))
    if (format === 'json') return `${jsonText(jsonReport(engine, summary, formatsOf(engine.sources)), 2)}\n`
    const facts: ReportFacts = {
      engine,
      summary,
      clock: new ClockText(flags.timeZone ?? 'UTC', engine.fromMs, engine.toMs),
      inputs: inputs.map(input => input.name),
      services: flags.service ?? [],
      filters: [...(flags.service ?? []), ...(flags.cause ?? [])]
    }
    if (format === 'markdown') return (await import('../explain/markdownReport.ts')).markdownReport(facts)
    return (await import('../explain/textReport.ts')).textReport(facts, styleFor(process.stdout, flags.color ?? true))
  }

  const progress = new Progress(inputs)
  const live = new LiveView(engine, inputs, format === 'text' ? async () => render() : null, async () =>
    writeOut(documents?.take() ?? '')
  )
  // Ctrl-C: what was read so far is the answer.
  process.once('SIGINT', () => {
    live.stop()
    progress.clear()
    for (const source of engine.sources) source.end()
    engine.finish()
    void (async () => {
      await writeOut(documents ? documents.take() : await render())
      process.exit(130)
    })()
  })

  await readLogs(engine, inputs, {
    arrived: () => live.heard(),
    async progress(bytes) {
      progress.at(bytes)
      if (documents) await writeOut(documents.take())
      live.ready()
    },
    failed(error) {
      exitCode = reportInputError(error)
    },
    opened: (input, head) => documents?.opened(input.name, head)
  })
  live.stop()
  progress.clear()
  engine.finish()
  await writeOut(documents ? documents.take() : await render())
  for (const source of engine.sources) {
    if (source.recognised > 0) continue
    exitCode = 1
    const why =
      source.reader.lines === 0
        ? 'it is empty'
        : `none of its ${source.reader.lines} lines is a log line of nginx or its controller; try why5xx check`
    complain(`${source.name}: ${why}`)
  }
  return exitCode
}

/** Builds documents as failures come, for `ndjson`. Loaded only then: it needs hashes and the catalogue. */
async function documentWriter(
  clusterName: string,
  runbookUrl: string | null,
  masker: Masker,
  source: string | undefined
) {
  const { buildDocument } = await import('../store/document.ts')
  const { Fingerprints } = await import('../store/identity.ts')
  const fingerprints = new Fingerprints()
  const sourceOf = (file: string, byteOffset: number): string => source ?? fingerprints.of(file, byteOffset)
  let text = ''
  return {
    opened(name: string, head: Uint8Array): void {
      if (name !== 'stdin') fingerprints.add(name, head)
    },
    add(failure: Failure): void {
      text += `${safeJson(buildDocument(failure, { clusterName, sourceOf, masker, runbookUrl }).json)}\n`
    },
    take(): string {
      const taken = text
      text = ''
      return taken
    }
  }
}

function formatsOf(sources: EngineSource[]): Map<string, number> {
  const sum = new Map<string, number>()
  for (const source of sources) {
    for (const [format, lines] of source.reader.parser.formatCounts()) sum.set(format, (sum.get(format) ?? 0) + lines)
  }
  return sum
}

function timeRange(flags: ExplainFlags): { fromMs: number; toMs: number } {
  const nowMs = Date.now()
  if (flags.since !== undefined && flags.from !== undefined)
    throw new Why5xxError('WHY5XX_USAGE', '--since and --from say the same thing: give one')
  const since = flags.since === undefined ? null : nowMs - durationMs('--since', flags.since.replace(/^-/, ''))
  // A time without a zone is never taken for UTC by accident.
  const zone = flags.timeZone ?? null
  const fromMs =
    since ?? (flags.from === undefined ? Number.NEGATIVE_INFINITY : parseTimeOption('--from', flags.from, nowMs, zone))
  const toMs = flags.to === undefined ? Number.POSITIVE_INFINITY : parseTimeOption('--to', flags.to, nowMs, zone)
  if (fromMs >= toMs) throw new Why5xxError('WHY5XX_USAGE', '--from must be before --to')
  return { fromMs, toMs }
}

/** An upstream name as logged, or `namespace/service` of any port; a port whose name holds dashes needs the whole name. */
function wantedNames(services: string[] | undefined): ((name: string) => boolean) | null {
  if (services === undefined) return null
  return name =>
    services.some(service =>
      service.includes('/') ? name.slice(0, name.lastIndexOf('-')) === service.replace('/', '-') : name === service
    )
}

async function wantedCauses(slugs: string[] | undefined): Promise<Set<string> | null> {
  if (slugs === undefined) return null
  const { CAUSES } = await import('../../parsers/causes.ts')
  for (const slug of slugs) {
    if ((CAUSES as readonly string[]).includes(slug)) continue
    const { nearest } = await import('../nearest.ts')
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `--cause ${slug}: there is no such cause; did you mean ${nearest(slug, CAUSES)}? why5xx causes lists them`
    )
  }
  return new Set(slugs)
}

function checkZone(zone: string): void {
  // Intl is dear to load, and the usual zone needs no check.
  if (zone === 'UTC') return
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch (error) {
    throw new Why5xxError('WHY5XX_USAGE', `--time-zone ${zone}: expected an IANA name such as Europe/Berlin or UTC`, {
      cause: error
    })
  }
}
