import { Why5xxError } from './errors.ts'

const UNITS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * `--from`, `--to`: RFC 3339 (`2026-11-21T10:00:00Z`), a local time with a zone (`2026-11-21 11:00 Europe/Berlin`), `now`, or
 * back from now (`-2h`, `-90m`, `-1h30m`). `timeZone` is that of times without one; null: they are refused.
 * Returns Unix ms; throws Why5xxError `WHY5XX_USAGE` that shows the forms.
 */
export function parseTimeOption(name: string, text: string, nowMs: number, timeZone: string | null): number {
  if (text === 'now') return nowMs
  if (/^-?\d/.test(text) && /^-(?:\d+[smhdw])+$/.test(text)) return nowMs - durationMs(name, text.slice(1))
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d|[A-Z][A-Za-z_]+\/[A-Za-z_/+-]+)?$/.exec(
      text
    )
  if (!match) throw wrong(name, text)
  const [, date, minutes = '00:00', seconds = ':00', ownZone] = match
  const utc = Date.parse(`${date}T${minutes}${seconds}Z`)
  if (Number.isNaN(utc)) throw wrong(name, text)
  const zone = ownZone ?? timeZone
  if (zone === null)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `${name} ${text}: which time zone? Add one (${text.length > 10 ? `${text}Z` : `${text}T00:00Z`}, "${text} Europe/Berlin") or give --time-zone`
    )
  if (zone === 'Z' || zone === 'UTC') return utc
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(zone)
  if (offset) return utc - (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) * 60_000
  try {
    return utc - zoneOffsetMs(zone, utc)
  } catch (error) {
    throw new Why5xxError('WHY5XX_USAGE', `${name}: ${zone} is no time zone`, { cause: error })
  }
}

/** `--since 90m`, `2h`, `1h30m`. */
export function durationMs(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) {
    throw new Why5xxError('WHY5XX_USAGE', `${name} ${text}: expected a duration such as 90s, 30m, 2h, 1h30m or 7d`)
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * UNITS_MS[part[2]!]!, 0)
}

/** Offset of an IANA zone from UTC at a local wall time given as if it were UTC, ms. Throws a RangeError for unknown zones. */
export function zoneOffsetMs(timeZone: string, localMs: number): number {
  if (timeZone === 'UTC') return 0
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit'
  })
  const offsetAt = (ms: number): number => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    return (
      Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!) -
      Math.floor(ms / 1000) * 1000
    )
  }
  // The offset at the moment meant, which the first guess can miss by the jump of a clock change.
  return offsetAt(localMs - offsetAt(localMs))
}

function wrong(name: string, text: string): Why5xxError {
  return new Why5xxError(
    'WHY5XX_USAGE',
    `${name} ${text}: expected RFC 3339 (2026-11-21T10:00:00Z), local time with a zone ("2026-11-21 11:00 Europe/Berlin"), or back from now (-2h)`
  )
}
