/** What a shipper has sent of each log file, so that what it sends again is recognised, and what it never sent is noticed. */

import type { SourceGap } from './source.ts'

/** One line as the shipper's envelope tells it. */
export interface ShippedLine {
  /** `log_path`. */
  path: string
  /** `log_offset`: where the line starts in its file. */
  offset: number
  /** CRI time, Unix ms with a fraction; NaN without one. */
  timeMs: number
  /** Bytes of the CRI line in the file with its frame and line feed; null: not known (a line put together from pieces, replaced bytes). */
  bytes: number | null
}

export class ShipperRuns {
  /** Lines that were recognised. */
  resends = 0

  /** `state`: what `toJSON` said in an earlier process; null: nothing is known. */
  constructor(_state: unknown) {}

  /** Takes the line in; true when it was sent before. */
  isResend(_line: ShippedLine): boolean {
    return false
  }

  /** Holes that were not filled in ten minutes of record time, each told once. `nowMs`: wall time, Unix ms. */
  takeGaps(_nowMs: number): SourceGap[] {
    return []
  }

  toJSON(): unknown {
    return null
  }
}
