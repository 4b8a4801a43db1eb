/** Times in objects: RFC 3339 text, of whole seconds or finer. */

/** Unix ms; null: absent, or no time. */
export function timeOf(text: string | null | undefined): number | null {
  if (typeof text !== 'string') return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

/** As the API writes times: whole seconds without a fraction. null stays null. */
export function timeText(ms: number): string
export function timeText(ms: number | null | undefined): string | null
export function timeText(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString().replace('.000Z', 'Z')
}
