import { FIELDS } from '../../../src/store/elasticsearch/fields.ts'
import type { Kind } from '../../../src/store/elasticsearch/names.ts'

/** Paths of a document that its kind's table of fields does not name. What lies in a `stored` field needs no name. */
export function unmappedPaths(kind: Kind, document: Record<string, unknown>): string[] {
  const mapped = new Set(FIELDS[kind].map(([path]) => path))
  const unmapped: string[] = []
  const look = (value: unknown, path: string): void => {
    if (mapped.has(path)) return
    if (typeof value !== 'object' || value === null || Array.isArray(value)) unmapped.push(path)
    else for (const [key, inner] of Object.entries(value)) look(inner, path === '' ? key : `${path}.${key}`)
  }
  look(document, '')
  return unmapped
}
