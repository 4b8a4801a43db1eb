import { endOfJsonText } from './scanner.ts'

/** A text, number, true, false or null somewhere in a JSON object. */
export interface JsonScalar {
  /** Keys and indexes from the outermost object in, joined by a line feed. */
  path: string
  kind: 'text' | 'number' | 'word'
  /** Its bytes, a text's quotes included. */
  start: number
  end: number
}

const DEPTH_MAX = 8
const SCALARS_MAX = 200
const QUOTE = 0x22

/** Every scalar of a valid JSON object in the order of its bytes; null when it is too deep or too large, or says a thing twice. */
export function jsonScalars(bytes: Buffer, start: number, end: number): JsonScalar[] | null {
  const scalars: JsonScalar[] = []
  const paths = new Set<string>()
  /** Reads a value that begins at or behind `from`; returns its end, -1 when there is too much. */
  const read = (from: number, path: readonly string[]): number => {
    let pos = skipBlanks(bytes, from)
    const first = bytes[pos]!
    if (first !== 0x7b && first !== 0x5b) {
      const valueEnd = first === QUOTE ? endOfText(bytes, pos, end) : endOfWord(bytes, pos)
      const joined = path.join('\n')
      if (paths.has(joined) || scalars.length === SCALARS_MAX) return -1
      paths.add(joined)
      const kind = first === QUOTE ? 'text' : first === 0x2d || (first >= 0x30 && first <= 0x39) ? 'number' : 'word'
      scalars.push({ path: joined, kind, start: pos, end: valueEnd })
      return valueEnd
    }
    if (path.length === DEPTH_MAX) return -1
    const isObject = first === 0x7b
    const keys = new Set<string>()
    for (let index = 0; ; index++) {
      pos = skipBlanks(bytes, pos + 1)
      if (bytes[pos] === 0x7d || bytes[pos] === 0x5d) return pos + 1
      let key = String(index)
      if (isObject) {
        const keyEnd = endOfText(bytes, pos, end)
        key = JSON.parse(Buffer.prototype.utf8Slice.call(bytes, pos, keyEnd)) as string
        if (keys.has(key)) return -1
        keys.add(key)
        pos = skipBlanks(bytes, keyEnd) + 1
      }
      pos = read(pos, [...path, key])
      if (pos < 0) return -1
      pos = skipBlanks(bytes, pos)
      if (bytes[pos] !== 0x2c) return pos + 1
    }
  }
  return read(start, []) < 0 ? null : scalars
}

function skipBlanks(bytes: Buffer, from: number): number {
  let pos = from
  while (bytes[pos] === 0x20 || bytes[pos] === 0x09 || bytes[pos] === 0x0a || bytes[pos] === 0x0d) pos++
  return pos
}

function endOfText(bytes: Buffer, from: number, end: number): number {
  return endOfJsonText(bytes, from + 1, end) + 1
}

/** Of a number or a word: up to the comma, bracket or blank behind it. */
function endOfWord(bytes: Buffer, from: number): number {
  let pos = from
  while (bytes[pos]! > 0x20 && bytes[pos] !== 0x2c && bytes[pos] !== 0x5d && bytes[pos] !== 0x7d) pos++
  return pos
}
