/** Quantities of resources: `500m`, `1`, `250000000n`, `128Mi`. */

const UNITS: ReadonlyMap<string, number> = new Map([
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40]
])

/** Cores, or bytes; null: no quantity. */
export function quantityOf(text: string | number | null | undefined): number | null {
  const match = /^\s*([0-9.]+(?:e[0-9]+)?)([a-zA-Z]{0,2})\s*$/.exec(String(text ?? ''))
  if (match === null) return null
  const unit = UNITS.get(match[2]!)
  const number = Number(match[1])
  return unit === undefined || Number.isNaN(number) ? null : number * unit
}
