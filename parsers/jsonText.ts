/**
 * Reads JSON that is often none: access logs whose format puts variables between braces. nginx writes `-`, lists and
 * nothing at all where a number is expected, and escapes that JSON does not know (`\xC5`), so a strict parser fails on
 * just those lines that matter. This one takes every `"key": value` it can find, keeps what it read when the line is cut,
 * and says where it stopped.
 */

export interface JsonPairs {
  /** Path of keys in lower case without `.`, `_`, `-` (`http.response.status_code` and nesting alike) → value as text. */
  values: Map<string, string>
  /** Column (from 1) of the first byte that could not be read, null when the object was read to its end. */
  brokenAt: number | null
}

const DEPTH_MAX = 8
const PAIRS_MAX = 512

/** `text` is Latin-1; values come back in nginx's escape spelling (escape.ts). */
export function readJsonPairs(text: string): JsonPairs {
  const values = new Map<string, string>()
  const path: string[] = []
  let pos = skipBlanks(text, 0)
  const broken = (at: number): JsonPairs => ({ values, brokenAt: at + 1 })
  if (text[pos] !== '{') return broken(pos)
  pos++
  for (;;) {
    pos = skipBlanks(text, pos)
    if (pos >= text.length) return broken(pos)
    const char = text[pos]!
    if (char === ',') {
      pos++
      continue
    }
    if (char === '}') {
      pos++
      pos = skipBlanks(text, pos)
      if (path.length === 0) return pos === text.length ? { values, brokenAt: null } : broken(pos)
      path.pop()
      continue
    }
    if (char !== '"') return broken(pos)
    const key = readText(text, pos)
    if (key === null) return broken(pos)
    pos = skipBlanks(text, key.end)
    if (text[pos] !== ':') return broken(pos)
    pos = skipBlanks(text, pos + 1)
    const name = key.value.toLowerCase().replace(/[._-]/g, '')
    if (text[pos] === '{') {
      if (path.length >= DEPTH_MAX) return broken(pos)
      path.push(name)
      pos++
      continue
    }
    const value = text[pos] === '"' ? readText(text, pos) : readBare(text, pos)
    if (value === null || values.size >= PAIRS_MAX) {
      // A text that the end of the line cuts is kept: its beginning was logged.
      if (value === null) values.set(path.join('') + name, canonical(text.slice(pos + 1)))
      return broken(text.length)
    }
    values.set(path.join('') + name, value.value)
    pos = value.end
  }
}

interface Piece {
  value: string
  end: number
}

function skipBlanks(text: string, from: number): number {
  let pos = from
  while (pos < text.length && (text[pos] === ' ' || text[pos] === '\t')) pos++
  return pos
}

function readText(text: string, from: number): Piece | null {
  let pos = from + 1
  for (;;) {
    pos = text.indexOf('"', pos)
    if (pos < 0) return null
    let slashes = 0
    while (text[pos - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return { value: canonical(text.slice(from + 1, pos)), end: pos + 1 }
    pos++
  }
}

/** A bare value reaches to the comma before the next key, or to the brace: `0.001, 0.002,` and `-` and nothing at all. */
function readBare(text: string, from: number): Piece {
  let end = from
  for (;;) {
    const char = text[end]
    if (char === undefined || char === '}') break
    if (char === ',' && /^\s*["}]/.test(text.slice(end + 1, end + 8))) break
    end++
  }
  const value = text.slice(from, end).trim()
  return { value: value === 'null' ? '' : canonical(value), end }
}

/** JSON escapes and raw bytes → nginx's spelling; `\xHH` stays, quotes and backslashes become `\x22`, `\x5C`. */
export function canonical(text: string): string {
  return text.replace(/\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)?|[^\x20-\x7e]|"/gs, part => {
    if (part.startsWith('\\x') && part.length === 4) return `\\x${part.slice(2).toUpperCase()}`
    if (part.startsWith('\\u') && part.length === 6)
      return utf8Hex(String.fromCharCode(Number.parseInt(part.slice(2), 16)))
    if (part.length === 2) return UNESCAPED.get(part[1]!) ?? utf8Hex(part)
    return byteHex(part.charCodeAt(0))
  })
}

const UNESCAPED = new Map([
  ['n', '\\x0A'],
  ['r', '\\x0D'],
  ['t', '\\x09'],
  ['b', '\\x08'],
  ['f', '\\x0C'],
  ['"', '\\x22'],
  ['\\', '\\x5C'],
  ['/', '/']
])

function byteHex(byte: number): string {
  return `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

function utf8Hex(chars: string): string {
  let out = ''
  for (const byte of new TextEncoder().encode(chars))
    out += byte >= 0x20 && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c ? String.fromCharCode(byte) : byteHex(byte)
  return out
}
