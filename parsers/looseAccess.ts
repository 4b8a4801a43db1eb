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
/** People blank out parts of addresses (`10.x.x.x`, `1*.2.3.4`). */
const CLIENT = /(?:^|\s)([0-9a-fA-Fx*]*[.:][0-9a-fA-F.:*x]+|unix:) - /
const TIME = /\[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]/g
const LIST = String.raw`(?:[^\s,]+(?:(?:, | : )[^\s,]+)*)`
const NUMBERS = String.raw`(?:[\d.-]+(?:(?:, | : )[\d.-]+)*)`
/** From the upstream name's bracket on; a cut may fall anywhere behind it. */
const TAIL = new RegExp(
  String.raw`(?:^| )\[([^\]\s]*)\](?!\S)(?: \[([^\]\s]*)\](?!\S))?(?: (${LIST})(?:,? ?$| (${NUMBERS})(?:,? ?$| (${NUMBERS})(?:,? ?$| (${NUMBERS})(?:$| (\S*).*$)))))?`
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
  fields.client = CLIENT.exec(head)?.[1] ?? null
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

/** A cut may fall inside the last address of a list that ends the line; without its port it would name somebody else. */
function wholeAddresses(list: string | undefined): string | null {
  if (list === undefined) return null
  const last = Math.max(list.lastIndexOf(', '), list.lastIndexOf(' : '))
  if (list === '-' || /:\d+$|^unix:/.test(last < 0 ? list : list.slice(last + 2).trimStart())) return list
  return last < 0 ? null : list.slice(0, last)
}

/** ` 150 "-" "curl/8" 270 0.000 [name] [] ADDR LEN TIME STATUS ID`, cut or shortened anywhere. */
function readTail(tail: string, fields: AccessFields): void {
  fields.bodyBytes = /^ (\d+)(?=\s|$)/.exec(tail)?.[1] ?? null
  const quoted = /^ \S+ "([^"]*)"(?: "([^"]*)")?/.exec(tail)
  if (quoted) {
    fields.referrer = quoted[2] === undefined ? null : quoted[1]!
    fields.userAgent = quoted[2] ?? quoted[1]!
  }
  // Behind the user agent stand the numbers of the controller's formats; of others nothing is known in front of the last quote.
  const numbersAt = quoted && /^ \d+ \d+\.\d{3} \[/.test(tail.slice(quoted[0].length)) ? quoted[0].length : -1
  const rest = tail.slice(numbersAt < 0 ? tail.lastIndexOf('"') + 1 : numbersAt)
  const numbers = /^ (\d+) (\d+\.\d{3})(?= |$)/.exec(rest)
  fields.requestLength = numbers?.[1] ?? null
  fields.requestTime = numbers?.[2] ?? null
  const upstream = TAIL.exec(rest)
  if (!upstream) return
  fields.upstreamName = upstream[1]!
  fields.alternativeName = upstream[2] ?? null
  fields.addresses = upstream[4] === undefined ? wholeAddresses(upstream[3]) : upstream[3]!
  fields.lengths = upstream[4] ?? null
  fields.times = upstream[5] ?? null
  fields.statuses = upstream[6] ?? null
  // A client's own id may have several words, and other formats go on behind it.
  const id = upstream[7] ?? null
  fields.requestId = id !== null && (rest.endsWith(` ${id}`) || /^[0-9a-f]{32}$/.test(id)) ? id : null
}
