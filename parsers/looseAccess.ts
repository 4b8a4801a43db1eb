/**
 * Access lines that fit no format to their last byte: cut by whoever posted them, shortened with `...`, a host in front, a
 * custom tail. What is certain is read from the quoted request outwards; the rest stays null. A torn line (two records in
 * one) and a tail without its request are no access lines.
 */

import { type AccessFields, accessRecord, noFields } from './access.ts'
import { printable } from './escape.ts'
import type { AccessRecord } from './record.ts'
import { parseTimeText } from './time.ts'

const REQUEST = /"([A-Za-z][A-Za-z_-]{0,31} [^"]*)" (\d{3})(?![^\s])/
const TIME = /\[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]/g
const LIST = String.raw`(?:[^\s,]+(?:(?:, | : )[^\s,]+)*)`
const NUMBERS = String.raw`(?:[\d.-]+(?:(?:, | : )[\d.-]+)*)`
/** From the upstream name's bracket on; a cut may fall anywhere behind it. */
const TAIL = new RegExp(
  String.raw`(?:^| )\[([^\]\s]*)\](?: \[([^\]\s]*)\])?(?: (${LIST})(?:,? ?$| (${NUMBERS})(?:,? ?$| (${NUMBERS})(?:,? ?$| (${NUMBERS})(?:$| (\S*).*$)))))?`
)
/** A whole tail that begins with its bracket: head cut away, still saying which upstream answered what. */
const HEADLESS = new RegExp(
  String.raw`^\[([a-z0-9][a-z0-9.-]*)\] \[([a-z0-9.-]*)\] (${LIST}) (${NUMBERS}) (${NUMBERS}) (${NUMBERS})(?: (\S+))?$`
)

/** `raw` is the line's content as Latin-1. */
export function parseLooseAccess(raw: string): AccessRecord | null {
  const line = printable(raw.trim())
  const headless = HEADLESS.exec(line)
  if (headless) return headlessRecord(headless)
  const match = REQUEST.exec(line)
  if (!match) return null
  const stamps = line.match(TIME)
  if ((stamps?.length ?? 0) > 1) return null
  const fields = noFields()
  const head = line.slice(0, match.index)
  fields.timeMs = stamps ? parseTimeText(stamps[0].slice(1, -1)) : null
  fields.client = /(?:^|\s)([0-9a-fA-F.:*x]+|unix:) - /.exec(head)?.[1] ?? null
  fields.request = match[1]!
  fields.status = Number(match[2])
  fields.truncated = true
  readTail(line.slice(match.index + match[0].length), fields)
  return accessRecord(fields)
}

function headlessRecord(match: RegExpExecArray): AccessRecord {
  const fields = noFields()
  fields.upstreamName = match[1]!
  fields.alternativeName = match[2]!
  fields.addresses = match[3]!
  fields.lengths = match[4]!
  fields.times = match[5]!
  fields.statuses = match[6]!
  fields.requestId = match[7] ?? null
  fields.truncated = true
  return accessRecord(fields)
}

/** ` 150 "-" "curl/8" 270 0.000 [name] [] ADDR LEN TIME STATUS ID`, cut or shortened anywhere. */
function readTail(tail: string, fields: AccessFields): void {
  fields.bodyBytes = /^ (\d+)(?=\s|$)/.exec(tail)?.[1] ?? null
  const quoted = /^ \S+ "([^"]*)"(?: "([^"]*)")?/.exec(tail)
  if (quoted) {
    fields.referrer = quoted[2] === undefined ? null : quoted[1]!
    fields.userAgent = quoted[2] ?? quoted[1]!
  }
  const rest = tail.slice(tail.lastIndexOf('"') + 1)
  const numbers = /^ (\d+) (\d+\.\d+)(?= |$)/.exec(rest)
  fields.requestLength = numbers?.[1] ?? null
  fields.requestTime = numbers?.[2] ?? null
  const upstream = TAIL.exec(rest)
  if (!upstream) return
  fields.upstreamName = upstream[1]!
  fields.alternativeName = upstream[2] ?? null
  fields.addresses = upstream[3] ?? null
  fields.lengths = upstream[4] ?? null
  fields.times = upstream[5] ?? null
  fields.statuses = upstream[6] ?? null
  fields.requestId = upstream[7] ?? null
}
