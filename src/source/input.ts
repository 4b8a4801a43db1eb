import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { systemErrorText, Why5xxError } from '../errors.ts'

/** Bytes read at once: small enough to stay in the processor's cache until they are scanned. */
const CHUNK_BYTES = 1 << 18
/** Chunks between two turns of the event loop, which signals and progress need. */
const CHUNKS_PER_TURN = 16

/** A container of a pod. */
export interface LogPlace {
  namespace: string
  pod: string
  container: string
}

/** One thing to read to its end: a file, a gzip file, or stdin. */
export interface Input {
  /** As the user named it; `stdin` for `-`. */
  readonly name: string
  /** Bytes in all, null where nobody knows. */
  readonly size: number | null
  /** File time, ms; null for stdin. A last resort for klog's missing year. */
  readonly modifiedMs: number | null
  /** Whose log it is, where that is known and neither name nor lines tell. */
  readonly place?: LogPlace
  /** Chunks in order; each is valid only until the next is asked for. Throws Why5xxError in the middle for a truncated gzip. */
  chunks(): AsyncGenerator<Uint8Array>
  close(): void
}

/** Opens `path`, `-` for stdin. Throws Why5xxError `WHY5XX_INPUT_UNREADABLE` with what to do about it. */
export function openInput(path: string): Input {
  if (path === '-') {
    if (process.stdin.isTTY)
      process.stderr.write('why5xx: reading log lines typed here until Ctrl-D; usually they come through a pipe\n')
    return {
      name: 'stdin',
      size: null,
      modifiedMs: null,
      chunks: () => unzipped(stdinChunks(), 'stdin'),
      close: () => process.stdin.destroy()
    }
  }
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', `cannot read ${path}: ${systemErrorText(error)}`, { cause: error })
  }
  const stats = fstatSync(descriptor)
  if (stats.isDirectory()) {
    closeSync(descriptor)
    throw new Why5xxError(
      'WHY5XX_INPUT_UNREADABLE',
      `cannot read ${path}: it is a directory; name the files in it, e.g. ${path.replace(/\/$/, '')}/*.log`
    )
  }
  let isOpen = true
  const close = () => {
    if (isOpen) closeSync(descriptor)
    isOpen = false
  }
  const size = stats.isFile() ? stats.size : null
  return {
    name: path,
    size,
    modifiedMs: stats.mtimeMs,
    chunks: () => unzipped(fileChunks(path, descriptor, close), path),
    close
  }
}

async function* fileChunks(path: string, descriptor: number, close: () => void): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  try {
    for (let count = 1; ; count++) {
      const length = readSync(descriptor, buffer, 0, CHUNK_BYTES, null)
      if (length === 0) return
      yield buffer.subarray(0, length)
      if (count % CHUNKS_PER_TURN === 0) await setImmediate()
    }
  } catch (error) {
    throw error instanceof Why5xxError
      ? error
      : new Why5xxError('WHY5XX_INPUT_UNREADABLE', `cannot read ${path}: ${systemErrorText(error)}`, { cause: error })
  } finally {
    close()
  }
}

async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) yield chunk as Uint8Array
}

/** gzip is told by its first two bytes, whatever the file is called; several members in one file are read on. */
async function* unzipped(chunks: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const first = await chunks.next()
  if (first.done) return
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield first.value
    yield* chunks
    return
  }
  const gunzip = createGunzip()
  const feed = async (): Promise<void> => {
    let chunk: Uint8Array | undefined = first.value
    while (chunk) {
      // A copy: the source reads over its buffer while zlib works.
      if (!gunzip.write(Buffer.from(chunk))) await new Promise<void>(resolve => gunzip.once('drain', resolve))
      const next: IteratorResult<Uint8Array> = await chunks.next()
      chunk = next.done ? undefined : next.value
    }
    gunzip.end()
  }
  feed().catch((error: unknown) => gunzip.destroy(error as Error))
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    const isCut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
    throw new Why5xxError(
      'WHY5XX_INPUT_TRUNCATED',
      `${name}: the gzip data ${isCut ? 'ends too early' : `is damaged (${(error as Error).message})`}; what was read before is reported`,
      { cause: error }
    )
  }
}
