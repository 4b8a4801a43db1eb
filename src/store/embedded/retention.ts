/** Old days go: by age and by size, whole days, oldest first, by the day of the document. Segments stay until they are sealed. */

import { Why5xxError } from '../../errors.ts'
import type { Disk } from './disk.ts'
import { REJECTS_FOLDER } from './rejectLog.ts'
import { type DayFile, dayFilesOf, dayOf } from './tables.ts'

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export interface Retention {
  /** null: no limit. */
  ageMs: number | null
  /** Of everything in the folder; null: no limit. The newest day stays in any case. */
  bytes: number | null
}

/** `30d`, `12h`, `2w`. Throws Why5xxError `WHY5XX_CONFIG`. */
export function parseAge(text: string): number {
  const match = /^(\d+)([hdw])$/.exec(text)
  const ms = match === null ? 0 : Number(match[1]) * UNITS[match[2]!]!
  if (ms > 0 && Number.isSafeInteger(ms)) return ms
  throw new Why5xxError(
    'WHY5XX_CONFIG',
    `sink.embedded.retention: ${JSON.stringify(text)} is no duration; expected a number with h, d or w, like 30d`
  )
}

/**
 * The oldest day that stays; '' when age is no reason to go. A clock that is years ahead must not empty a store at the next
 * start: while even the newest sealed day is too old (`isStale`), no day goes. They go when something newer has been
 * sealed, which a running cluster brings about within the hour.
 */
export async function oldestDay(
  disk: Disk,
  ageMs: number | null,
  nowMs: number
): Promise<{ day: string; isStale: boolean }> {
  const day = ageMs === null ? '' : dayOf(nowMs - ageMs)
  const newest = dayFilesOf(await disk.list()).at(-1)?.day ?? ''
  const isStale = newest < day
  return { day: isStale ? '' : day, isStale: isStale && newest !== '' }
}

export interface Retained {
  /** Days that went, oldest first. */
  gone: string[]
  /** Nothing went by age, because everything would. */
  isStale: boolean
}

export async function applyRetention(disk: Disk, retention: Retention, nowMs: number): Promise<Retained> {
  const all = [...(await disk.list()), ...(await disk.list(REJECTS_FOLDER))]
  const byDay = new Map<string, DayFile[]>()
  for (const file of dayFilesOf(all)) {
    const files = byDay.get(file.day)
    if (files === undefined) byDay.set(file.day, [file])
    else files.push(file)
  }
  const newest = [...byDay.keys()].at(-1)
  const { day: oldest, isStale } = await oldestDay(disk, retention.ageMs, nowMs)
  let bytes = all.reduce((sum, file) => sum + file.bytes, 0)
  const gone: string[] = []
  for (const [day, files] of byDay) {
    const isTooMuch = retention.bytes !== null && bytes > retention.bytes && day !== newest
    if (day >= oldest && !isTooMuch) continue
    for (const file of files) {
      await disk.remove(file.name)
      bytes -= file.bytes
    }
    gone.push(day)
  }
  // The original bytes of rejects are by the day they were written, which is never before their own.
  for (const { name } of all) {
    const day = /^rejects\/(\d{8})\.log$/.exec(name)?.[1]
    if (day !== undefined && day < oldest) await disk.remove(name)
  }
  return { gone, isStale }
}
