/**
 * Citations taken apart again: sentences and commands need the values that rules cited.
 *
 *   Pod shop/a-1 status.containerStatuses[app].restartCount=3   → Pod, shop, a-1, status.containerStatuses.restartCount, [app], 3
 *   Event Pod shop/a-1 reason=Unhealthy                         → the same, of an Event
 *   Service shop/x absent                                       → no path, no value
 */

export interface Citation {
  /** Of an Event: the kind of what it is about. */
  kind: string
  /** '' for cluster kinds. */
  namespace: string
  name: string
  isEvent: boolean
  /** As cited: `status.containerStatuses[app].restartCount`; '' where the object itself is absent. */
  path: string
  /** The path without what stands in brackets: `status.containerStatuses.restartCount`. */
  fields: string
  /** What stands in brackets, in order: `app`. */
  keys: readonly string[]
  /** null: absent. */
  value: string | null
}

const OBJECT = /^(Event )?([A-Z][A-Za-z]*) ([^\s/]+)(?:\/([^\s/]+))? (\S[\s\S]*)$/

/** null: no citation, or one of an object with a name that no API server accepts. */
export function parseCitation(text: string): Citation | null {
  const match = OBJECT.exec(text)
  if (match === null) return null
  const [, event, kind = '', first = '', second, rest = ''] = match
  const object = {
    kind,
    namespace: second === undefined ? '' : first,
    name: second ?? first,
    isEvent: event !== undefined
  }
  if (rest === 'absent') return { ...object, path: '', fields: '', keys: [], value: null }
  const path = pathOf(rest)
  if (path === null) return null
  const value = rest.slice(path.end + 1)
  const { fields, keys } = path
  return { ...object, path: rest.slice(0, path.end), fields, keys, value: value === 'absent' ? null : value }
}

/** `Pod shop/a-1`. */
export function objectOf({ kind, namespace, name }: Pick<Citation, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`
}

/**
 * The path up to the first `=` outside of brackets. Keys may hold brackets of their own, as paths of an Ingress with a
 * regular expression do: they are counted.
 */
function pathOf(text: string): { end: number; fields: string; keys: string[] } | null {
  const keys: string[] = []
  let fields = ''
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!
    if (letter === '[' && depth++ === 0) from = i + 1
    else if (letter === ']' && depth > 0 && --depth === 0) keys.push(text.slice(from, i))
    else if (depth === 0 && letter === '=') return fields === '' ? null : { end: i, fields, keys }
    else if (depth === 0 && /\s/.test(letter)) return null
    else if (depth === 0) fields += letter
  }
  return null
}
