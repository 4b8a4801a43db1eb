/** Opens a folder for writing: the checks, the lock, the recovery, and what goes on beside the writing. */

import { statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Why5xxError } from '../../errors.ts'
import type { StoreWriter } from '../store.ts'
import { isDiskTrouble, NodeDisk } from './disk.ts'
import { EMPTY_DAY, EMPTY_DAY_NAME } from './emptyDay.ts'
import { checkWritable, makeFolder, markAsStore, refused } from './folder.ts'
import { Lock } from './lock.ts'
import { applyRetention, oldestDay, parseAge } from './retention.ts'
import { TEMPORARY } from './seal.ts'
import { sealInChild } from './sealChild.ts'
import { EmbeddedWriter } from './writer.ts'

const SEGMENT_BYTES_MAX = 64 << 20
const SEGMENT_AGE_MS_MAX = 3_600_000
const REJECT_BYTES_MAX = 100 << 20
/** Half a GiB. */
const CLOSED_MAX = 8
const TEND_MS = 60_000
const RETENTION_MS = 3_600_000

export interface EmbeddedOptions {
  /** How long days are kept: `30d`, `12h`, `2w`; null: for ever. */
  retention: string | null
  /** How large the folder may grow, bytes: then the oldest days go. null: no limit. */
  retentionBytes?: number | null
  segmentBytesMax?: number
  segmentAgeMsMax?: number
  rejectBytesMax?: number
  closedMax?: number
  /** One sentence for the log. */
  notify?: (text: string) => void
  /** The built program (main.js), which seals in a child process. */
  program?: string
  /** Instead of the child. */
  seal?: (segments: readonly string[], fromDay: string, signal: AbortSignal) => Promise<void>
}

/**
 * Makes the folder when there is none. Throws Why5xxError: `WHY5XX_STORE` when it cannot be used (then nothing in it was
 * touched), `WHY5XX_STORE_IN_USE` when another process writes to it.
 */
export async function openEmbeddedWriter(path: string, options: EmbeddedOptions): Promise<StoreWriter> {
  const ageMs = options.retention === null ? null : parseAge(options.retention)
  await checkWritable(path)
  await makeFolder(path)
  const lock = await takeLock(path)
  const disk = new NodeDisk(path)
  const notify = options.notify ?? (() => {})
  try {
    await markAsStore(path, Date.now())
    await removeTemporary(disk)
    await writeEmptyDay(path)
    let wasStale = false
    const retain = async (): Promise<void> => {
      const limits = { ageMs, bytes: options.retentionBytes ?? null }
      const { gone, isStale } = await applyRetention(disk, limits, Date.now())
      if (gone.length > 0) notify(`${path}: retention removed ${gone.join(', ')}`)
      if (isStale && !wasStale)
        notify(
          `${path}: every day is older than ${options.retention}; nothing is removed before something newer is there. ` +
            `If that is wrong, so is the clock: it says ${new Date().toISOString()}`
        )
      wasStale = isStale
    }
    await retain()
    const writer = await EmbeddedWriter.open({
      disk,
      path,
      seal: async (segments, signal) =>
        sealWith(options, path, segments, (await oldestDay(disk, ageMs, Date.now())).day, signal),
      countedMinutes: (containers, stream) => countedMinutes(path, containers, stream),
      assertOwned: () => assertOwned(lock, path),
      now: Date.now,
      wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
      notify,
      segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX,
      segmentAgeMsMax: options.segmentAgeMsMax ?? SEGMENT_AGE_MS_MAX,
      rejectBytesMax: options.rejectBytesMax ?? REJECT_BYTES_MAX,
      closedMax: options.closedMax ?? CLOSED_MAX
    })
    return new OpenStore(writer, lock, retain, notify)
  } catch (error) {
    await disk.close()
    await lock.release()
    if (error instanceof Why5xxError) throw error
    throw refused(path, 'cannot be opened', error)
  }
}

/** The writer with what goes on beside it. */
class OpenStore implements StoreWriter {
  readonly facts = null
  readonly #writer: EmbeddedWriter
  readonly #lock: Lock
  readonly #timers: NodeJS.Timeout[]

  constructor(writer: EmbeddedWriter, lock: Lock, retain: () => Promise<void>, notify: (text: string) => void) {
    this.#writer = writer
    this.#lock = lock
    const keep = (): void =>
      void retain().catch((error: unknown) =>
        notify(`retention failed, tried again later: ${(error as Error).message}`)
      )
    this.#timers = [setInterval(() => writer.tend(), TEND_MS), setInterval(keep, RETENTION_MS)]
    for (const timer of this.#timers) timer.unref()
  }

  get streams(): StoreWriter['streams'] {
    return this.#writer.streams
  }

  get engine(): StoreWriter['engine'] {
    return this.#writer.engine
  }

  get pausedBecause(): string | null {
    return this.#writer.pausedBecause
  }

  write(batch: Parameters<StoreWriter['write']>[0]): ReturnType<StoreWriter['write']> {
    return this.#writer.write(batch)
  }

  claim(streams: string[]): ReturnType<StoreWriter['claim']> {
    return this.#writer.claim(streams)
  }

  countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    return this.#writer.countedMinutes(containers, stream)
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    try {
      await this.#writer.close()
    } finally {
      await this.#lock.release()
    }
  }
}

async function sealWith(
  options: EmbeddedOptions,
  folder: string,
  segments: readonly string[],
  fromDay: string,
  signal: AbortSignal
): Promise<void> {
  if (options.seal !== undefined) return options.seal(segments, fromDay, signal)
  const program = options.program ?? process.argv[1]!
  return sealInChild(program, { folder, segments, fromDay }, signal)
}

async function countedMinutes(path: string, containers: string[], stream: string): Promise<Set<string>> {
  const { openEmbeddedReader } = await import('./reader.ts')
  const reader = await openEmbeddedReader(path)
  try {
    return await reader.countedMinutes(containers, stream)
  } finally {
    await reader.close()
  }
}

async function takeLock(path: string): Promise<Lock> {
  try {
    return await Lock.take(path)
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    throw refused(path, isDiskTrouble(error) ? 'cannot be opened for writing' : 'cannot be locked', error)
  }
}

function assertOwned(lock: Lock, path: string): void {
  if (!lock.isLost) return
  throw new Why5xxError(
    'WHY5XX_STORE_IN_USE',
    `${path}: another process has taken the store over; nothing more is written.`
  )
}

/** Whole or not at all: DuckDB reads it with all others. One that a power failure has left empty is made again. */
async function writeEmptyDay(path: string): Promise<void> {
  const file = join(path, EMPTY_DAY_NAME)
  if (statSync(file, { throwIfNoEntry: false })?.size === EMPTY_DAY.length) return
  const draft = join(path, `${TEMPORARY}${EMPTY_DAY_NAME}`)
  await writeFile(draft, EMPTY_DAY)
  await rename(draft, file)
}

/** What a sealing left that was killed. The lock is ours, but its child may still live: it fails then, and leaves all right. */
async function removeTemporary(disk: NodeDisk): Promise<void> {
  for (const { name } of await disk.list()) if (name.startsWith(TEMPORARY)) await disk.remove(name)
  await rm(join(disk.folder, `${TEMPORARY}duckdb`), { recursive: true, force: true })
}
