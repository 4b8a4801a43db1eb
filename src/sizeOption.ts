import { Why5xxError } from './errors.ts'

const UNITS: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}

/**
 * Bytes of `20GiB`, `1.5 TB`, `500MB`. A number without unit is refused: it is too easily meant as something else.
 * Throws Why5xxError `WHY5XX_USAGE` that shows the forms.
 */
export function parseSize(name: string, text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([kMGT]?B|[KMGT]iB)$/.exec(text)
  if (!match)
    throw new Why5xxError('WHY5XX_USAGE', `${name} ${text}: expected a size with its unit, such as 20GiB or 500MB`)
  return Math.floor(Number(match[1]) * UNITS[match[2]!]!)
}

/** 21474836480 → `20 GiB`; below ten with one digit behind the point, where that is not 0. */
export function sizeText(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find(name => bytes >= UNITS[name]!) ?? 'B'
  const value = bytes / UNITS[unit]!
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${unit}`
}
