/** Text for people: made safe, cut to fit, counted. */

/**
 * Text of other people's for a terminal: control characters, and the marks that turn the direction of writing, become
 * `\xHH` / `\u{…}`. Log text is printable ASCII already; file names and cluster objects are not.
 */
export function safeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, char => {
    const code = char.codePointAt(0)!
    return code < 0x100
      ? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
      : `\\u{${code.toString(16).toUpperCase()}}`
  })
}

/** JSON whose text moves no cursor and turns no writing either: what `JSON.stringify` leaves as it is becomes `\\uXXXX`. */
export function jsonText(value: unknown, indent?: number): string {
  return safeJson(JSON.stringify(value, null, indent))
}

/** The same of JSON that is text already. */
export function safeJson(json: string): string {
  if (!/[^\n -~]/.test(json)) return json
  return json.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, char =>
    char.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  )
}

/** Cuts to `width` columns, with an ellipsis. */
export function clip(text: string, width: number): string {
  if (text.length <= width) return text
  // No half of a pair stays: it is no text.
  return width <= 1 ? '…'.slice(0, width) : `${text.slice(0, width - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** On as many lines as it needs, those after the first further in. Words stay whole. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width && line.trim() !== '') {
      lines.push(line)
      line = `${indent}  `
    }
    line += line.endsWith(' ') || line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

/** Parts side by side, on as many lines as they need. */
export function sideBySide(
  parts: readonly string[],
  width: number,
  paint: (part: string, index: number) => string
): string[] {
  const lines: string[] = []
  let used = Number.POSITIVE_INFINITY
  for (const [i, part] of parts.entries()) {
    if (used + 3 + part.length <= width) {
      lines[lines.length - 1] += `   ${paint(part, i)}`
      used += 3 + part.length
    } else {
      const own = wrapped(part, width, '')
      lines.push(...own.map(line => paint(line, i)))
      used = own.at(-1)!.length
    }
  }
  return lines
}

const BARS = '▁▂▃▄▅▆▇█'

/** One character a value, the largest full. A value above zero never looks like zero's blank. */
export function sparkline(values: readonly number[]): string {
  const max = Math.max(...values)
  return values
    .map(value => (value === 0 || max === 0 ? ' ' : BARS[Math.min(7, Math.ceil((value / max) * 8) - 1)]!))
    .join('')
}

/** 1204 → `1,204`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1.2`, `0.04`, `1,204`. */
export function decimal(value: number): string {
  if (value >= 100) return grouped(Math.round(value))
  if (value >= 1 || value === 0) return String(Math.round(value * 10) / 10)
  return value < 0.005 ? '< 0.01' : String(Number(value.toFixed(2)))
}

/** `45 min`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(minutes: number): string {
  const rounded = Math.max(0, Math.round(minutes))
  if (rounded < 60) return `${rounded} min`
  const hours = Math.floor(rounded / 60)
  if (hours < 48) return rounded % 60 === 0 ? `${hours} h` : `${hours} h ${rounded % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export function plural(count: number, word: string, words = `${word}s`): string {
  return `${grouped(count)} ${count === 1 ? word : words}`
}

/** `0.94 %`, `12 %`; never 0 % or 100 % unless exact. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '-'
  const share = (part / whole) * 100
  if (share > 0 && share < 0.01) return '< 0.01 %'
  if (share < 100 && share > 99.9) return '> 99.9 %'
  return `${share >= 10 || share === 0 ? share.toFixed(0) : share.toFixed(share >= 1 ? 1 : 2)} %`
}

/** Safe to paste behind a command. A name that holds what no shell quoting shows is shown as it is printed, and does not work. */
export function quoteForShell(text: string): string {
  const safe = safeText(text)
  if (/^-./.test(safe)) return quoteForShell(`./${text}`)
  return /^[\w./:@%+=,-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`
}
