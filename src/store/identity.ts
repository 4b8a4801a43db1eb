import { createHash } from 'node:crypto'
import type { RecordLine } from '../../parsers/reader.ts'

/** Raised when a rule that decides causes changes, so that a newer judgement replaces an older one. */
export const RULES_VERSION = 1

/**
 * Id of one line: where it was written and its bytes, never where it was read. So a replay, a resend or a backfill of the
 * same line has the same id. 132 bits, base64url, 22 characters.
 */
export function lineId(source: string, line: Pick<RecordLine, 'stream' | 'written' | 'byteOffset' | 'raw'>): string {
  const written = line.written === '' ? String(line.byteOffset) : line.written
  return createHash('sha256')
    .update(`v1\n${source}\n${line.stream ?? ''}\n${written}\n`)
    .update(line.raw, 'latin1')
    .digest('base64url')
    .slice(0, 22)
}

/**
 * Source of a line, for its id: `cluster/namespace/pod/container` where path, envelope or prefix tell the pod; else what
 * `--source` says; else the fingerprint of the file, `stdin` for a pipe.
 */
export function sourceOf(
  clusterName: string,
  line: Pick<RecordLine, 'namespace' | 'pod' | 'container'>,
  fallback: string
): string {
  return line.pod === null ? fallback : `${clusterName}/${line.namespace ?? ''}/${line.pod}/${line.container ?? ''}`
}

/** sha256 of the first KiB, uncompressed: a file is known again under another name. */
export function fingerprint(head: Uint8Array): string {
  return createHash('sha256').update(head.subarray(0, 1024)).digest('hex')
}

/** External version of a failure document: the same judgement again is a conflict, a better one replaces. */
export function knowledge(facts: { settled: boolean; clusterKnown: boolean; joined: boolean }): number {
  return RULES_VERSION * 8 + (facts.settled ? 4 : 0) + (facts.clusterKnown ? 2 : 0) + (facts.joined ? 1 : 0)
}
