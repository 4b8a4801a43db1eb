/** The timeline of what a store holds. */

import type { StoreReader } from '../store/store.ts'
import { MINUTE_MS } from './course.ts'
import type { Timeline } from './model.ts'
import { TimelineBuilder, type TimelineFilter } from './timeline.ts'

/** `say` is told what is left out because nobody can read it. */
export async function readTimeline(
  reader: StoreReader,
  asked: TimelineFilter,
  say?: (text: string) => void
): Promise<Timeline> {
  const filter = { ...asked, pods: [], statuses: [] }
  const builder = new TimelineBuilder(asked)
  for (const row of await reader.totals(filter, MINUTE_MS)) builder.totals(row)
  for await (const row of reader.scan(filter)) builder.failure(row, null)
  for await (const row of reader.controllers(filter)) builder.controller(row)
  for (const gap of await reader.gaps(filter)) builder.gap(gap)
  for (const [code, count] of await reader.rejects(filter)) builder.rejects(code, count)
  builder.incidents(await reader.incidents({ ...asked, state: null }, say))
  const ids = builder.exampleIds()
  const documents = ids.length === 0 ? [] : await reader.documents(ids, filter)
  if (!builder.isEmpty) return builder.finish(documents, { span: null, upstreams: [] })
  // Nothing was found: what is there instead.
  const others = await reader.totals({ ...filter, services: [] }, Number.POSITIVE_INFINITY)
  return builder.finish([], { span: await reader.span(), upstreams: others.map(row => row.upstream).filter(Boolean) })
}

/** Widened to whole minutes, because totals are per minute. */
export function wholeMinutes({ fromMs, toMs }: { fromMs: number; toMs: number }): { fromMs: number; toMs: number } {
  return { fromMs: Math.floor(fromMs / MINUTE_MS) * MINUTE_MS, toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS }
}
