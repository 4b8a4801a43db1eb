/** One cold process of the store benchmark: asks what a command would ask, prints what it got as JSON. */
import { openEmbeddedReader } from '../src/store/embedded/reader.ts'
import type { StoreFilter } from '../src/store/store.ts'

const IDS = 20
const MINUTE_MS = 60_000

const [question, path, fromMs, toMs] = process.argv.slice(2) as [string, string, string, string]
const filter: StoreFilter = {
  fromMs: Number(fromMs),
  toMs: Number(toMs),
  services: [],
  causes: [],
  pods: [],
  statuses: []
}

const reader = await openEmbeddedReader(path)
const answer: Record<string, number> = {}
if (question === 'timeline') {
  const ids: string[] = []
  let failures = 0
  for await (const row of reader.scan(filter)) {
    if (failures++ % 400 === 0 && ids.length < IDS) ids.push(row.id)
  }
  answer.failures = failures
  answer.documents = (await reader.documents(ids, filter)).length
  answer.requests = (await reader.totals(filter, MINUTE_MS)).reduce((sum, row) => sum + row.requests, 0)
  for await (const { id } of reader.controllers(filter))
    answer.controllers = (answer.controllers ?? 0) + (id === '' ? 0 : 1)
} else {
  const rows = await reader.counts(filter, Number.POSITIVE_INFINITY)
  answer.failures = rows.reduce((sum, row) => sum + row.failed + row.masked + row.other, 0)
}
await reader.close()
console.log(JSON.stringify(answer))
