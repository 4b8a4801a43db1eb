/** Numbers as nginx prints them, read without regular expressions: every failed request has dozens. */

/** `61` → 61; null for `-`, nothing, and everything that is not digits alone. */
export function readInteger(text: string | null | undefined): number | null {
  if (!text || text.length > 15) return null
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return null
    value = value * 10 + digit
  }
  return value
}

/** Seconds with decimals → whole ms: `0.004` → 4; null for `-`, nothing, and everything else. */
export function readSecondsAsMs(text: string | null | undefined): number | null {
  if (!text) return null
  const dot = text.indexOf('.')
  if (dot < 0) {
    const seconds = readInteger(text)
    return seconds === null ? null : seconds * 1000
  }
  const whole = readInteger(text.slice(0, dot))
  const digits = text.length - dot - 1
  const fraction = readInteger(text.slice(dot + 1))
  if (whole === null || fraction === null) return null
  return digits === 3 ? whole * 1000 + fraction : Math.round((whole + fraction / 10 ** digits) * 1000)
}
