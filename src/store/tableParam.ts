import type { TableWindow } from './table.ts'

/** In ES|QL a parameter always has a value: this one stands for all. */
export const EVERY_VALUE = '*'

/** null: everything. */
export function givenParam(params: TableWindow['params'], name: string): string | null {
  const given = Object.hasOwn(params, name) ? params[name]! : EVERY_VALUE
  return given === EVERY_VALUE ? null : given
}
