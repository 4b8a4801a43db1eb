import { readInteger, readSecondsAsMs } from './number.ts'
import type { UpstreamAttempt } from './record.ts'

/** The upstream columns of one access line, each as logged: null when the format has it not, '' when nginx printed nothing. */
export interface UpstreamColumns {
  addresses: string | null
  statuses: string | null
  times: string | null
  lengths: string | null
  connectTimes?: string | null
  headerTimes?: string | null
}

export interface Attempts {
  list: UpstreamAttempt[]
  /** The columns had different lengths: addresses are right, values that could not be paired are null. */
  uncertain: boolean
}

/** A gRPC retry storm writes half a million attempts into one line: the first and the last are what decides. */
const ATTEMPTS_KEPT = 512

/**
 * Zips nginx's upstream columns into one array, oldest attempt first.
 *
 *   10.0.0.7:80, 10.0.0.8:80   61, -   0.100, -   200, -
 *   → { group: 0, address: '10.0.0.7:80', responseBytes: 61,   responseTimeMs: 100,  status: 200 }
 *     { group: 0, address: '10.0.0.8:80', responseBytes: null, responseTimeMs: null, status: null }
 *
 * `, ` separates attempts; ` : ` starts a new group after an internal redirect. Columns come from one array of attempt
 * states (ngx_http_upstream.c), so unequal lengths mean a cut line or mixed separators: then values are paired only while
 * they can be, never shifted, because a guessed pairing would blame the wrong pod.
 */
export function zipAttempts(columns: UpstreamColumns): Attempts {
  // Under `escape=json` and `none` a request without upstream prints nothing, where the default escape prints `-`.
  if (!columns.addresses && !columns.statuses && !columns.times && !columns.lengths)
    return { list: [], uncertain: false }
  const addresses = splitList(columns.addresses)
  const statuses = splitList(columns.statuses)
  const times = splitList(columns.times)
  const lengths = splitList(columns.lengths)
  const connects = splitList(columns.connectTimes ?? null)
  const headers = splitList(columns.headerTimes ?? null)
  const count = addresses.values.length || statuses.values.length
  const groups = addresses.values.length > 0 ? addresses.groups : statuses.groups
  let uncertain = false
  for (const list of [statuses, times, lengths]) {
    if (list.values.length > 0 && list.values.length !== count) uncertain = true
  }
  const list: UpstreamAttempt[] = []
  for (let i = 0; i < count; i++) {
    if (count > ATTEMPTS_KEPT && i >= ATTEMPTS_KEPT / 2 && i < count - ATTEMPTS_KEPT / 2) continue
    list.push({
      address: addresses.values[i] || null,
      group: groups[i] ?? 0,
      status: readStatus(statuses.values[i]),
      responseTimeMs: readSecondsAsMs(times.values[i]),
      responseBytes: readInteger(lengths.values[i]),
      connectTimeMs: readSecondsAsMs(connects.values[i]),
      headerTimeMs: readSecondsAsMs(headers.values[i])
    })
  }
  return { list, uncertain }
}

interface ListColumn {
  values: string[]
  groups: number[]
}

/**
 * `a, b : c` → values and the group of each; `-` alone is an empty column. An attempt that never got a peer prints no
 * address, and as the last of its group nothing but the border behind which it stands.
 */
function splitList(column: string | null): ListColumn {
  const values: string[] = []
  const groups: number[] = []
  if (column === null || column === '-') return { values, groups }
  if (!column.includes(',') && !column.includes(' ')) return { values: [column], groups: [0] }
  // A blank lost at an end belongs to ` : `, whose other half printed nothing.
  const padded = column.startsWith(': ') ? ` ${column}` : column.endsWith(' :') ? `${column} ` : column
  const parts = padded.split(' : ')
  for (const [group, part] of parts.entries()) {
    for (const value of part.split(', ')) {
      values.push(value)
      groups.push(group)
    }
  }
  return { values, groups }
}

/** Three digits: fewer is a list that was cut. */
function readStatus(value: string | undefined): number | null {
  return value?.length === 3 ? readInteger(value) : null
}
