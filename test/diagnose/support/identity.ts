import { createHash } from 'node:crypto'

/** A number that is always the same for a text: names and addresses vary from case to case and never from run to run. */
export function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0)
}

/** A uid that is always the same for a text. */
export function uidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-'
  )
}

// As Kubernetes: no vowels and no digits that look like them.
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Five letters as at the end of a pod's name. */
export function suffixOf(text: string): string {
  let rest = numberOf(text)
  let suffix = ''
  for (let i = 0; i < 5; i++) {
    suffix += SUFFIX_LETTERS[rest % SUFFIX_LETTERS.length]
    rest = Math.floor(rest / SUFFIX_LETTERS.length)
  }
  return suffix
}
