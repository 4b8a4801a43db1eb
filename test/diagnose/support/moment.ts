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
