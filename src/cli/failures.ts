import { Why5xxError } from '../errors.ts'
import { openReader } from '../store/open.ts'
import type { FailureRow, Page, SearchOptions, StoreFilter, StoreReader } from '../store/store.ts'
import { styleFor } from '../terminal.ts'
import { grouped, jsonText } from '../text.ts'
import { failuresTable } from './failuresTable.ts'
import { checkFormat, checkZone, limitOf, type TimeFlags, timeRange, wantedCauses } from './filters.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag } from './storeFlag.ts'

interface FailuresFlags extends TimeFlags {
  format?: string
  service?: string[]
  cause?: string[]
  pod?: string[]
  status?: string[]
  limit?: string
  order?: string
  store?: string
  color?: boolean
}

const FORMATS = ['table', 'ndjson']
const ORDERS: readonly SearchOptions['order'][] = ['newest', 'oldest']
const TABLE_ROWS = 50
/** The first page comes soon; the others cost a server less, the more is in each. */
const FIRST_PAGE_ROWS = 500
const PAGE_ROWS = 5_000

/** Prints stored failures. Returns the exit code. */
export async function runFailures(flags: FailuresFlags, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'table'
  checkFormat(format, FORMATS)
  const order = ORDERS.find(known => known === (flags.order ?? 'newest'))
  if (order === undefined)
    throw new Why5xxError('WHY5XX_USAGE', `--order ${flags.order}: expected one of ${ORDERS.join(', ')}`)
  const zone = flags.timeZone ?? 'UTC'
  checkZone(zone)
  const causes = await wantedCauses(flags.cause)
  const limit = limitOf(flags.limit, format === 'table' ? TABLE_ROWS : Number.POSITIVE_INFINITY)
  const filter: StoreFilter = {
    ...timeRange(flags),
    services: flags.service ?? [],
    causes: [...(causes ?? [])],
    pods: flags.pod ?? [],
    statuses: (flags.status ?? []).flatMap(statusesOf)
  }
  const { config } = await options.load()
  checkStoreFlag(config, flags.store)
  const reader = await openReader(config, flags.store)
  try {
    if (format === 'ndjson') await printDocuments(reader, { filter, order, limit })
    else await printTable(reader, { filter, order, limit }, zone, flags.color ?? true)
  } finally {
    await reader.close()
  }
  return 0
}

interface Query {
  filter: StoreFilter
  order: SearchOptions['order']
  limit: number
}

/** A page at a time: what is not read yet needs no memory, and a reader that has seen enough ends it. */
async function* pagesOf(reader: StoreReader, { filter, order, limit }: Query): AsyncGenerator<Page> {
  let after: string | null = null
  let left = limit
  do {
    const rows = after === null ? FIRST_PAGE_ROWS : PAGE_ROWS
    const page: Page = await reader.search(filter, { limit: Math.min(left, rows), order, after })
    yield page
    left -= page.rows.length
    after = page.next
  } while (after !== null && left > 0)
}

async function printDocuments(reader: StoreReader, query: Query): Promise<void> {
  for await (const { rows } of pagesOf(reader, query))
    await writeOut(rows.map(row => `${jsonText(row.document)}\n`).join(''))
}

async function printTable(reader: StoreReader, query: Query, zone: string, color: boolean): Promise<void> {
  const rows: FailureRow[] = []
  let isAll = true
  for await (const page of pagesOf(reader, query)) {
    for (const { document: _, ...row } of page.rows) rows.push(row)
    isAll = page.next === null
  }
  if (rows.length === 0) return writeOut(`${await emptyText(reader)}\n`)
  const style = styleFor(process.stdout, color)
  await writeOut(failuresTable(rows, zone, style))
  if (isAll) return
  const counts = await reader.counts(query.filter, Number.POSITIVE_INFINITY)
  const all = counts.reduce((sum, { failed, masked, other }) => sum + failed + masked + other, 0)
  const more = `${grouped(rows.length)} of ${grouped(all)} shown; --limit 0 or --format ndjson shows all`
  await writeOut(`${style.dim(more)}\n`)
}

async function emptyText(reader: StoreReader): Promise<string> {
  const span = await reader.span()
  if (span === null) return 'The store is empty.'
  const [from, to] = [span.fromMs, span.toMs].map(ms => new Date(ms).toISOString())
  return `No failure matches. The store holds ${from} to ${to}.`
}

/** `502`, `502,504`, `5xx`. */
function statusesOf(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [, hundreds] = /^(\d)xx$/i.exec(part) ?? []
    if (hundreds !== undefined) return Array.from({ length: 100 }, (_, i) => Number(hundreds) * 100 + i)
    if (!/^\d{3}$/.test(part))
      throw new Why5xxError('WHY5XX_USAGE', `--status ${part}: expected 502, or 5xx for all of them`)
    return [Number(part)]
  })
}
