/** What setup found where it wants to put something: ours, another's, or nothing. The same in Elasticsearch and in Kibana. */

import { Why5xxError, type Why5xxErrorCode } from './errors.ts'

/** Marks what is ours. `content` tells whether what is there is what we would write. */
export interface OurMark {
  managed_by: 'why5xx'
  version: number
  content: string
}

export type Outcome = 'created' | 'updated' | 'unchanged'

/** `found` null: there is nothing; without a mark in it: it is not ours. */
export interface Place {
  /** `index template why5xx-failure`. */
  name: string
  /** What we would write. */
  ours: OurMark
  found: { mark: Partial<OurMark> | null } | null
}

export function outcomeOf({ ours, found }: Place): Outcome {
  if (found === null) return 'created'
  return found.mark?.content === ours.content ? 'unchanged' : 'updated'
}

/** Throws Why5xxError of this code that names everything that is not ours, or that a newer program made. */
export function refuseOthers(places: readonly Place[], code: Why5xxErrorCode): void {
  const named = (isMeant: (mark: Partial<OurMark> | null, ours: OurMark) => boolean): string =>
    places
      .filter(({ found, ours }) => found !== null && isMeant(found.mark, ours))
      .map(({ name }) => name)
      .join(', ')
  const foreign = named(mark => mark?.managed_by !== 'why5xx')
  if (foreign !== '')
    throw new Why5xxError(
      code,
      `not made by why5xx, and left alone: ${foreign}. Rename or delete it, then run setup again`
    )
  const newer = named((mark, ours) => Number(mark?.version) > ours.version)
  if (newer !== '')
    throw new Why5xxError(code, `made by a newer why5xx, and left alone: ${newer}. Run setup with that version`)
}
