/**
 * The time spellings of access lines, error lines, klog and envelopes, read from bytes without `Date`.
 * Everything is Unix time in ms, UTC; null means "not a time". No function looks at the wall clock.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY_MS = 86_400_000

/** What a fraction of so many digits is divided by to be ms. */
const FRACTIONS = Array.from({ length: 10 }, (_, digits) => 10 ** (digits - 3))

const MINUS = 0x2d
const PLUS = 0x2b
const DOT = 0x2e
const COLON = 0x3a
const SLASH = 0x2f

/** Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's days_from_civil). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** Two ASCII digits at `at` as a number, -1 when one is no digit. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48
  const ones = bytes[at + 1]! - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

function fourDigits(bytes: Uint8Array, at: number): number {
  const high = twoDigits(bytes, at)
  const low = twoDigits(bytes, at + 2)
  return high < 0 || low < 0 ? -1 : high * 100 + low
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/**
 * Other years are not believed: no nginx wrote them, and with any zone (up to four days) these stay years of four digits,
 * which is all that ISO text, day files and DuckDB agree on.
 */
const YEAR_MIN = 1970
const YEAR_MAX = 9998

function dateMs(year: number, month: number, day: number, hour: number, minute: number): number {
  const valid =
    year >= YEAR_MIN &&
    year <= YEAR_MAX &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour >= 0 &&
    hour <= 23
  return valid && minute >= 0 && minute <= 59
    ? daysFromCivil(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000
    : NaN
}

/**
 * The stamp that was read last, up to its minute, by its bytes: lines come in time order, so the minute of the line before
 * is nearly always the minute of this one, and comparing bytes is cheaper than converting them.
 */
class MinuteCache {
  #key = new Uint8Array(24)
  #length = 0
  /** What the stamp is worth. */
  valueMs = NaN

  hit(bytes: Uint8Array, at: number, length: number): boolean {
    if (length !== this.#length) return false
    const key = this.#key
    // From the end: the last digits change first.
    for (let i = length - 1; i >= 0; i--) if (key[i] !== bytes[at + i]) return false
    return true
  }

  store(bytes: Uint8Array, at: number, length: number, valueMs: number): void {
    this.#length = Number.isNaN(valueMs) ? 0 : length
    for (let i = 0; i < length; i++) this.#key[i] = bytes[at + i]!
    this.valueMs = valueMs
  }
}

/** `$time_local`, 26 bytes: `02/Jan/2006:15:04:05 +0000`. */
export class TimeLocalReader {
  #minute = new MinuteCache()
  #zone = new MinuteCache()

  /** Offset of the stamp that was read last from UTC, ms; NaN before the first. */
  get zoneMs(): number {
    return this.#zone.valueMs
  }

  /** ms, or NaN when the 26 bytes at `at` are no `$time_local`. */
  read(bytes: Uint8Array, at: number): number {
    const seconds = twoDigits(bytes, at + 18)
    // 60: a leap second.
    if (seconds < 0 || seconds > 60 || bytes[at + 17] !== COLON) return NaN
    if (!this.#minute.hit(bytes, at, 17)) {
      const month = monthNumber(bytes, at + 3)
      const valid =
        bytes[at + 2] === SLASH && bytes[at + 6] === SLASH && bytes[at + 11] === COLON && bytes[at + 14] === COLON
      const ms = valid
        ? dateMs(
            fourDigits(bytes, at + 7),
            month,
            twoDigits(bytes, at),
            twoDigits(bytes, at + 12),
            twoDigits(bytes, at + 15)
          )
        : NaN
      this.#minute.store(bytes, at, 17, ms)
      if (Number.isNaN(ms)) return NaN
    }
    if (!this.#zone.hit(bytes, at + 20, 6)) {
      const sign = bytes[at + 21] === PLUS ? 1 : bytes[at + 21] === MINUS ? -1 : 0
      const hours = twoDigits(bytes, at + 22)
      const minutes = twoDigits(bytes, at + 24)
      const valid = bytes[at + 20] === 0x20 && sign !== 0 && hours >= 0 && minutes >= 0
      this.#zone.store(bytes, at + 20, 6, valid ? sign * (hours * 60 + minutes) * 60_000 : NaN)
      if (!valid) return NaN
    }
    return this.#minute.valueMs + seconds * 1000 - this.#zone.valueMs
  }
}

function monthNumber(bytes: Uint8Array, at: number): number {
  const name = String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!)
  return MONTHS.indexOf(name) + 1
}

/**
 * RFC 3339 as CRI, docker, kubectl and `$time_iso8601` write it: up to 9 decimals, trailing zeros maybe trimmed, `Z` or an
 * offset, `T` or a blank between date and time.
 */
export class Rfc3339Reader {
  #minute = new MinuteCache()
  /** Offset behind the stamp that was read last. */
  end = 0
  /** Digits of its fraction: 0 means whole seconds. */
  fractionDigits = 0

  /** ms (with a fraction below one ms), or NaN when there is no complete stamp at `at`. */
  read(bytes: Uint8Array, at: number, limit: number): number {
    if (limit - at < 20) return NaN
    if (!this.#minute.hit(bytes, at, 17)) {
      const separator = bytes[at + 10]
      const valid =
        bytes[at + 4] === MINUS &&
        bytes[at + 7] === MINUS &&
        (separator === 0x54 || separator === 0x20) &&
        bytes[at + 13] === COLON &&
        bytes[at + 16] === COLON
      const ms = valid
        ? dateMs(
            fourDigits(bytes, at),
            twoDigits(bytes, at + 5),
            twoDigits(bytes, at + 8),
            twoDigits(bytes, at + 11),
            twoDigits(bytes, at + 14)
          )
        : NaN
      this.#minute.store(bytes, at, 17, ms)
      if (Number.isNaN(ms)) return NaN
    }
    const seconds = twoDigits(bytes, at + 17)
    if (seconds < 0 || seconds > 60) return NaN
    let pos = at + 19
    let fraction = 0
    let digits = 0
    if (bytes[pos] === DOT) {
      pos++
      let value = 0
      for (; pos < limit; pos++) {
        const digit = bytes[pos]! - 48
        if (digit < 0 || digit > 9) break
        if (digits < 9) value = value * 10 + digit
        digits++
      }
      if (digits === 0) return NaN
      fraction = value / FRACTIONS[Math.min(digits, 9)]!
    }
    const zone = bytes[pos]
    let zoneMs = 0
    if (zone === 0x5a) pos++
    else if (zone === PLUS || zone === MINUS) {
      const colon = bytes[pos + 3] === COLON ? 1 : 0
      const hours = twoDigits(bytes, pos + 1)
      const minutes = twoDigits(bytes, pos + 3 + colon)
      if (hours < 0 || minutes < 0 || pos + 5 + colon > limit) return NaN
      zoneMs = (zone === PLUS ? 1 : -1) * (hours * 60 + minutes) * 60_000
      pos += 5 + colon
    } else return NaN
    this.end = pos
    this.fractionDigits = digits
    return this.#minute.valueMs + seconds * 1000 + fraction - zoneMs
  }
}

/** Any spelling of a JSON log's time value: RFC 3339 (also one-digit parts), `$time_local`, seconds or ms since 1970. */
export function parseTimeText(text: string): number | null {
  const iso =
    /^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?\s*(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  if (iso) {
    const base = dateMs(Number(iso[1]), Number(iso[2]), Number(iso[3]), Number(iso[4]), Number(iso[5]))
    // To the last bit as Rfc3339Reader.
    const fraction = iso[7] === undefined ? 0 : Number(iso[7]) / FRACTIONS[iso[7].length]!
    return Number.isNaN(base) ? null : base + Number(iso[6]) * 1000 + fraction - zoneOffsetMs(iso[8])
  }
  const local = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})$/.exec(text)
  if (local) {
    const base = dateMs(
      Number(local[3]),
      MONTHS.indexOf(local[2]!) + 1,
      Number(local[1]),
      Number(local[4]),
      Number(local[5])
    )
    return Number.isNaN(base) ? null : base + Number(local[6]) * 1000 - zoneOffsetMs(local[7])
  }
  if (/^\d{9,11}(?:\.\d+)?$/.test(text)) return Number(text) * 1000
  return /^\d{12,14}(?:\.\d+)?$/.test(text) ? Number(text) : null
}

function zoneOffsetMs(zone: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '')
  return match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000 : 0
}

/** `2026/11/21 10:03:12` of an error line as if it were UTC, ms; null when it is no date. */
export function parseErrorTime(text: string): number | null {
  const match = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text)
  if (!match) return null
  const base = dateMs(Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4]), Number(match[5]))
  return Number.isNaN(base) ? null : base + Number(match[6]) * 1000
}

/** `mmdd hh:mm:ss.uuuuuu` of klog in 1972, a leap year, ms; null when it is no date. */
export function parseKlogTime(text: string): number | null {
  const match = /^(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6})/.exec(text)
  if (!match) return null
  const base = dateMs(1972, Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4]))
  return Number.isNaN(base) ? null : base + Number(match[5]) * 1000 + Number(`0.${match[6]}`) * 1000
}

/** Gives a klog time its year: the one that puts it nearest to `nearMs`. */
export function withNearestYear(localTimeMs: number, nearMs: number): number {
  const month = new Date(localTimeMs)
  const year = new Date(nearMs).getUTCFullYear()
  let best = NaN
  for (const candidate of [year - 1, year, year + 1]) {
    const day = daysFromCivil(candidate, month.getUTCMonth() + 1, month.getUTCDate())
    const ms = day * DAY_MS + (localTimeMs % DAY_MS)
    if (Number.isNaN(best) || Math.abs(ms - nearMs) < Math.abs(best - nearMs)) best = ms
  }
  return best
}
