/** A filter as an SQL condition. Values are bound, never written into the text: service names come from users. */

import type { StoreFilter } from '../store.ts'

export class Parameters {
  readonly values: string[] = []

  /** The placeholder of a value. */
  text(value: string): string {
    this.values.push(value)
    return `$${this.values.length}`
  }

  list(values: readonly string[]): string {
    return `(${values.map(value => this.text(value)).join(', ')})`
  }
}

export const NO_CONDITION = 'true'

/** By time alone; `column` is a TIMESTAMP. */
export function timeCondition(column: string, { fromMs, toMs }: Pick<StoreFilter, 'fromMs' | 'toMs'>): string {
  const parts: string[] = []
  if (fromMs !== Number.NEGATIVE_INFINITY) parts.push(`${column} >= ${timestamp(Math.ceil(fromMs))}`)
  if (toMs !== Number.POSITIVE_INFINITY) parts.push(`${column} < ${timestamp(Math.ceil(toMs))}`)
  return parts.join(' AND ') || NO_CONDITION
}

/** The same as `matchesService` of store.ts. Totals have an upstream name alone. */
export function serviceCondition(services: readonly string[], parameters: Parameters, hasService: boolean): string {
  if (services.length === 0) return NO_CONDITION
  const parts = [`upstream IN ${parameters.list(services)}`]
  if (hasService) parts.push(`service IN ${parameters.list(services)}`)
  for (const service of services) {
    if (!service.includes('/')) continue
    // Everything before the last hyphen, which stands before the port.
    const prefix = `${service.replace('/', '-')}-`
    const given = parameters.text(prefix)
    parts.push(`(starts_with(upstream, ${given}) AND NOT contains(substr(upstream, length(${given}) + 1), '-'))`)
  }
  return `(${parts.join(' OR ')})`
}

export function failureCondition(filter: StoreFilter, parameters: Parameters): string {
  const parts = [timeCondition('time', filter), serviceCondition(filter.services, parameters, true)]
  if (filter.causes.length > 0) parts.push(`cause IN ${parameters.list(filter.causes)}`)
  if (filter.pods.length > 0)
    parts.push(
      `(pod IN ${parameters.list(filter.pods)} OR address IN ${parameters.list(filter.pods)} OR regexp_replace(address, ':[0-9]+$', '') IN ${parameters.list(filter.pods)})`
    )
  if (filter.statuses.length > 0)
    parts.push(`status IN (${filter.statuses.map(status => Math.trunc(Number(status))).join(', ')})`)
  return parts.filter(part => part !== NO_CONDITION).join(' AND ') || NO_CONDITION
}

export function timestamp(ms: number): string {
  return `make_timestamp(${BigInt(ms) * 1_000n})`
}
