/** Deletes whole daily indices, where no lifecycle policy does (`lifecycle: own`). */

import type { Client } from '@elastic/elasticsearch'
import { sentenceOf } from './connection.ts'
import { DAILY_KINDS, dayMsOf, type IndexNames } from './names.ts'
import type { Lifecycle } from './templates.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 3_600_000

/** Of these indices those whose last moment is older than is kept. While even the newest is, the clock is wrong, and none. */
export function expired(indices: readonly string[], keptMs: number, nowMs: number): string[] {
  const isOld = (index: string): boolean => {
    const dayMs = dayMsOf(index)
    return dayMs !== null && dayMs + DAY_MS + keptMs <= nowMs
  }
  const old = indices.filter(isOld)
  return old.length === indices.length ? [] : old
}

interface RetentionParts {
  client: Client
  names: IndexNames
  lifecycle: Lifecycle
  notify: (text: string) => void
}

/** Now and once an hour, as long as the process lives. */
export function keepRetention(parts: RetentionParts): NodeJS.Timeout {
  const keep = (): void =>
    void applyRetention(parts, Date.now()).catch((error: unknown) =>
      parts.notify(`retention failed, tried again in an hour: Elasticsearch ${sentenceOf(error)}`)
    )
  keep()
  return setInterval(keep, RETENTION_MS).unref()
}

/** Deletes what is older than is kept, by the day of its documents. Returns what is gone. Throws the client's errors. */
export async function applyRetention(
  { client, names, lifecycle, notify }: RetentionParts,
  nowMs: number
): Promise<string[]> {
  const gone: string[] = []
  for (const kind of DAILY_KINDS) {
    const found = await client.indices.get({
      index: names.pattern(kind),
      ignore_unavailable: true,
      allow_no_indices: true,
      filter_path: ['*.settings.index.uuid']
    })
    const keptMs = kind === 'rollup' ? lifecycle.rollupRetentionMs : lifecycle.retentionMs
    const old = expired(Object.keys(found), keptMs, nowMs)
    // One at a time: a long list of names makes no address.
    for (const index of old) await client.indices.delete({ index, ignore_unavailable: true })
    gone.push(...old)
  }
  if (gone.length > 0) notify(`retention removed ${gone.join(', ')}`)
  return gone
}
