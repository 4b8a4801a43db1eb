import type { Dashboard, Panel } from '../dashboards/dashboard.ts'
import { DASHBOARDS } from '../dashboards/dashboards.ts'
import { Why5xxError } from '../errors.ts'
import { ClockText } from '../explain/clockText.ts'
import { nearest } from '../nearest.ts'
import type { Config } from '../optionTable.ts'
import { besideTotals, esqlText } from '../store/esql.ts'
import { openReader } from '../store/open.ts'
import type { StoreReader } from '../store/store.ts'
import type { TableRow, TableWindow } from '../store/table.ts'
import { styleFor } from '../terminal.ts'
import { jsonText, safeText, sideBySide, wrapped } from '../text.ts'
import {
  checkUpstreams,
  isAmong,
  ofIncident,
  type ParamFlags,
  type Params,
  paramsOf,
  type Range,
  upstreamsIn,
  withUpstreams
} from './dashboardParams.ts'
import { chartStepMs, panelText } from './dashboardText.ts'
import { checkFormat, checkZone, type TimeFlags, timeRange } from './filters.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag, storeName } from './storeFlag.ts'

interface DashboardFlags extends TimeFlags, ParamFlags {
  format?: string
  store?: string
  color?: boolean
}

const FORMATS = ['text', 'json', 'esql']
const WINDOW_MS = 3 * 3_600_000

/** Prints the panels of a dashboard, or which dashboards there are. Returns the exit code. */
export async function runDashboard(
  name: string | undefined,
  flags: DashboardFlags,
  options: CommonOptions
): Promise<number> {
  const format = flags.format ?? 'text'
  checkFormat(format, FORMATS)
  const zone = flags.timeZone ?? 'UTC'
  checkZone(zone)
  if (name === undefined) return list(format, flags)
  const dashboard = dashboardOf(name)
  const params = await paramsOf(dashboard, flags)
  const { config } = await options.load()
  checkStoreFlag(config, flags.store)
  if (format === 'esql') {
    checkUpstreams(flags)
    await writeOut(esqlOf(dashboard, config, params))
    return 0
  }
  const range = timeRange(flags)
  const reader = await openReader(config, flags.store)
  try {
    const asked =
      flags.incident === undefined
        ? { params, ...windowOf(range) }
        : await ofIncident(reader, flags.incident, { params, range, where: flags.store ?? storeName(config) })
    if (asked.fromMs >= asked.toMs) throw new Why5xxError('WHY5XX_USAGE', '--from must be before --to')
    const window: TableWindow = {
      ...asked,
      params: await withUpstreams(reader, asked.params, asked),
      stepMs: chartStepMs(asked.toMs - asked.fromMs)
    }
    const tables = await reader.tables(
      dashboard.panels.map(({ query }) => query),
      window
    )
    const answer: Answer = { dashboard, window, tables }
    if (format === 'json') await writeOut(jsonOf(answer))
    else await writeOut(await textOf(answer, reader, flags.service ?? [], zone, flags.color ?? true))
  } finally {
    await reader.close()
  }
  return 0
}

async function list(format: string, flags: DashboardFlags): Promise<number> {
  if (format === 'json') {
    const all = DASHBOARDS.map(({ name, title, description, params }) => ({
      name,
      title,
      description,
      params: params.map(param => param.name)
    }))
    await writeOut(`${jsonText(all, 2)}\n`)
    return 0
  }
  const style = styleFor(process.stdout, flags.color ?? true)
  const entries = DASHBOARDS.map(({ name, description, params }) => {
    const usage = params.map(param => ` --${param.name} …`).join('')
    return [style.bold(`why5xx dashboard ${name}`) + style.dim(usage), ...wrapped(description, style.width, '  ')]
  })
  await writeOut(`${entries.map(lines => lines.join('\n')).join('\n\n')}\n`)
  return 0
}

function dashboardOf(name: string): Dashboard {
  const found = DASHBOARDS.find(dashboard => dashboard.name === name)
  if (found !== undefined) return found
  const near = nearest(
    name,
    DASHBOARDS.map(dashboard => dashboard.name)
  )
  throw new Why5xxError(
    'WHY5XX_USAGE',
    `there is no dashboard ${safeText(name)}; did you mean ${near}? why5xx dashboard lists them`
  )
}

interface Answer {
  dashboard: Dashboard
  window: TableWindow
  /** Of each panel. */
  tables: readonly TableRow[][]
}

function windowOf({ fromMs, toMs }: Range): Range {
  const endMs = Number.isFinite(toMs) ? toMs : Date.now()
  return { fromMs: Number.isFinite(fromMs) ? fromMs : endMs - WINDOW_MS, toMs: endMs }
}

/** Each with its title as a comment. Parameters have the values that were given; the window is that of Discover. */
function esqlOf({ panels }: Dashboard, { sink }: Config, params: Params): string {
  const namespace = sink.kind === 'elasticsearch' ? sink.elasticsearch.namespace : null
  const texts = panels.map(({ title, description, query }) => {
    const text = esqlText(query, { ...besideTotals(query.from, namespace), params })
    return `// ${title}\n// ${description}\n${safeLines(text)}\n`
  })
  return texts.join('\n')
}

/** What was typed as a value may hold anything. */
function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n')
}

function jsonOf({ dashboard, window, tables }: Answer): string {
  const { name, title } = dashboard
  const { params, stepMs } = window
  const [from, to] = [window.fromMs, window.toMs].map(ms => new Date(ms).toISOString())
  const panels = dashboard.panels.map((panel, i) => ({ id: panel.id, title: panel.title, rows: tables[i]! }))
  return `${jsonText({ name, title, from, to, stepSeconds: stepMs / 1_000, params, panels }, 2)}\n`
}

async function textOf(
  { dashboard, window, tables }: Answer,
  reader: StoreReader,
  services: readonly string[],
  zone: string,
  color: boolean
): Promise<string> {
  const style = styleFor(process.stdout, color)
  const clock = new ClockText(zone, 0, 0)
  const times = `${clock.full(window.fromMs)} - ${clock.full(window.toMs)} ${zone}`
  const chosen = Object.entries(window.params).map(([name, values]) => {
    const given = [values].flat()
    return `${name} ${safeText((given.length > 0 ? given : services).join(', '))}`
  })
  const head = sideBySide([dashboard.title, times, ...chosen], style.width, (part, i) =>
    i === 0 ? style.bold(part) : part
  ).join('\n')
  // What controllers say concerns every service, and is no answer about one.
  const isOfChoice = ({ query }: Panel): boolean => services.length === 0 || query.where.some(one => 'isParam' in one)
  if (tables.every((rows, i) => isEmpty(rows) || !isOfChoice(dashboard.panels[i]!))) {
    const why = wrapped(await emptyText(reader, services, window), style.width, '')
    return `${head}\n\n${why.join('\n')}\n`
  }
  const panels = dashboard.panels.map((panel, i) => `\n${panelText(panel, tables[i]!, zone, style)}`)
  return `${head}\n${panels.join('')}`
}

/** A count of nothing, too. */
function isEmpty(rows: readonly TableRow[]): boolean {
  return rows.every(row => Object.values(row).every(value => value === null || value === 0))
}

/** Fifteen panels that say nothing say less. */
async function emptyText(reader: StoreReader, services: readonly string[], range: Range): Promise<string> {
  const span = await reader.span()
  if (span === null)
    return 'The store is empty. why5xx run fills it from logs as they are written, why5xx replay from those that there are.'
  const upstreams = services.length === 0 ? [] : await upstreamsIn(reader, range)
  if (upstreams.length > 0 && !isAmong(services, upstreams)) {
    const near = safeText(nearest(services[0]!.replace('/', '-'), upstreams)!)
    return `There is no request of ${safeText(services.join(', '))} in this window; did you mean ${near}?`
  }
  // Its end is a moment that belongs to it.
  const [from, to] = [span.fromMs, span.toMs + 1].map(ms => new Date(ms).toISOString())
  return `There is nothing in this window. --from ${from} --to ${to} is all that the store holds.`
}
