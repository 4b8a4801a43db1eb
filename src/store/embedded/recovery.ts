/** What the segments say at start: where to go on, and what is known. Cuts off what no commit line covers. */

import { Why5xxError } from '../../errors.ts'
import type { Disk } from './disk.ts'
import { KnownVersions } from './knownVersions.ts'
import { segmentNumber, segmentsOf } from './segment.ts'
import { identityOf, scanSegment } from './segmentReader.ts'
import { StreamStates } from './streamStates.ts'

export interface SegmentFile {
  name: string
  bytes: number
  /** Wall time of its first commit, Unix ms. */
  createdMs: number
  /** It holds more than positions. */
  hasRows: boolean
}

export interface Recovered {
  /** Oldest first; each has at least one commit line. The last may be written on. */
  segments: SegmentFile[]
  streams: StreamStates
  engine: Record<string, unknown> | null
  /** Of the last commit; 0: there was none. */
  commitNumber: number
  /** The highest of any segment that ever had a commit line. */
  segmentNumber: number
  known: KnownVersions
  /** Bytes cut off behind the last commit line. */
  cutBytes: number
}

export async function recover(disk: Disk): Promise<Recovered> {
  const recovered: Recovered = {
    segments: [],
    streams: new StreamStates(),
    engine: null,
    commitNumber: 0,
    segmentNumber: 0,
    known: new KnownVersions(),
    cutBytes: 0
  }
  const files = segmentsOf(await disk.list())
  for (const [index, { name, bytes }] of files.entries()) {
    const segment = await readSegment(disk, name, recovered)
    if (segment.bytes < bytes) {
      if (index < files.length - 1 && !(await areEmpty(disk, files.slice(index + 1))))
        throw new Why5xxError(
          'WHY5XX_STORE',
          `${name} is damaged behind byte ${segment.bytes}, and newer segments follow it: why5xx will not write on. ` +
            'Run `why5xx check --store`; to go on without what is lost, move the file away.'
        )
      recovered.cutBytes += bytes - segment.bytes
      await disk.truncate(name, segment.bytes)
    }
    // A segment that never got its first commit line: nothing in it was ever promised.
    if (segment.bytes === 0) await disk.remove(name)
    else {
      recovered.segments.push(segment)
      recovered.segmentNumber = segmentNumber(name)!
    }
  }
  await disk.syncFolder()
  return recovered
}

async function readSegment(disk: Disk, name: string, recovered: Recovered): Promise<SegmentFile> {
  const segment: SegmentFile = { name, bytes: 0, createdMs: 0, hasRows: false }
  const scan = scanSegment(disk, name)
  let step = await scan.next()
  let isFirst = true
  for (; !step.done; step = await scan.next()) {
    const { lines, commit, end } = step.value
    for (const line of lines) {
      const identity = identityOf(line)
      if (identity !== null) recovered.known.add(name, identity.key, identity.version)
    }
    if (isFirst) {
      // It carries everything: what older segments say of positions is history.
      recovered.streams = new StreamStates()
      segment.createdMs = Date.parse(commit.at)
    }
    recovered.streams.apply(commit.streams)
    recovered.engine = commit.engine ?? recovered.engine
    recovered.commitNumber = commit.number
    segment.bytes = end
    segment.hasRows ||= lines.length > 0 || commit.totals.length > 0
    isFirst = false
  }
  return segment
}

async function areEmpty(disk: Disk, files: readonly { name: string }[]): Promise<boolean> {
  for (const { name } of files) if (!(await scanSegment(disk, name).next()).done) return false
  return true
}
