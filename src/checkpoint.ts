/** Where a restart goes on in one stream, so that every line counts once and every join is made as if nothing had happened. */

/** As JSON in the store. Offsets are bytes, uncompressed; of a record of several lines they are the first line's. */
export interface ReadPosition {
  /** Behind the last whole line that was read: everything below is counted. */
  readTo: number
  /** Where a restart begins to read: the lowest of `readTo`, `held` and `open`. */
  from: number
  /** Physical lines before `from`. */
  fromLine: number
  /** Lines below `readTo` that wait for a partner: joined again, not counted again. All others below it are done. Ascending. */
  held: number[]
  /** Lines below `readTo` that may go on and were told to nobody: pieces, tracebacks. Counted when they are whole. Ascending. */
  open: number[]
  /** Offset of the container's clock from UTC, as far as known. */
  zoneMs: number | null
  /** Record time of the newest line, Unix ms; null before the first. */
  newestMs: number | null
}

/** A stream from its very beginning. */
export const START: ReadPosition = {
  readTo: 0,
  from: 0,
  fromLine: 0,
  held: [],
  open: [],
  zoneMs: null,
  newestMs: null
}
