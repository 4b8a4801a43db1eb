/** What deploy/one-machine.md says about reading the folder with other programs holds. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDuck, rowsOf } from '../../../src/store/embedded/duck.ts'
import { EMPTY_DAY } from '../../../src/store/embedded/emptyDay.ts'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { COLUMNS } from '../../../src/store/embedded/tables.ts'
import { Folder } from '../../support/program.ts'
import { batch, DAY_MS, failure, NOON, totals } from '../failures.ts'
import { sealAll, sealHere } from './sealing.ts'

let folder: Folder
let path: string
beforeEach(() => {
  folder = new Folder()
  path = join(folder.path, 'why5xx-data')
})
afterEach(() => folder.remove())

/** DuckDB as its users have it, in the folder above the store. */
async function ask(sql: string): Promise<unknown[][]> {
  const duck = await openDuck({ memoryMb: 256, threads: 1 })
  try {
    return await rowsOf(await duck.connect(), sql.replaceAll("'why5xx-data/", `'${path}/`))
  } finally {
    duck.closeSync()
  }
}

const page = readFileSync(join(import.meta.dirname, '../../../deploy/one-machine.md'), 'utf8')
const query = /```sql\n([\s\S]*?)```/.exec(page)![1]!

test("the page's query gives the right numbers, sealed, not sealed, and both", async () => {
  const writer = await openEmbeddedWriter(path, { retention: null, seal: sealHere(path) })
  await writer.write(batch({}))
  expect(await ask(query)).toEqual([])
  await writer.write(
    batch({
      failures: [failure({ id: 'a' }), failure({ id: 'b' }), failure({ id: 'c', timeMs: NOON + DAY_MS })],
      totals: [totals({ minuteMs: NOON })]
    })
  )
  expect(await ask(query)).toEqual([['connection_refused', 3n]])
  await writer.close()
  await sealAll(path)
  expect(existsSync(join(path, 'failures-20261121.parquet'))).toBe(true)
  expect(await ask(query)).toEqual([['connection_refused', 3n]])
  const again = await openEmbeddedWriter(path, { retention: null, seal: sealHere(path) })
  await again.write(
    batch({
      failures: [failure({ id: 'a', version: 9, cause: 'no_endpoints' }), failure({ id: 'd' }), failure({ id: 'b' })]
    })
  )
  expect(await ask(query)).toEqual([
    ['connection_refused', 3n],
    ['no_endpoints', 1n]
  ])
  await again.close()
})

test('a sealed day is a table by itself: times are times, documents are JSON', async () => {
  const writer = await openEmbeddedWriter(path, { retention: null, seal: sealHere(path) })
  await writer.write(batch({ failures: [failure({ id: 'a' })], totals: [totals({ minuteMs: NOON })] }))
  await writer.close()
  await sealAll(path)
  expect(
    await ask(
      "SELECT strftime(date_trunc('hour', time), '%Y-%m-%dT%H'), cause, document->>'$.url.path' FROM 'why5xx-data/failures-*.parquet'"
    )
  ).toEqual([['2026-11-21T10', 'connection_refused', '/cart']])
  expect(await ask("SELECT sum(requests)::INTEGER FROM 'why5xx-data/totals-*.parquet'")).toEqual([[100]])
})

test('the file without rows has the columns of the others', async () => {
  const file = folder.write('none.parquet', EMPTY_DAY)
  const columns = await ask(`DESCRIBE SELECT * FROM '${file}'`)
  expect(columns.map(([name, type]) => [name, type])).toEqual(Object.entries(COLUMNS.failures))
  expect(await ask(`SELECT count(*)::INTEGER FROM '${file}'`)).toEqual([[0]])
})
