import type { RecordLine } from '../parsers/reader.ts'
import type { ParsedRecord } from '../parsers/record.ts'
import { withNearestYear } from '../parsers/time.ts'
import { zoneOffsetMs } from './timeOption.ts'

const QUARTER_HOUR_MS = 900_000
/** A stamp and nginx's own time this close tell of one moment; further apart the envelope belongs to a replay. */
const SAME_MOMENT_MS = 2_000

/**
 * Gives every record of one source its place in time. Record time is the envelope's stamp where there is one, else the
 * line's own second. Error lines and klog print local time without a zone, klog not even a year: the zone is that of the
 * envelope or of the access lines of the same source, else `timeZone`; the year is the one nearest to the last dated record,
 * else to the file's time.
 */
export class RecordClock {
  readonly #timeZone: string
  readonly #fileTimeMs: number | null
  #zoneMs: number | null = null
  #lastMs: number | null = null

  /** `timeZone` is an IANA name. */
  constructor(timeZone: string, fileTimeMs: number | null) {
    this.#timeZone = timeZone
    this.#fileTimeMs = fileTimeMs
  }

  /** Offset of the container's clock, from an access line. */
  setZone(zoneMs: number): void {
    if (!Number.isNaN(zoneMs)) this.#zoneMs = zoneMs
  }

  get zoneMs(): number | null {
    return this.#zoneMs
  }

  /** Time came this far by lines that this clock was not asked for: klog's year is near it. */
  saw(ms: number): void {
    if (!Number.isNaN(ms)) this.#lastMs = ms
  }

  /** Unix ms, null when nothing tells. */
  of(record: ParsedRecord, line: Pick<RecordLine, 'timeMs'>): number | null {
    const ms = line.timeMs ?? this.#ownTime(record)
    if (line.timeMs !== null && record.kind === 'error' && record.localTimeMs !== null)
      this.#learnZone(record.localTimeMs, line.timeMs)
    if (ms !== null) this.#lastMs = ms
    return ms
  }

  #ownTime(record: ParsedRecord): number | null {
    if (record.kind === 'access' || record.kind === 'stream_access') return record.timeMs
    if (record.kind === 'other' || record.localTimeMs === null) return null
    if (record.kind === 'error') return this.#toUtc(record.localTimeMs)
    const near = this.#lastMs ?? this.#fileTimeMs
    return near === null ? null : this.#toUtc(withNearestYear(record.localTimeMs, near))
  }

  #learnZone(localMs: number, stampMs: number): void {
    const offset = Math.round((localMs - stampMs) / QUARTER_HOUR_MS) * QUARTER_HOUR_MS
    // Further from a quarter of an hour than delivery takes: an old line in a new envelope.
    if (Math.abs(localMs - stampMs - offset) <= 60_000 && Math.abs(offset) <= 14 * 3_600_000) this.#zoneMs = offset
  }

  #toUtc(localMs: number): number {
    return localMs - (this.#zoneMs ?? zoneOffsetMs(this.#timeZone, localMs))
  }
}

/** `@timestamp` of a request: the stamp if it is within 2 s of nginx's own time, else nginx's (data-and-delivery.md 3). */
export function eventTime(stampMs: number | null, ownMs: number | null): number | null {
  if (stampMs === null || ownMs === null) return stampMs ?? ownMs
  // nginx prints the second in which the line was written, so the stamp may lie up to one second behind it.
  return stampMs - ownMs > -SAME_MOMENT_MS && stampMs - ownMs < SAME_MOMENT_MS + 1000 ? stampMs : ownMs
}
