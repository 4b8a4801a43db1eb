/** Files with the state of a cluster → the events that it went through. */

import type { Why5xxError } from '../errors.ts'
import { certificateFacts } from './certificate.ts'
import { type ClusterFile, readClusterFile } from './clusterFile.ts'
import type { ClusterEvent } from './event.ts'
import { historyOf } from './snapshotOrder.ts'

export interface SnapshotOptions {
  /** When the newest snapshot was taken, Unix ms; null: the newest time in it tells, else the file's time. */
  nowMs?: number | null
}

export interface Snapshots {
  /** In the order in which they happened; empty: no file held an object of ours. */
  events: ClusterEvent[]
  /** One for each file that is unreadable, cut off, or no Kubernetes at all, in the order of the files. Exit code 1. */
  problems: Why5xxError[]
  objects: number
  /** Kinds that diagnosis does not read, and how many of each. */
  unknownKinds: ReadonlyMap<string, number>
  /** Of our kinds, but without a name or in parts unreadable; lines of an audit log that changed nothing of ours. */
  leftOut: number
}

/**
 * Reads lists, single objects, recordings of watches, audit logs and records, in JSON or YAML, also gzipped; `-` is stdin. Never throws
 * for what a file holds or that it cannot be read: `problems` says so, and the others count.
 */
export async function readSnapshots(paths: readonly string[], options: SnapshotOptions = {}): Promise<Snapshots> {
  const files: ClusterFile[] = []
  for (const path of paths) files.push(await readClusterFile(path, { certificateFacts }))
  const histories = files.map(({ modifiedMs, content: { lists, watched, dated } }) => ({
    modifiedMs,
    lists,
    watched,
    dated
  }))
  const unknownKinds = new Map<string, number>()
  for (const [kind, count] of files.flatMap(file => [...file.content.counts.unknownKinds]))
    unknownKinds.set(kind, (unknownKinds.get(kind) ?? 0) + count)
  return {
    events: historyOf(histories, options.nowMs ?? null),
    problems: files.map(file => file.problem).filter(problem => problem !== null),
    objects: files.reduce((sum, file) => sum + file.content.counts.objects, 0),
    unknownKinds,
    leftOut: files.reduce((sum, file) => sum + file.content.counts.leftOut, 0)
  }
}
