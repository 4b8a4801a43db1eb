/**
 * Citations, and the patterns that expectations have for them.
 *
 *   Pod shop/a-1 status.containerStatuses[app].lastState.terminated.reason=OOMKilled
 *   Event Pod shop/a-1 reason=Unhealthy        an event, through what it is about
 *   Node worker-1 status.conditions[Ready].status=Unknown
 *   Service shop/x absent
 *
 * A pattern may leave out the path's beginning and its list keys, compare with `~` (contains), or end before the operator.
 */

export interface Citation {
  /** `Pod shop/a-1`, `Event Pod shop/a-1`, `Node worker-1`. */
  object: string
  path: Segment[]
  operator: '=' | '~' | null
  value: string
}

interface Segment {
  text: string
  kind: 'field' | 'listKey' | 'mapKey'
}

// Objects whose keys in brackets are names of the map, not of a list's members: those belong to the path.
const MAPS = new Set(['annotations', 'labels', 'selector', 'matchLabels', 'data', 'limits', 'requests', 'hard', 'used'])

const OBJECT = /^((?:Event )?[A-Z][A-Za-z]* [^\s/]+(?:\/[^\s/]+)?)(?: ([\s\S]+))?$/

/** A citation is an object, a path and a value, or an object that is absent; null: the text is none of these. */
export function parseCitation(text: string): Citation | null {
  const parsed = parse(text)
  if (parsed === null || parsed.operator === '~') return null
  const isAbsent = parsed.path.length === 1 && parsed.path[0]!.text === 'absent' && parsed.operator === null
  return isAbsent || (parsed.path.length > 0 && parsed.operator === '=') ? parsed : null
}

/** Throws where a case's author wrote something else. */
export function parsePattern(text: string): Citation {
  const parsed = parse(text)
  if (parsed === null) throw new Error(`no pattern of a citation: ${text}`)
  return parsed
}

function parse(text: string): Citation | null {
  const match = OBJECT.exec(text)
  if (match === null) return null
  const [, object = '', rest = ''] = match
  const end = operatorAt(rest)
  const path = segments(rest.slice(0, end))
  if (path === null) return null
  const operator = rest[end] as '=' | '~' | undefined
  return { object, path, operator: operator ?? null, value: rest.slice(end + 1) }
}

/** Place of the first `=` or `~` that stands in no brackets; the text's length when there is none. */
function operatorAt(text: string): number {
  let isInBrackets = false
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!
    if (letter === '[') isInBrackets = true
    else if (letter === ']') isInBrackets = false
    else if (!isInBrackets && (letter === '=' || letter === '~')) return i
  }
  return text.length
}

function segments(path: string): Segment[] | null {
  const found: Segment[] = []
  let rest = path
  while (rest !== '') {
    const match = /^(?:\[([^\]]*)\]|\.?([^.[\]\s]+))/.exec(rest)
    if (match === null) return null
    const [whole, key, field] = match
    if (key === undefined) found.push({ text: field!, kind: 'field' })
    else found.push({ text: key, kind: MAPS.has(found.at(-1)?.text ?? '') ? 'mapKey' : 'listKey' })
    rest = rest.slice(whole.length)
  }
  return found
}

/** Does a citation meet the pattern? One that is malformed meets none. */
export function isMetBy(pattern: Citation, text: string): boolean {
  const citation = parseCitation(text)
  if (citation === null || citation.object !== pattern.object) return false
  // An object that is absent has no field.
  if (pattern.path.length === 0) return citation.operator !== null
  if (pattern.operator === null) {
    return citation.path.some((_, i) => endsWith(citation.path.slice(0, i + 1), pattern.path))
  }
  if (!endsWith(citation.path, pattern.path)) return false
  return pattern.operator === '=' ? citation.value === pattern.value : citation.value.includes(pattern.value)
}

/** Is the citation about that object, itself or through an event? `pattern` may go on with a path, as any pattern. */
export function citesObject(pattern: string, text: string): boolean {
  const wanted = parsePattern(pattern)
  if (wanted.path.length > 0) return isMetBy(wanted, text)
  const object = parse(text)?.object
  return object === wanted.object || object === `Event ${wanted.object}`
}

/** From the end, segment by segment; list keys that the pattern leaves out are skipped. */
function endsWith(path: Segment[], pattern: Segment[]): boolean {
  let at = path.length - 1
  for (let i = pattern.length - 1; i >= 0; i--) {
    const wanted = pattern[i]!
    while (at >= 0 && path[at]!.kind === 'listKey' && wanted.kind !== 'listKey') at--
    if (at < 0 || path[at]!.text !== wanted.text || path[at]!.kind !== wanted.kind) return false
    at--
  }
  return true
}
