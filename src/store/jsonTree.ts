/** JSON text straight from a table of fields: no object between the facts and the text. */

export interface TreeField<F> {
  /** `http.request.method`. */
  path: string
  value: (facts: F) => unknown
}

interface Branch<F> {
  key: string
  /** null: the branches make an object. */
  value: TreeField<F>['value'] | null
  branches: Branch<F>[]
}

/**
 * Compiles fields to a function that gives the text `JSON.stringify` would give of the nested object; fields that are null,
 * undefined or an empty list are left out, and so are objects without any. The code is straight, one call a field: a loop
 * over a hundred functions costs several times as much.
 */
export function compileJson<F>(fields: readonly TreeField<F>[]): (facts: F) => string {
  const values: TreeField<F>['value'][] = []
  const code = ['let part', ...objectCode(treeOf(fields), values, 0)]
  const names = values.map((_, i) => `value${i}`)
  // oxlint-disable-next-line no-implied-eval -- from the table of fields alone, no input
  const build = new Function('contentText', ...names, `return (facts, parts) => {\n${code.join('\n')}\n}`)
  const write = build(contentText, ...values) as (facts: F, parts: string[]) => void
  return facts => {
    // Joined once: a text that grows by `+=` is a tree of its parts, and dear to keep.
    const parts: string[] = []
    write(facts, parts)
    return parts.length === 0 ? '{}' : parts.join('')
  }
}

/** Statements that push the parts of one object; of an empty one nothing is left. */
function objectCode<F>(branches: readonly Branch<F>[], values: TreeField<F>['value'][], depth: number): string[] {
  const begin = `begin${depth}`
  const code = [`const ${begin} = parts.length`]
  for (const { key, value, branches: inner } of branches) {
    const prefix = `${JSON.stringify(key)}:`
    const lead = `parts.length === ${begin} ? ${JSON.stringify(`{${prefix}`)} : ${JSON.stringify(`,${prefix}`)}`
    if (value !== null) {
      values.push(value)
      code.push(`part = contentText(value${values.length - 1}(facts))`, `if (part !== '') parts.push(${lead}, part)`)
      continue
    }
    const member = `member${depth}`
    code.push('{', `const ${member} = parts.length`, `parts.push(${lead})`, ...objectCode(inner, values, depth + 1))
    code.push(`if (parts.length === ${member} + 1) parts.length = ${member}`, '}')
  }
  code.push(`if (parts.length > ${begin}) parts.push('}')`)
  return code
}

function treeOf<F>(fields: readonly TreeField<F>[]): Branch<F>[] {
  const roots: Branch<F>[] = []
  for (const { path, value } of fields) {
    const keys = path.split('.')
    let branches = roots
    for (const key of keys.slice(0, -1)) {
      let branch = branches.find(known => known.key === key)
      if (branch === undefined) branches.push((branch = { key, value: null, branches: [] }))
      branches = branch.branches
    }
    branches.push({ key: keys.at(-1)!, value, branches: [] })
  }
  return roots
}

const NEEDS_ESCAPE = /[^ !#-[\]-~]/

/** '' for what is left out. */
function contentText(content: unknown): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return NEEDS_ESCAPE.test(content) ? JSON.stringify(content) : `"${content}"`
  if (typeof content === 'number' || typeof content === 'boolean') return String(content)
  return Array.isArray(content) && content.length === 0 ? '' : JSON.stringify(content)
}
