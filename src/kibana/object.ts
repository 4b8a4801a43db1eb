/** What setup puts into Kibana, and how it finds again what is its own. Pure but for a hash. */

import type { OurMark } from '../ownership.ts'
import { metaOf } from '../store/elasticsearch/templates.ts'

/** Raised on every change that an older program must not undo. */
export const KIBANA_CONTENT_VERSION = 1

export const DEFAULT_SPACE = 'default'

export type KibanaKind = 'data view' | 'saved query' | 'dashboard' | 'rule'

export interface KibanaObject {
  kind: KibanaKind
  id: string
  /** As people see it. */
  title: string
  mark: OurMark
  /** As the API of its kind takes it, with the mark in it. */
  body: Record<string, unknown>
}

/**
 * Ids are unique over all spaces of a Kibana, so those of other spaces end in the name of the space: `why5xx-overview`,
 * `why5xx-overview-shop`.
 */
export function idIn(space: string, name: string): string {
  return space === DEFAULT_SPACE ? `why5xx-${name}` : `why5xx-${name}-${space}`
}

export function markOf(content: Record<string, unknown>): OurMark {
  return metaOf(content, KIBANA_CONTENT_VERSION)
}

/** Kibana has no place for marks of others, so it stands where people read: `Managed by why5xx (version 1, content 0a1b…).` */
export function markText({ version, content }: OurMark): string {
  return `Managed by why5xx (version ${version}, content ${content}).`
}

const MARK = /Managed by why5xx \(version (\d{1,9}), content ([0-9a-f]{16})\)/

/** null: nobody's, or somebody else's. */
export function markIn(text: unknown): OurMark | null {
  const match = typeof text === 'string' ? MARK.exec(text) : null
  return match === null ? null : { managed_by: 'why5xx', version: Number(match[1]), content: match[2]! }
}
