import type { StreamAccessRecord } from './record.ts'
import { parseTimeText } from './time.ts'

/**
 * `[addr] [time] TCP 200 1530 79 0.003`, its older shapes without the address or with server name and upstream in front,
 * and the one that ran the fields together (`[time]TCP200000.000`), of which only protocol and status can be read.
 */
const LINE =
  /^((?:\[[^\]]*\] ?){0,3})\[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] ?(TCP|UDP) ?(\d{3})(?: (\d+) (\d+) (\d+(?:\.\d+)?))?/

/** A line of the stream (TCP/UDP) log → record; null when it is none. */
export function parseStreamAccess(text: string): StreamAccessRecord | null {
  const match = LINE.exec(text)
  if (!match) return null
  const client = /^\[([0-9a-fA-F.:]+|unix:)\]/.exec(match[1]!)
  return {
    kind: 'stream_access',
    timeMs: parseTimeText(match[2]!),
    client: client?.[1] ?? null,
    protocol: match[3] as 'TCP' | 'UDP',
    status: Number(match[4]),
    bytesSent: match[5] === undefined ? null : Number(match[5]),
    bytesReceived: match[6] === undefined ? null : Number(match[6]),
    sessionTimeMs: match[7] === undefined ? null : Math.round(Number(match[7]) * 1000)
  }
}
