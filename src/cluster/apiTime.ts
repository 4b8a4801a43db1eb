/** Times as the Kubernetes API writes them: RFC 3339 with a zone, whole seconds or parts of one. */
const API_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Unix ms; null: none, or not a time. */
export function apiTime(text: unknown): number | null {
  if (typeof text !== 'string' || !API_TIME.test(text)) return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}
