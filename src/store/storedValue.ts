/** Values in stored documents, which come from servers and files that others can write to: of the type that is asked for, or none. */

import { isRecord, ownField } from '../cluster/fieldShape.ts'
import { ROOT_CAUSES, type RootCause } from '../diagnose/rootCauses.ts'

/** null: none that this program knows. */
export function rootCauseOf(value: unknown): RootCause | null {
  return (ROOT_CAUSES as readonly unknown[]).includes(value) ? (value as RootCause) : null
}

/** `why5xx.root_cause`; undefined: it is not there. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner, key) => (isRecord(inner) ? ownField(inner, key) : undefined), value)
}

/** Elasticsearch takes one value for a list of one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}

/** null: no text, or an empty one. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** null: no finite number. */
export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
