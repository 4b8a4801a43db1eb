/** In what order streams of one time are read, and how far their time has come. Pure. */

/** How far the windows of one controller may be moved: its slowest stream decides, of those that have more to read. */
export function groupTimeMs(streams: readonly { newestMs: number; isAtEnd: boolean }[]): number {
  const reading = streams.filter(stream => !stream.isAtEnd)
  if (reading.length > 0) return Math.min(...reading.map(stream => stream.newestMs))
  return Math.max(...streams.map(stream => stream.newestMs))
}
