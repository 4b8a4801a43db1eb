import { createHash } from 'node:crypto'
import type { RecordLine } from '../../parsers/reader.ts'

/** Raised when a rule that decides causes changes, so that a newer judgement replaces an older one. */
export const RULES_VERSION = 1

/** Bytes at the beginning of a file that tell it from others: a log's first KiB holds a time of day. */
export const HEAD_BYTES = 1_024

/**
 * Id of one line: where it was written and its bytes, never where it was read. So a replay, a resend or a backfill of the
 * same line has the same id. 132 bits, base64url, 22 characters.
 */
export function lineId(source: string, line: Pick<RecordLine, 'stream' | 'written' | 'byteOffset' | 'raw'>): string {
  // Fluentd spells UTC in its own way; the container's log has Z.
  const written = line.written === '' ? String(line.byteOffset) : line.written.replace(/\+00:00$/, 'Z')
  return createHash('sha256')
    .update(`v1\n${source}\n${line.stream ?? ''}\n${written}\n`)
    .update(line.raw, 'latin1')
    .digest('base64url')
    .slice(0, 22)
}

/**
 * Source of a line, for its id: `cluster/namespace/pod/container` where path, envelope or prefix tell the pod; else the
 * shipper's path of the file; else what `--source` says; else the fingerprint of the file, `stdin` for a pipe.
 */
export function sourceOf(
  clusterName: string,
  line: Pick<RecordLine, 'namespace' | 'pod' | 'container' | 'path'>,
  fallback: string
): string {
  if (line.pod === null) return line.path ?? fallback
  return `${clusterName}/${line.namespace ?? ''}/${line.pod}/${line.container ?? ''}`
}

/**
 * Source of the line at `byteOffset` in a file that no path and no envelope tells anything of: sha256 of the first KiB,
 * uncompressed, and for a line that begins within it of what lies before the line. So the id is the same in a file that has
 * just begun, when it has grown, and under another name.
 */
export function fingerprint(head: Uint8Array, byteOffset: number): string {
  return createHash('sha256')
    .update(head.subarray(0, Math.min(HEAD_BYTES, byteOffset)))
    .digest('hex')
}

/** Fingerprints of the files that are read, by name or id of the stream; what is no file goes by what it is called (`stdin`). */
export class Fingerprints {
  readonly #heads = new Map<string, Uint8Array>()
  readonly #whole = new Map<string, string>()

  /** `head`: the first bytes, a KiB of them as soon as they are there. */
  add(name: string, head: Uint8Array): void {
    this.#heads.set(name, Buffer.from(head.subarray(0, HEAD_BYTES)))
    this.#whole.delete(name)
  }

  remove(name: string): void {
    this.#heads.delete(name)
    this.#whole.delete(name)
  }

  of(name: string, byteOffset: number): string {
    const head = this.#heads.get(name)
    if (head === undefined) return name
    if (byteOffset < HEAD_BYTES) return fingerprint(head, byteOffset)
    let whole = this.#whole.get(name)
    if (whole === undefined) this.#whole.set(name, (whole = fingerprint(head, byteOffset)))
    return whole
  }
}

/** Of an incident that opened then: `inc-20261121-1003-hTz0Zy4a`. */
export function incidentId(clusterName: string, openedMs: number, upstream: string, cause: string): string {
  const [day, time] = new Date(openedMs).toISOString().split('T') as [string, string]
  const hash = createHash('sha256').update(`${clusterName}\n${upstream}\n${cause}`).digest('base64url').slice(0, 8)
  return `inc-${day.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}-${hash}`
}

/** External version of a failure document: the same judgement again is a conflict, a better one replaces. */
export function knowledge(
  facts: { settled: boolean; clusterKnown: boolean; joined: boolean },
  rulesVersion = RULES_VERSION
): number {
  return rulesVersion * 8 + (facts.settled ? 4 : 0) + (facts.clusterKnown ? 2 : 0) + (facts.joined ? 1 : 0)
}
