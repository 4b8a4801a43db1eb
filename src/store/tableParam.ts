import type { TableWindow } from './table.ts'

/** In ES|QL a parameter always has a value: this one stands for all. */
export const EVERY_VALUE = '*'

/** One of these; null: everything. */
export function givenParam(params: TableWindow['params'], name: string): readonly string[] | null {
  const given = Object.hasOwn(params, name) ? params[name]! : EVERY_VALUE
  if (given === EVERY_VALUE) return null
  return typeof given === 'string' ? [given] : given
}
