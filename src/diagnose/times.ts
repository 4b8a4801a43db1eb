/** Times in objects: RFC 3339 text, of whole seconds or finer. */

/** Unix ms; null: absent, or no time. */
export function timeOf(text: string | null | undefined): number | null {
  if (typeof text !== 'string') return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

/** As objects write it: no fraction when it is zero. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
