/** Times of a report, in one zone: the time of day, with the date where a report spans more than one. */
export class ClockText {
  readonly #format: Intl.DateTimeFormat
  readonly #withDate: boolean
  readonly zone: string

  /** `zone` is an IANA name; throws a RangeError for others. */
  constructor(zone: string, fromMs: number, toMs: number) {
    this.zone = zone
    this.#withDate = Number.isFinite(fromMs) && Number.isFinite(toMs) && toMs - fromMs > 86_400_000
    this.#format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit'
    })
  }

  /** `10:02:11`, or `11-21 10:02:11`. */
  short(ms: number | null): string {
    if (ms === null || !Number.isFinite(ms)) return '-'
    const part = this.#parts(ms)
    const time = `${part.hour}:${part.minute}:${part.second}`
    return this.#withDate ? `${part.month}-${part.day} ${time}` : time
  }

  /** `2026-11-21 10:02:11`. */
  full(ms: number): string {
    const part = this.#parts(ms)
    return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`
  }

  /** `10:02`, or `11-21 10:02`: for what is known to the minute. */
  minute(ms: number): string {
    return this.short(ms).slice(0, -3)
  }

  /** `2026-11-21 10:02`. */
  fullMinute(ms: number): string {
    return this.full(ms).slice(0, -3)
  }

  #parts(ms: number): Record<string, string> {
    return Object.fromEntries(this.#format.formatToParts(ms).map(part => [part.type, part.value]))
  }
}
