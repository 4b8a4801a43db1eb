/** JSON text straight from a table of fields: no object between the facts and the text. */

export interface TreeField<F> {
  /** `http.request.method`. */
  path: string
  value: (facts: F) => unknown
}

/** The fields as the tree that a document is: what is written for every failure is looked up once. */
export interface Branch<F> {
  /** `"method":`. */
  prefix: string
  /** null: the branches make an object. */
  value: TreeField<F>['value'] | null
  branches: Branch<F>[]
}

export function treeOf<F>(fields: readonly TreeField<F>[]): Branch<F>[] {
  const roots: Branch<F>[] = []
  for (const { path, value } of fields) {
    const keys = path.split('.').map(key => `${JSON.stringify(key)}:`)
    let branches = roots
    for (const prefix of keys.slice(0, -1)) {
      let branch = branches.find(known => known.prefix === prefix)
      if (branch === undefined) branches.push((branch = { prefix, value: null, branches: [] }))
      branches = branch.branches
    }
    branches.push({ prefix: keys.at(-1)!, value, branches: [] })
  }
  return roots
}

/** The same text that `JSON.stringify` gives of the nested object; fields that are null, undefined or an empty list are left out. */
export function objectText<F>(branches: readonly Branch<F>[], facts: F): string {
  // Parts are joined once: a text that grows by `+=` is a tree of its parts, and dear to keep.
  const parts: string[] = ['{']
  addMembers(branches, facts, parts)
  parts.push('}')
  return parts.join('')
}

function addMembers<F>(branches: readonly Branch<F>[], facts: F, parts: string[]): void {
  const before = parts.length
  for (const { prefix, value, branches: inner } of branches) {
    const begin = parts.length
    const lead = begin === before ? prefix : `,${prefix}`
    if (value !== null) {
      const content = value(facts)
      if (content === null || content === undefined) continue
      if (typeof content === 'string') parts.push(lead, quoted(content))
      else if (!Array.isArray(content) || content.length > 0) parts.push(lead, JSON.stringify(content))
      continue
    }
    parts.push(lead, '{')
    addMembers(inner, facts, parts)
    if (parts.length === begin + 2) parts.length = begin
    else parts.push('}')
  }
}

const NEEDS_ESCAPE = /[^ !#-[\]-~]/

function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`
}
