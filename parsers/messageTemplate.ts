/**
 * Templates of messages: literal text with placeholders, matched as a prefix, and an index over many of them.
 *
 *   connect() to <addr> failed (<errno>: <strerror>)
 *   → head 'connect() to ', then [word ' failed ('] [digits ': '] [any ')']
 *
 * No regular expression per template: every literal is looked for once, from left to right, so that a match costs time
 * linear in the text whatever the bytes are, and building 850 templates costs about a millisecond.
 */

type Kind = 'any' | 'digits' | 'word'

export interface Template {
  head: string
  /** Placeholder kinds; `literals[i]` is the text behind placeholder i, '' only for a placeholder at the very end. */
  kinds: Kind[]
  literals: string[]
  /** Characters of literal text, the number of a fixed errno not counted: how much of a text the template explains. */
  weight: number
  /** True for `(111: Connection refused)`, false for `(<errno>: <strerror>)` and without one. */
  hasErrno: boolean
}

const DIGITS = new Set(['n', 'nnn', 'errno', 'line', 'pid', 'fd'])
const WORDS = new Set(['host', 'addr', 'i', 'value', 'annotation'])
/** A placeholder at the start of a template must not swallow a whole message. */
const HEAD_PLACEHOLDER_MAX = 64

/** `(110: Operation timed out)` becomes `(110: <strerror>)`: the C libraries word it differently. */
export function compileTemplate(message: string): Template {
  const errno = /\((\d+): [A-Z][^<>()]*\)/.exec(message)
  // Lua names chunks as it likes, also `rewrite_by_lua(nginx.conf:210):1`: where an error says where, anything may stand.
  const whole = message.replace('<file>:<line>: <error>', '<error>')
  const text = errno ? whole.replace(errno[0], `(${errno[1]}: <strerror>)`) : whole
  const parts = text.split(/((?:<[^<>]+>)+)/)
  const kinds: Kind[] = []
  const literals: string[] = []
  let weight = parts[0].length
  for (let i = 1; i < parts.length; i += 2) {
    // A quoted value is what somebody sent, blanks and all.
    const isQuoted = parts[i].endsWith('<value>') && parts[i + 1].startsWith('"')
    kinds.push(isQuoted ? 'any' : kindOf(parts[i].slice(1, -1)))
    literals.push(parts[i + 1])
    weight += parts[i + 1].length
  }
  return { head: parts[0], kinds, literals, weight: weight - (errno ? errno[1].length : 0), hasErrno: errno !== null }
}

function kindOf(name: string): Kind {
  if (DIGITS.has(name)) return 'digits'
  return WORDS.has(name) || (name.endsWith('-annotation') && !name.includes('<')) ? 'word' : 'any'
}

/**
 * 1: the text begins with the template. 0: it does not. Negative, with `isCut` only: the text ended inside the template,
 * after that many (negated) characters of literal text.
 */
export function matchTemplate(template: Template, text: string, isCut: boolean): number {
  const { head, kinds, literals } = template
  if (!text.startsWith(head)) return isCut && head.startsWith(text) ? -text.length : 0
  let position = head.length
  let matched = head.length
  for (let i = 0; i < kinds.length; i++) {
    const literal = literals[i]
    if (kinds[i] === 'digits') {
      const end = skipDigits(text, position)
      if (end === position) return isCut && end === text.length ? -matched : 0
      position = end
      if (!text.startsWith(literal, position)) {
        return isCut && literal.startsWith(text.slice(position)) ? -(matched + text.length - position) : 0
      }
    } else if (literal !== '') {
      const found = findLiteral(text, literal, position, kinds[i + 1] === 'digits')
      if (found < 0 && !isCut) return 0
      const partial = found < 0 ? overlap(text, position, literal) : 0
      const end = found < 0 ? text.length - partial : found
      if (kinds[i] === 'word' && text.slice(position, end).includes(' ')) return 0
      if (position === 0 && (found < 0 || found > HEAD_PLACEHOLDER_MAX)) return 0
      if (found < 0) return -(matched + partial)
      position = found
    }
    position += literal.length
    matched += literal.length
  }
  // A placeholder at the very end takes the rest, `no memory<ctx>`; fixed text ends where a word ends.
  return literals.at(-1) === '' || endsOnBoundary(text, position) ? 1 : 0
}

/** First occurrence at or behind `from`; with `beforeDigits`, the first one that a number follows. */
function findLiteral(text: string, literal: string, from: number, beforeDigits: boolean): number {
  let found = text.indexOf(literal, from)
  while (beforeDigits && found >= 0 && skipDigits(text, found + literal.length) === found + literal.length) {
    found = text.indexOf(literal, found + 1)
  }
  return found
}

/** How many characters of `literal` the text ends in, at or behind `from`. */
function overlap(text: string, from: number, literal: string): number {
  let length = Math.min(literal.length, text.length - from)
  while (length > 0 && !text.endsWith(literal.slice(0, length))) length--
  return length
}

/** Behind `-?[0-9]+` at `position`, or `position` without a number there. */
function skipDigits(text: string, position: number): number {
  let end = text.charCodeAt(position) === 0x2d ? position + 1 : position
  const start = end
  while (isDigit(text.charCodeAt(end))) end++
  return end === start ? position : end
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isWordCode = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f

/** `exit` is not the beginning of `exiting`. */
function endsOnBoundary(text: string, position: number): boolean {
  return position === 0 || !isWordCode(text.charCodeAt(position)) || !isWordCode(text.charCodeAt(position - 1))
}

/** Templates found by their first characters. */
export class TemplateIndex<T extends { template: Template }> {
  readonly #byLongHead = new Map<string, T[]>()
  readonly #byShortHead = new Map<string, T[]>()
  readonly #byFour = new Map<string, T[]>()
  /** Templates whose head is too short to look up: `"<text>" is not found`, `<n> worker_connections …`. */
  readonly #loose: T[] = []

  constructor(entries: readonly T[]) {
    for (const entry of entries) {
      const { head } = entry.template
      if (head.length >= 16) push(this.#byLongHead, head.slice(0, 16), entry)
      else if (head.length >= 4) push(this.#byShortHead, head.slice(0, 4), entry)
      else this.#loose.push(entry)
      if (head.length >= 4) push(this.#byFour, head.slice(0, 4), entry)
    }
  }

  /** Every entry whose template the text begins with. */
  find(text: string): T[] {
    const found: T[] = []
    keepMatching(this.#byLongHead.get(text.slice(0, 16)), text, found)
    keepMatching(this.#byShortHead.get(text.slice(0, 4)), text, found)
    if (found.length === 0) keepMatching(this.#loose, text, found)
    return found
  }

  /** The entries that a cut text may have been: those that explain most of it, if that is `literalMin` characters. */
  findCut(text: string, literalMin: number): T[] {
    let best = literalMin
    let found: T[] = []
    for (const entry of this.#byFour.get(text.slice(0, 4)) ?? []) {
      const literal = -matchTemplate(entry.template, text, true)
      if (literal < best) continue
      if (literal > best) found = []
      best = literal
      found.push(entry)
    }
    return found
  }
}

function push<T>(map: Map<string, T[]>, key: string, entry: T): void {
  const entries = map.get(key)
  if (entries) entries.push(entry)
  else map.set(key, [entry])
}

function keepMatching<T extends { template: Template }>(entries: T[] | undefined, text: string, found: T[]): void {
  if (!entries) return
  for (const entry of entries) if (matchTemplate(entry.template, text, false) === 1) found.push(entry)
}
