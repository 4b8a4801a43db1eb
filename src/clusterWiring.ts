/** Configuration → the record of the cluster's state: who writes it, who reads it. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openClusterState } from './cluster/clusterIndex.ts'
import type { ClusterEvent } from './cluster/event.ts'
import { ClusterKnowledge } from './cluster/knowledge.ts'
import type { ClusterRecord, ClusterRecordWriter } from './cluster/record.ts'
import { RECORD_FOLDER } from './cluster/recordSegment.ts'
import type { Config } from './optionTable.ts'
import { parseSize } from './sizeOption.ts'
import type { DriverLog } from './source/kafka/driver.ts'
import { durationMs } from './timeOption.ts'

export interface RecordLog {
  /** A sentence for people. */
  say: (text: string) => void
  /** Of client libraries. */
  log: DriverLog
}

/** In a topic where lines come from one, else in the folder of the embedded store, whatever the sink is. */
export async function openRecordWriter(
  config: Config,
  onOverflow: () => void,
  { say, log }: RecordLog
): Promise<ClusterRecordWriter> {
  const { source, sink, kubernetes } = config
  const writer = randomUUID()
  if (source.kind === 'kafka') {
    const { kafkaConnection } = await import('./source/kafka/connection.ts')
    const { openKafkaRecord } = await import('./cluster/kafkaRecordWriter.ts')
    const connection = kafkaConnection(source.kafka)
    return openKafkaRecord({ connection, topic: kubernetes.topic, writer, onOverflow, say, log })
  }
  const { openSegmentRecord } = await import('./cluster/segmentRecordWriter.ts')
  const { recordSizeMax } = kubernetes
  return openSegmentRecord({
    folder: recordFolder(config),
    writer,
    retentionMs: durationMs('sink.embedded.retention', sink.embedded.retention),
    bytesMax: recordSizeMax === null ? null : parseSize('kubernetes.recordSizeMax', recordSizeMax),
    onOverflow,
    say
  })
}

export async function openRecord(config: Config, { say, log }: RecordLog): Promise<ClusterRecord> {
  const { source, kubernetes } = config
  if (source.kind === 'kafka') {
    const { kafkaConnection } = await import('./source/kafka/connection.ts')
    const { kafkaRecord } = await import('./cluster/kafkaRecordReader.ts')
    const connection = kafkaConnection(source.kafka)
    return kafkaRecord({ connection, topic: kubernetes.topic, groupId: source.kafka.groupId, say, log })
  }
  const { segmentRecord } = await import('./cluster/segmentRecordReader.ts')
  return segmentRecord({ folder: recordFolder(config), say })
}

/**
 * What is known of the cluster: from the record, and from the snapshots of `kubernetes.snapshots`, which are read now. The
 * record is opened with the first question. null: there is neither, and nobody asked for it.
 */
export async function openClusterKnowledge(config: Config, recordLog: RecordLog): Promise<ClusterKnowledge | null> {
  const { source, kubernetes } = config
  const isAsked = source.kind === 'kafka' || kubernetes.api !== 'none' || kubernetes.snapshots.length > 0
  if (!isAsked && !existsSync(recordFolder(config))) return null
  return new ClusterKnowledge({
    record: await openRecord(config, recordLog),
    snapshots: await readSnapshotFiles(config.kubernetes.snapshots),
    openState: openClusterState,
    nowMs: Date.now,
    wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
    say: recordLog.say
  })
}

/** Throws the Why5xxError of the first file that cannot be read: who names a file wants it to count. */
async function readSnapshotFiles(paths: readonly string[]): Promise<readonly ClusterEvent[]> {
  if (paths.length === 0) return []
  const { readSnapshots } = await import('./cluster/snapshot.ts')
  const { events, problems } = await readSnapshots(paths)
  const [problem] = problems
  if (problem !== undefined) throw problem
  return events
}

/** Of the embedded store, whatever the sink is. */
export function recordFolder({ sink }: Config): string {
  return join(sink.embedded.path, RECORD_FOLDER)
}
