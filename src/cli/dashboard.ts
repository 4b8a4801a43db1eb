import type { Dashboard, Panel } from '../dashboards/dashboard.ts'
import { DASHBOARDS } from '../dashboards/dashboards.ts'
import { Why5xxError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Config } from '../optionTable.ts'
import { esqlText, indexPattern } from '../store/esql.ts'
import { openReader } from '../store/open.ts'
import type { IncidentFilter, StoreReader } from '../store/store.ts'
import type { TableRow, TableWindow } from '../store/table.ts'
import { EVERY_VALUE } from '../store/tableParam.ts'
import { styleFor } from '../terminal.ts'
import { jsonText, safeText, sideBySide, wrapped } from '../text.ts'
import { chartStepMs, panelText } from './dashboardText.ts'
import { checkFormat, checkZone, type TimeFlags, timeRange } from './filters.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag, storeName } from './storeFlag.ts'

interface DashboardFlags extends TimeFlags {
  format?: string
  service?: string
  cause?: string
  incident?: string
  store?: string
  color?: boolean
}

const FORMATS = ['text', 'json', 'esql']
const PARAMS = ['service', 'cause', 'incident'] as const
const WINDOW_MS = 3 * 3_600_000
/** What came before an incident belongs to its picture. */
const BEFORE_MS = 10 * 60_000
const MINUTE_MS = 60_000
const EVERY_INCIDENT: IncidentFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  state: null
}

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
  const params = paramsOf(dashboard, flags)
  const { config } = await options.load()
  checkStoreFlag(config, flags.store)
  if (format === 'esql') {
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
    const window: TableWindow = { ...asked, stepMs: chartStepMs(asked.toMs - asked.fromMs) }
    if (format === 'json') await printJson(reader, dashboard, window)
    else await printText(reader, dashboard, window, zone, flags.color ?? true)
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

function paramsOf(dashboard: Dashboard, flags: DashboardFlags): Record<string, string> {
  const params: Record<string, string> = {}
  for (const name of PARAMS) {
    const value = flags[name]
    if (value === undefined) continue
    if (!dashboard.params.some(param => param.name === name))
      throw new Why5xxError('WHY5XX_USAGE', `the dashboard ${dashboard.name} is not by ${name}: leave --${name} out`)
    if (name === 'service' && value.includes('/'))
      throw new Why5xxError(
        'WHY5XX_USAGE',
        `--service ${safeText(value)}: dashboards know services by their upstream name, such as shop-cart-80`
      )
    params[name] = value
  }
  return params
}

interface Range {
  fromMs: number
  toMs: number
}

function windowOf({ fromMs, toMs }: Range): Range {
  const endMs = Number.isFinite(toMs) ? toMs : Date.now()
  return { fromMs: Number.isFinite(fromMs) ? fromMs : endMs - WINDOW_MS, toMs: endMs }
}

/** A failure does not say to which incident it belongs: that is its service, its cause and its time. */
async function ofIncident(
  reader: StoreReader,
  id: string,
  { params, range, where }: { params: Record<string, string>; range: Range; where: string }
): Promise<Range & Pick<TableWindow, 'params'>> {
  const incident = (await reader.incidents(EVERY_INCIDENT)).find(one => one.id === id)
  if (incident === undefined)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `there is no incident ${safeText(id)} in ${where}; why5xx incidents --since 30d prints ids`
    )
  const endMs = Math.max(incident.endMs ?? Date.now(), incident.updatedMs) + MINUTE_MS
  return {
    params: { service: incident.upstream || EVERY_VALUE, cause: incident.cause, ...params },
    fromMs: Number.isFinite(range.fromMs) ? range.fromMs : incident.startMs - BEFORE_MS,
    toMs: Number.isFinite(range.toMs) ? range.toMs : endMs
  }
}

/** Each with its title as a comment. Parameters have the values that were given; the window is that of Discover. */
function esqlOf({ panels }: Dashboard, { sink }: Config, params: Record<string, string>): string {
  const namespace = sink.kind === 'elasticsearch' ? sink.elasticsearch.namespace : null
  const texts = panels.map(({ title, description, query }) => {
    const text = esqlText(query, { pattern: indexPattern(query.from, namespace), params })
    return `// ${title}\n// ${description}\n${safeLines(text)}\n`
  })
  return texts.join('\n')
}

/** What was typed as a value may hold anything. */
function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n')
}

async function printJson(reader: StoreReader, dashboard: Dashboard, window: TableWindow): Promise<void> {
  const panels: { id: string; title: string; rows: TableRow[] }[] = []
  for (const { id, title, query } of dashboard.panels)
    panels.push({ id, title, rows: await reader.table(query, window) })
  const { name, title } = dashboard
  const { params, stepMs } = window
  const [from, to] = [window.fromMs, window.toMs].map(ms => new Date(ms).toISOString())
  await writeOut(`${jsonText({ name, title, from, to, stepSeconds: stepMs / 1_000, params, panels }, 2)}\n`)
}

/** A panel at a time: the first is read while the last is asked for. */
async function printText(
  reader: StoreReader,
  dashboard: Dashboard,
  window: TableWindow,
  zone: string,
  color: boolean
): Promise<void> {
  const style = styleFor(process.stdout, color)
  const [from, to] = [window.fromMs, window.toMs].map(ms => new Date(ms).toISOString())
  const chosen = Object.entries(window.params).map(([name, value]) => `${name} ${safeText(value)}`)
  const head = sideBySide([dashboard.title, `${from} - ${to}`, ...chosen], style.width, (part, i) =>
    i === 0 ? style.bold(part) : part
  )
  await writeOut(`${head.join('\n')}\n`)
  for (const panel of dashboard.panels) await writeOut(await panelOf(reader, panel, window, zone, style))
}

async function panelOf(
  reader: StoreReader,
  panel: Panel,
  window: TableWindow,
  zone: string,
  style: ReturnType<typeof styleFor>
): Promise<string> {
  return `\n${panelText(panel, await reader.table(panel.query, window), zone, style)}`
}
