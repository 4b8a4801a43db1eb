/** How a file is known again under another name, compressed, or with its inode in other hands. */

import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { openInput } from './input.ts'

/** A log's first KiB holds a time of day: that makes it unlike all others. */
export const HEAD_BYTES = 1_024
export const TAIL_BYTES = 256

/** What was read of a file. Offsets are uncompressed. */
export interface Fingerprint {
  /** The first bytes; fewer than HEAD_BYTES while no more were there. */
  head: { bytes: number; sha256: string }
  /** The bytes before offset `at`, where reading stands. */
  tail: { at: number; bytes: number; sha256: string }
}

/** Begin and end of what was read so far. */
export class Trace {
  at: number
  /** A copy; grows to HEAD_BYTES. */
  head: Buffer
  /** A copy of the last bytes before `at`. */
  tail: Buffer

  /** As if all before `at` had been read: `head` and `tail` are what stands there. */
  constructor(at = 0, head: Uint8Array = Buffer.alloc(0), tail: Uint8Array = Buffer.alloc(0)) {
    this.at = at
    this.head = Buffer.from(head)
    this.tail = Buffer.from(tail)
  }

  push(chunk: Uint8Array): void {
    if (this.head.length < HEAD_BYTES && this.head.length === this.at)
      this.head = Buffer.concat([this.head, chunk.subarray(0, HEAD_BYTES - this.head.length)])
    const kept = Math.max(0, TAIL_BYTES - chunk.length)
    this.tail = Buffer.concat([
      this.tail.subarray(Math.max(0, this.tail.length - kept), kept === 0 ? 0 : undefined),
      chunk.subarray(Math.max(0, chunk.length - TAIL_BYTES))
    ])
    this.at += chunk.length
  }

  fingerprint(): Fingerprint {
    return {
      head: { bytes: this.head.length, sha256: sha256(this.head) },
      tail: { at: this.at, bytes: this.tail.length, sha256: sha256(this.tail) }
    }
  }
}

/** Parts of a file, uncompressed. Opened and closed at each read; read errors are thrown. */
export class Excerpts {
  readonly path: string
  readonly isGzip: boolean
  #head: Buffer | null = null

  constructor(path: string) {
    this.path = path
    const magic = readPlain(path, 0, 2)
    this.isGzip = magic[0] === 0x1f && magic[1] === 0x8b
  }

  async head(): Promise<Buffer> {
    return (this.#head ??= await this.read(0, HEAD_BYTES))
  }

  /** Shorter where the file ends. */
  async read(from: number, length: number): Promise<Buffer> {
    return this.isGzip ? readGzip(this.path, from, length) : readPlain(this.path, from, length)
  }
}

/**
 * `same`: the file begins with all that was read. `shorter`: it ends before that, and its beginning agrees: a copy that was
 * made earlier, or is being made. null: another file.
 */
export async function agreement(file: Excerpts, print: Fingerprint): Promise<'same' | 'shorter' | null> {
  // Nothing was read: everything would agree.
  if (print.tail.at === 0) return null
  const head = await file.head()
  if (head.length < print.head.bytes || sha256(head.subarray(0, print.head.bytes)) !== print.head.sha256) return null
  const tail = await file.read(print.tail.at - print.tail.bytes, print.tail.bytes)
  if (tail.length < print.tail.bytes) return 'shorter'
  return sha256(tail) === print.tail.sha256 ? 'same' : null
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

function readPlain(path: string, from: number, length: number): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    return readAt(descriptor, from, length)
  } finally {
    closeSync(descriptor)
  }
}

export function readAt(descriptor: number, from: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  return buffer.subarray(0, length === 0 ? 0 : readSync(descriptor, buffer, 0, length, from))
}

async function readGzip(path: string, from: number, length: number): Promise<Buffer> {
  const input = openInput(path)
  const parts: Buffer[] = []
  let at = 0
  try {
    for await (const chunk of input.chunks()) {
      const part = chunk.subarray(Math.max(0, from - at), Math.max(0, from + length - at))
      if (part.length > 0) parts.push(Buffer.from(part))
      at += chunk.length
      if (at >= from + length) break
    }
  } finally {
    input.close()
  }
  return Buffer.concat(parts)
}
