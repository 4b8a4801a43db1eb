/** Times of a case, all told in seconds from the failure: -5 is five seconds before it. */
export class Moments {
  readonly #zeroMs: number

  /** @param failureTime RFC 3339 */
  constructor(failureTime: string) {
    this.#zeroMs = Date.parse(failureTime)
  }

  /** RFC 3339 with whole seconds, as the API writes times. */
  at(seconds: number): string {
    return new Date(this.#zeroMs + seconds * 1000).toISOString().replace(/\.000Z$/, 'Z')
  }
}

export const MINUTE = 60
export const HOUR = 3600
export const DAY = 86_400

/** A copy in which every RFC 3339 time is later by so much, ms; in whole seconds where the time has none of its own. */
export function shifted<T>(value: T, byMs: number): T {
  const text = JSON.stringify(value).replaceAll(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, time =>
    new Date(Date.parse(time) + byMs).toISOString().replace(/\.000Z$/, 'Z')
  )
  return JSON.parse(text) as T
}
