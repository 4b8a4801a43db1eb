/** Flags that several commands read in the same way. All throw Why5xxError `WHY5XX_USAGE`. */

import { Why5xxError } from '../errors.ts'
import { durationMs, parseTimeOption } from '../timeOption.ts'

export interface TimeFlags {
  from?: string
  to?: string
  since?: string
  timeZone?: string
}

/** `[fromMs, toMs)`, Unix ms; ±Infinity where nothing was said. */
export function timeRange(flags: TimeFlags, nowMs = Date.now()): { fromMs: number; toMs: number } {
  if (flags.since !== undefined && flags.from !== undefined)
    throw new Why5xxError('WHY5XX_USAGE', '--since and --from say the same thing: give one')
  const since = flags.since === undefined ? null : nowMs - durationMs('--since', flags.since.replace(/^-/, ''))
  // A time without a zone is never taken for UTC by accident.
  const zone = flags.timeZone ?? null
  const fromMs =
    since ?? (flags.from === undefined ? Number.NEGATIVE_INFINITY : parseTimeOption('--from', flags.from, nowMs, zone))
  const toMs = flags.to === undefined ? Number.POSITIVE_INFINITY : parseTimeOption('--to', flags.to, nowMs, zone)
  if (fromMs >= toMs) throw new Why5xxError('WHY5XX_USAGE', '--from must be before --to')
  return { fromMs, toMs }
}

/** null: all. `more`: what else may be asked for. */
export async function wantedCauses(
  slugs: string[] | undefined,
  more: readonly string[] = []
): Promise<Set<string> | null> {
  if (slugs === undefined) return null
  const { CAUSES } = await import('../../parsers/causes.ts')
  const known: readonly string[] = [...CAUSES, ...more]
  for (const slug of slugs) {
    if (known.includes(slug)) continue
    const { nearest } = await import('../nearest.ts')
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `--cause ${slug}: there is no such cause; did you mean ${nearest(slug, known)}? why5xx causes lists them`
    )
  }
  return new Set(slugs)
}

export function checkFormat(format: string, known: readonly string[]): void {
  if (!known.includes(format))
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected one of ${known.join(', ')}`)
}

export function checkZone(zone: string): void {
  // Intl is dear to load, and the usual zone needs no check.
  if (zone === 'UTC') return
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch (error) {
    throw new Why5xxError('WHY5XX_USAGE', `--time-zone ${zone}: expected an IANA name such as Europe/Berlin or UTC`, {
      cause: error
    })
  }
}

/** `--limit 100`; 0 is no limit. */
export function limitOf(text: string | undefined, usual: number): number {
  if (text === undefined) return usual
  if (!/^\d{1,9}$/.test(text))
    throw new Why5xxError('WHY5XX_USAGE', `--limit ${text}: expected a whole number, 0 for all`)
  return text === '0' ? Number.POSITIVE_INFINITY : Number(text)
}
