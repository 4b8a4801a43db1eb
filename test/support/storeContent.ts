/** What a store on disk holds, by id: to be compared with another one. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EMPTY_DAY_NAME } from '../../src/store/embedded/emptyDay.ts'
import { openEmbeddedReader } from '../../src/store/embedded/reader.ts'
import { EVERYTHING, MINUTE_MS } from '../store/failures.ts'

const PAGE = 20_000

export interface StoreContent {
  /** Version, cause, status and number of error lines, by id. */
  failures: Map<string, string>
  /** Requests and failures by minute and upstream. */
  totals: string[]
  rejects: Map<string, number>
  gaps: string[]
}

export async function storeContent(path: string): Promise<StoreContent> {
  const reader = await openEmbeddedReader(path)
  try {
    const failures = new Map<string, string>()
    for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await reader.search(EVERYTHING, { limit: PAGE, order: 'oldest', after })
      for (const { id, version, cause, status, document } of page.rows) {
        if (failures.has(id)) throw new Error(`${id} is there twice`)
        const { errors } = (document as unknown as { why5xx: { origin: { errors: unknown[] } } }).why5xx.origin
        failures.set(id, `${version} ${cause} ${status} ${errors.length}`)
      }
      after = page.next
    }
    const totals = await reader.totals(EVERYTHING, MINUTE_MS)
    return {
      failures: new Map([...failures].sort(([a], [b]) => (a < b ? -1 : 1))),
      totals: totals.map(row => JSON.stringify(row)),
      rejects: await reader.rejects(EVERYTHING),
      gaps: (await reader.gaps(EVERYTHING)).map(gap => gap.text)
    }
  } finally {
    await reader.close()
  }
}

/** Of segments and what was sealed; 0 while there is no store. */
export function segmentBytes(store: string): number {
  if (!existsSync(store)) return 0
  let sum = 0
  for (const name of readdirSync(store)) {
    // What is sealed may go just now.
    if (/\.(?:ndjson|parquet)$/.test(name) && name !== EMPTY_DAY_NAME)
      sum += statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}
