import { resolve } from 'node:path'
import { Engine } from '../engine.ts'
import type { EngineSource } from '../engineSource.ts'
import { ClockText } from '../explain/clockText.ts'
import type { ClusterJudge } from '../explain/clusterFiles.ts'
import { jsonReport } from '../explain/jsonReport.ts'
import { readLogs } from '../explain/readLogs.ts'
import type { ReportFacts } from '../explain/report.ts'
import type { SightedFailuresOptions } from '../explain/sightedFailures.ts'
import { Summary } from '../explain/summary.ts'
import { Masker } from '../mask.ts'
import type { Failure } from '../model.ts'
import type { Config } from '../optionTable.ts'
import { type Input, openInput } from '../source/input.ts'
import type { DocumentOptions } from '../store/document.ts'
import { styleFor } from '../terminal.ts'
import { jsonText, safeJson } from '../text.ts'
import { checkFormat, checkZone, type TimeFlags, timeRange, wantedCauses } from './filters.ts'
import { LiveView } from './liveView.ts'
import type { CommonOptions, LoadedOptions } from './options.ts'
import { complain, reportInputError, writeOut } from './output.ts'
import { Progress } from './progress.ts'

export interface ExplainFlags extends TimeFlags {
  format?: string
  service?: string[]
  cause?: string[]
  source?: string
  color?: boolean
  /** Files with the state of the cluster. */
  cluster?: string[]
}

export const FORMATS = ['text', 'json', 'ndjson', 'markdown', 'html']

/** What was asked for, checked before anything is read. */
export interface ExplainPlan {
  flags: ExplainFlags
  format: string
  /** null: all. */
  causes: Set<string> | null
  range: { fromMs: number; toMs: number }
}

/** What `explainInputs` knows beside the logs. */
export interface ExplainContext {
  cluster: Pick<ClusterJudge, 'judge' | 'later' | 'knownToMs'> | null
  /** Upstream names that count; null: all. */
  isWantedName: ((name: string) => boolean) | null
  /** What `isWantedName` picks, for the headline. */
  filters?: readonly string[]
  /** What else is not covered, and why; formats that cannot say so leave it to the caller. */
  notes?: readonly string[]
  /** Told at the end how many lines were some of nginx or its controller. */
  onRecognised?: (lines: number) => void
}

/** Throws Why5xxError `WHY5XX_USAGE`. */
export async function planOf(flags: ExplainFlags, nowMs?: number): Promise<ExplainPlan> {
  const format = flags.format ?? 'text'
  checkFormat(format, FORMATS)
  checkZone(flags.timeZone ?? 'UTC')
  return { flags, format, causes: await wantedCauses(flags.cause), range: timeRange(flags, nowMs) }
}

/** Reads logs to their end (or to Ctrl-C) and prints what failed and why. Returns the exit code. */
export async function runExplain(
  paths: string[],
  flags: ExplainFlags,
  options: CommonOptions,
  context: Pick<ExplainContext, 'onRecognised'> = {}
): Promise<number> {
  const plan = await planOf(flags)
  const loaded = await options.load()
  let exitCode = 0
  const { logs, snapshots } = await sortInputs(paths, flags.cluster ?? [])
  const cluster = await readCluster(snapshots, new Masker(loaded.maskOptions))
  for (const problem of cluster?.problems ?? []) exitCode = reportInputError(problem)
  const inputs: Input[] = []
  // Naming a file twice must not count its lines twice.
  const distinct = new Map(logs.map(path => [path === '-' ? path : resolve(path), path]))
  for (const path of distinct.values()) {
    try {
      inputs.push(openInput(path))
    } catch (error) {
      exitCode = reportInputError(error)
    }
  }
  if (inputs.length === 0) return exitCode
  return Math.max(
    exitCode,
    await explainInputs(inputs, plan, loaded, { ...context, cluster, isWantedName: wantedNames(flags.service) })
  )
}

/** The same of logs that need not be files. */
export async function explainInputs(
  inputs: Input[],
  { flags, format, causes, range }: ExplainPlan,
  { config, maskOptions, logFormat }: LoadedOptions,
  { cluster, isWantedName, filters = [], notes = [], onRecognised }: ExplainContext
): Promise<number> {
  let exitCode = 0
  const masker = new Masker(maskOptions)
  const summary = new Summary(masker, format === 'text' || format === 'markdown')
  const isPage = format === 'html'
  const described = format === 'ndjson' || isPage ? await describer(config, masker, flags.source) : null
  const finder = format === 'json' || isPage ? await incidentFinder(config, masker, described?.sourceOf ?? null) : null
  const documents = format === 'ndjson' ? described!.writer() : null
  const timeline = isPage ? await described!.timeline(range, flags) : null
  const engine = new Engine(
    {
      join: config.join,
      timeZone: config.timeZone,
      logFormat,
      // A timeline looks at its window itself: what lies outside is read, counted and joined as `run` would.
      ...(isPage ? ALL : { ...range, isWantedName }),
      withMinutes: isPage,
      ...(finder !== null && { requestCellsMax: finder.requestCellsMax })
    },
    {
      failure(failure) {
        if (causes !== null && !causes.has(failure.cause)) return
        cluster?.judge(failure)
        summary.add(failure)
        finder?.incidents.failure(failure)
        documents?.add(failure)
        timeline?.failure(failure)
      },
      alone: error => summary.alone(error),
      controller(entry) {
        summary.controller(entry.record, entry.timeMs)
        timeline?.controller(entry)
      },
      stream: record => summary.streamAccess(record),
      reject(code, column, line, source) {
        summary.reject(code, column, line, source.name)
        timeline?.reject(code, line, source)
      }
    }
  )

  const render = async (): Promise<string> => {
    if (!Number.isFinite(engine.toMs)) engine.toMs = Math.max(...engine.sources.map(source => source.newestMs))
    const found = await finder?.find(engine)
    if (timeline !== null) {
      timeline.take(engine.minutes!)
      const { endWithLog } = await import('../alert/logIncidents.ts')
      for (const incident of found?.incidents ?? []) if (incident.endMs === null) endWithLog(incident, engine.toMs + 1)
      timeline.incidents(found?.incidents ?? [])
      return (await import('../timeline/html.ts')).timelinePage(timeline.finish(), flags.timeZone ?? 'UTC')
    }
    if (format === 'json') return `${jsonText(jsonReport(engine, summary, formatsOf(engine.sources), found!), 2)}\n`
    const facts: ReportFacts = {
      engine,
      summary,
      clock: new ClockText(flags.timeZone ?? 'UTC', engine.fromMs, engine.toMs),
      inputs: inputs.map(input => input.name),
      isLive: inputs.some(input => input.place !== undefined),
      services: flags.service ?? [],
      filters: [...filters, ...(flags.service ?? []), ...(flags.cause ?? [])],
      notes,
      cluster: cluster && { later: cluster.later, knownToMs: cluster.knownToMs }
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
      if (engine.minutes) timeline?.take(engine.minutes)
      live.ready()
    },
    failed(error) {
      exitCode = reportInputError(error)
    },
    opened: (input, head) => described?.opened(input.name, head)
  })
  live.stop()
  progress.clear()
  engine.finish()
  await writeOut(documents ? documents.take() : await render())
  onRecognised?.(engine.sources.reduce((sum, { recognised }) => sum + recognised, 0))
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

const ALL = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, isWantedName: null }

/** `--cluster a.json b.json controller.log`: a log that was named behind the files of the cluster is a log all the same. */
async function sortInputs(logs: string[], cluster: string[]): Promise<{ logs: string[]; snapshots: string[] }> {
  if (cluster.length === 0 || logs.length > 0) return { logs: logs.length === 0 ? ['-'] : logs, snapshots: cluster }
  const { looksLikeCluster } = await import('../cluster/clusterFile.ts')
  const snapshots: string[] = []
  const others: string[] = []
  for (const path of cluster) (path === '-' || (await looksLikeCluster(path)) ? snapshots : others).push(path)
  return { logs: others.length === 0 ? ['-'] : others, snapshots }
}

/** null: nobody asked for it. Loaded only then. */
async function readCluster(paths: string[], masker: Masker) {
  if (paths.length === 0) return null
  const { ClusterJudge } = await import('../explain/clusterFiles.ts')
  return ClusterJudge.read(paths, masker)
}

type FailureSource = SightedFailuresOptions['sourceOf']

/** What looks for incidents. Loaded only for formats that tell them; without a source nobody asks for examples and ids. */
async function incidentFinder({ clusterName }: Config, masker: Masker, sourceOf: FailureSource | null) {
  const { REQUEST_CELLS_MAX, tallyFinder } = await import('../explain/incidentFinder.ts')
  const incidents =
    sourceOf === null
      ? tallyFinder(clusterName)
      : (await import('../explain/sightedFailures.ts')).sightingFinder({ clusterName, masker, sourceOf })
  return {
    incidents,
    requestCellsMax: REQUEST_CELLS_MAX,
    async find(engine: Engine) {
      const found = await incidents.find(engine)
      if (found.leftOut !== null) complain(found.leftOut)
      return found
    }
  }
}

/** What makes documents. Loaded only for formats that need it: it needs hashes and the catalogue. */
async function describer({ clusterName, links, kubernetes }: Config, masker: Masker, source: string | undefined) {
  const { buildDocument } = await import('../store/document.ts')
  const { Fingerprints } = await import('../store/identity.ts')
  const fingerprints = new Fingerprints()
  const sourceOf = (stream: string, byteOffset: number): string => source ?? fingerprints.of(stream, byteOffset)
  const options: DocumentOptions = {
    clusterName,
    sourceOf,
    masker,
    runbookUrl: links.runbook,
    labels: kubernetes.labels
  }
  return {
    sourceOf,
    opened(name: string, head: Uint8Array): void {
      if (name !== 'stdin') fingerprints.add(name, head)
    },
    /** Documents as lines, as failures come. */
    writer() {
      let text = ''
      return {
        add(failure: Failure): void {
          text += `${safeJson(buildDocument(failure, options).json)}\n`
        },
        take(): string {
          const taken = text
          text = ''
          return taken
        }
      }
    },
    async timeline(range: { fromMs: number; toMs: number }, { service = [], cause = [] }: ExplainFlags) {
      const { TimelineCollector } = await import('../explain/timelineCollector.ts')
      const { wholeMinutes } = await import('../timeline/readTimeline.ts')
      return new TimelineCollector({ ...wholeMinutes(range), services: service, causes: cause }, options)
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

/** An upstream name as logged, or `namespace/service` of any port; a port whose name holds dashes needs the whole name. */
export function wantedNames(services: string[] | undefined): ((name: string) => boolean) | null {
  if (services === undefined) return null
  return name =>
    services.some(service =>
      service.includes('/') ? name.slice(0, name.lastIndexOf('-')) === service.replace('/', '-') : name === service
    )
}
