import type { Incident } from '../alert/incident.ts'
import { incidentEntry } from '../alert/incidentEntry.ts'
import { Why5xxError } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { EVERY_INCIDENT } from '../store/incidentFilter.ts'
import { openReader } from '../store/open.ts'
import type { IncidentFilter, StoreReader } from '../store/store.ts'
import { styleFor } from '../terminal.ts'
import { grouped, jsonText, safeText } from '../text.ts'
import { checkFormat, checkZone, limitOf, type TimeFlags, timeRange, wantedCauses } from './filters.ts'
import { incidentPage } from './incidentPage.ts'
import { incidentsTable, withMembers } from './incidentsTable.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag, storeName } from './storeFlag.ts'
import { warn } from './warn.ts'

interface IncidentsFlags extends TimeFlags {
  format?: string
  service?: string[]
  cause?: string[]
  state?: string
  limit?: string
  store?: string
  color?: boolean
}

const FORMATS = ['table', 'ndjson', 'json']
const STATES: readonly Incident['state'][] = ['open', 'resolved']
const TABLE_ROWS = 50
const DAY_MS = 86_400_000
/** What `Date` can hold. */
const TIME_MS_MIN = -8.64e15
/** Prints the incidents of a window, or one in full. Returns the exit code. */
export async function runIncidents(
  id: string | undefined,
  flags: IncidentsFlags,
  options: CommonOptions
): Promise<number> {
  const format = flags.format ?? 'table'
  checkFormat(format, FORMATS)
  const zone = flags.timeZone ?? 'UTC'
  checkZone(zone)
  const nowMs = Date.now()
  const filter = await filterOf(flags, nowMs)
  const limit = limitOf(flags.limit, format === 'table' ? TABLE_ROWS : Number.POSITIVE_INFINITY)
  const { config } = await options.load()
  checkStoreFlag(config, flags.store)
  const reader = await openReader(config, flags.store)
  try {
    const show = { format, zone, nowMs, color: flags.color ?? true }
    if (id !== undefined) await printOne(reader, id, flags.store ?? storeName(config), show)
    else await printAll(reader, filter, limit, config, show)
  } finally {
    await reader.close()
  }
  return 0
}

interface Show {
  format: string
  zone: string
  nowMs: number
  color: boolean
}

/** Without a begin the day before the end, which is now if it was not said either. What is open goes on into any window. */
async function filterOf(flags: IncidentsFlags, nowMs: number): Promise<IncidentFilter> {
  const state = STATES.find(known => known === flags.state) ?? null
  if (flags.state !== undefined && state === null)
    throw new Why5xxError('WHY5XX_USAGE', `--state ${flags.state}: expected one of ${STATES.join(', ')}`)
  const causes = await wantedCauses(flags.cause, ['no_requests'])
  const { fromMs, toMs } = timeRange(flags, nowMs)
  const endMs = Number.isFinite(toMs) ? toMs : nowMs
  return {
    fromMs: Math.max(TIME_MS_MIN, Number.isFinite(fromMs) ? fromMs : endMs - DAY_MS),
    toMs,
    services: flags.service ?? [],
    causes: [...(causes ?? [])],
    state
  }
}

async function printAll(
  reader: StoreReader,
  filter: IncidentFilter,
  limit: number,
  config: Config,
  { format, zone, nowMs, color }: Show
): Promise<void> {
  const all = await reader.incidents(filter, warn)
  const shown = withMembers(all).slice(0, limit)
  if (format === 'ndjson')
    return writeOut(shown.map(({ incident }) => `${jsonText(incidentEntry(incident))}\n`).join(''))
  if (format === 'json') {
    const [from, to] = [filter.fromMs, Number.isFinite(filter.toMs) ? filter.toMs : nowMs].map(ms =>
      new Date(ms).toISOString()
    )
    const incidents = shown.map(({ incident }) => incidentEntry(incident))
    return writeOut(`${jsonText({ clusterName: config.clusterName, from, to, incidents }, 2)}\n`)
  }
  if (shown.length === 0) return writeOut(`${await emptyText(reader, filter, nowMs)}\n`)
  const style = styleFor(process.stdout, color)
  await writeOut(incidentsTable(shown, zone, nowMs, style))
  if (shown.length === all.length) return
  const more = `${grouped(shown.length)} of ${grouped(all.length)} shown; --limit 0 or --format ndjson shows all`
  await writeOut(`${style.dim(more)}\n`)
}

async function emptyText(reader: StoreReader, { fromMs, toMs }: IncidentFilter, nowMs: number): Promise<string> {
  const others = await reader.incidents(EVERY_INCIDENT)
  if (others.length === 0) return 'No incident is stored.'
  const newestMs = Math.max(...others.map(({ updatedMs }) => updatedMs))
  const [from, to, newest] = [fromMs, Number.isFinite(toMs) ? toMs : nowMs, newestMs].map(ms =>
    new Date(ms).toISOString()
  )
  return `No incident matches between ${from} and ${to}. ${grouped(others.length)} are stored, the last of ${newest}: --from, --to and --state find them.`
}

async function printOne(reader: StoreReader, id: string, where: string, show: Show): Promise<void> {
  const all = await reader.incidents(EVERY_INCIDENT, warn)
  const incident = all.find(one => one.id === id)
  if (incident === undefined)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `there is no incident ${safeText(id)} in ${where}; why5xx incidents --since 30d prints ids`
    )
  const { format, zone, nowMs, color } = show
  if (format !== 'table') return writeOut(`${jsonText(incidentEntry(incident), format === 'json' ? 2 : undefined)}\n`)
  const members = all.filter(({ parent }) => parent === id)
  await writeOut(incidentPage({ incident, members, zone, nowMs }, styleFor(process.stdout, color)))
}
