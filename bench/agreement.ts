import type { Truth } from './truth.ts'

const FIELDS = ['lines', 'requests', 'failures', 'clientClosed', 'masked', 'byStatus', 'byUpstream'] as const
const SHOWN_MAX = 10

/**
 * A fast wrong answer is no figure: throws when what `explain --format json` printed differs from the generator's truth,
 * naming the first differences.
 */
export function assertAgrees(printed: string, truth: Truth, file: string): void {
  const summary = JSON.parse(printed) as Record<string, unknown>
  const differences: string[] = []
  for (const field of FIELDS) compare(field, truth[field], summary[field], differences)
  if (differences.length === 0) return
  const more = differences.length > SHOWN_MAX ? `\n  and ${differences.length - SHOWN_MAX} more` : ''
  throw new Error(
    `explain disagrees with ${file}.truth.json:\n  ${differences.slice(0, SHOWN_MAX).join('\n  ')}${more}`
  )
}

/** Keys of `explain` that the truth does not have count too, but only where the truth lists all: statuses and names. */
function compare(path: string, want: unknown, got: unknown, differences: string[]): void {
  if (typeof want !== 'object' || want === null) {
    if (want !== got) differences.push(`${path}: ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`)
    return
  }
  const wanted = want as Record<string, unknown>
  const given = (typeof got === 'object' && got !== null ? got : {}) as Record<string, unknown>
  for (const key of Object.keys(wanted))
    compare(`${path}[${JSON.stringify(key)}]`, wanted[key], given[key], differences)
  if (path !== 'byStatus' && path !== 'byUpstream') return
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(wanted, key)) differences.push(`${path}[${JSON.stringify(key)}]: not expected`)
  }
}
