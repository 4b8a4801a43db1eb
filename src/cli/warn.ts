import { safeText } from '../text.ts'

/** A sentence on stderr, beside what is printed. */
export function warn(text: string): void {
  process.stderr.write(`why5xx: ${safeText(text)}\n`)
}
