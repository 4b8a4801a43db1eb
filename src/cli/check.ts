import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader } from '../../parsers/reader.ts'
import type { ParseErrorCode } from '../../parsers/record.ts'
import { Why5xxError } from '../errors.ts'
import { Masker } from '../mask.ts'
import { openInput } from '../source/input.ts'
import { styleFor } from '../terminal.ts'
import { clip, grouped, jsonText, percent, plural, safeText } from '../text.ts'
import type { CommonOptions, LoadedOptions } from './options.ts'
import { reportInputError, writeOut } from './output.ts'
import type { RbacFlags } from './printRbac.ts'

const REJECTS_SHOWN = 5
/** Below this share a file needs mending. */
const ENOUGH = 0.95

interface FileCheck {
  file: string
  lines: number
  records: number
  /** Known lines that are evidence of nothing: banners, JSON of something else. */
  other: number
  continuations: number
  rejects: number
  /** Share of lines that are a record or belong to one, 0..1; null for an empty file. */
  parsed: number | null
  formats: { format: string; lines: number }[]
  rejectsByCode: Record<string, number>
  firstRejects: { line: number; column: number; code: ParseErrorCode; text: string }[]
  error: string | null
}

export interface CheckFlags extends RbacFlags {
  format?: string
  store?: string | true
  cluster?: string[] | true
  alerts?: boolean
}

/** Says which formats files hold, what cannot be read, and whether a run would work; the configuration is checked by being loaded. */
export async function runCheck(paths: string[], flags: CheckFlags, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  const loaded = await options.load()
  if (flags.printRbac !== undefined) {
    if (flags.cluster !== true || paths.length > 0)
      throw new Why5xxError('WHY5XX_USAGE', '--print-rbac goes with check --cluster, and without files')
    const { runPrintRbac } = await import('./printRbac.ts')
    return runPrintRbac(flags, loaded.config)
  }
  if (flags.alerts) {
    if (paths.length > 0 || flags.store !== undefined || flags.cluster !== undefined)
      throw new Why5xxError(
        'WHY5XX_USAGE',
        'check --alerts sends test alerts and looks at nothing else: ask for the rest apart'
      )
    const { runCheckAlerts } = await import('./checkAlerts.ts')
    return runCheckAlerts(loaded.config, format)
  }
  if (flags.store !== undefined) {
    if (paths.length > 0)
      throw new Why5xxError('WHY5XX_USAGE', 'check --store [PATH] looks at a store, not at log files: name them apart')
    if (flags.store === true && loaded.config.sink.kind === 'elasticsearch')
      throw new Why5xxError(
        'WHY5XX_USAGE',
        'check --store verifies an embedded store, and sink.kind is elasticsearch: name the folder, or leave --store out to check the cluster'
      )
    const { runCheckStore } = await import('./checkStore.ts')
    return runCheckStore(flags.store === true ? loaded.config.sink.embedded.path : flags.store, format)
  }
  if (flags.cluster !== undefined) {
    const { runCheckCluster } = await import('./checkCluster.ts')
    return runCheckCluster([...(flags.cluster === true ? [] : flags.cluster), ...paths], loaded.config, format)
  }
  const { checkRun, hasProblem, runText } = await import('./checkRun.ts')
  const run = await checkRun(paths, loaded.config, loaded.origins)
  const checks: FileCheck[] = []
  for (const path of paths) checks.push(await checkFile(path, loaded))
  const isBad = (check: FileCheck): boolean => check.error !== null || check.records === 0 || check.parsed! < ENOUGH
  if (format === 'json') await writeOut(`${jsonText({ configuration: 'ok', run, files: checks }, 2)}\n`)
  else {
    await writeOut('configuration: ok\n')
    if (run !== null) await writeOut(`\n${runText(run)}`)
    for (const check of checks) await writeOut(`\n${fileText(check)}`)
  }
  return checks.some(isBad) || hasProblem(run) ? 1 : 0
}

async function checkFile(path: string, { maskOptions, logFormat }: LoadedOptions): Promise<FileCheck> {
  const masker = new Masker(maskOptions)
  const check: FileCheck = {
    file: path,
    lines: 0,
    records: 0,
    other: 0,
    continuations: 0,
    rejects: 0,
    parsed: null,
    formats: [],
    rejectsByCode: {},
    firstRejects: [],
    error: null
  }
  const reader = new LogReader(
    {
      access: () => void check.records++,
      record(record) {
        if (record.kind === 'other') check.other++
        else check.records++
      },
      continuation: () => void check.continuations++,
      reject(code, column, line) {
        check.rejects++
        check.rejectsByCode[code] = (check.rejectsByCode[code] ?? 0) + 1
        if (check.firstRejects.length < REJECTS_SHOWN)
          check.firstRejects.push({ line: line.number, column, code, text: masker.rejected(line.raw) })
      }
    },
    new NameTable(),
    logFormat
  )
  try {
    for await (const chunk of openInput(path).chunks()) reader.push(chunk)
  } catch (error) {
    reportInputError(error)
    check.error = (error as Error).message
  }
  reader.end()
  check.lines = reader.lines
  check.formats = [...reader.parser.formatCounts()].map(([name, lines]) => ({ format: name, lines }))
  if (check.lines > 0) check.parsed = (check.lines - check.rejects) / check.lines
  return check
}

function fileText(check: FileCheck): string {
  const style = styleFor(process.stdout, true)
  const lines = [style.bold(safeText(check.file))]
  if (check.error !== null) lines.push(style.red(`  ${safeText(check.error)}`))
  if (check.lines === 0) {
    lines.push('  no lines: is this the right file, and is logging on (disable-access-log, skip-access-log-urls)?')
    return `${lines.join('\n')}\n`
  }
  if (check.records === 0)
    lines.push(style.red(`  none of its ${plural(check.lines, 'line')} is a log line of nginx or its controller`))
  const isEnough = check.parsed! >= ENOUGH
  const share = `${plural(check.lines, 'line')}, ${percent(check.lines - check.rejects, check.lines)} can be read`
  lines.push(`  ${isEnough ? style.green(share) : style.red(share)}`)
  for (const { format, lines: count } of check.formats) lines.push(`  ${grouped(count).padStart(12)}  ${format}`)
  if (check.other > 0) lines.push(`  ${grouped(check.other).padStart(12)}  lines that are evidence of nothing`)
  if (check.continuations > 0) lines.push(`  ${grouped(check.continuations).padStart(12)}  continuation lines`)
  for (const [code, count] of Object.entries(check.rejectsByCode))
    lines.push(`  ${grouped(count).padStart(12)}  rejected: ${code}`)
  if (check.firstRejects.length > 0) lines.push('  first rejects:')
  for (const reject of check.firstRejects) {
    lines.push(`    line ${reject.line}, column ${reject.column}, ${reject.code}`)
    lines.push(`      ${clip(safeText(reject.text), style.width - 6)}`)
  }
  if (!isEnough)
    lines.push(
      "  If these are access lines of a custom format, set it: --set 'logFormat=<log-format-upstream of the ConfigMap>'"
    )
  return `${lines.join('\n')}\n`
}
