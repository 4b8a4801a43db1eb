/** Times in objects: RFC 3339 text, of whole seconds or finer. */

/** Unix ms; null: absent, or no time. */
export function timeOf(text: string | null | undefined): number | null {
  if (typeof text !== 'string') return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

/** As the API writes times: whole seconds without a fraction. null: no time, or none that a date can be. */
export function timeText(ms: number | null | undefined): string | null {
  return isoText(ms)?.replace('.000Z', 'Z') ?? null
}

/** With milliseconds. null as above. */
export function isoText(ms: number | null | undefined): string | null {
  if (ms === null || ms === undefined) return null
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
