/** What the store asks of a disk: few steps, each of which can fail or be the last. test/support/memoryDisk.ts is the other one. */

import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface DiskFile {
  /** Relative to the folder: `failures-20261121T10-1.ndjson`, `rejects/20261121.log`. */
  name: string
  bytes: number
}

/** A folder. Names are relative to it; what a call did is durable only after `sync` (contents) and `syncFolder` (names). */
export interface Disk {
  /** Files of the folder, or of one folder in it; empty when there is none. Folders are left out. */
  list(folder?: string): Promise<DiskFile[]>
  /** Contents in pieces, from `from` on. */
  read(name: string, from?: number): AsyncIterable<Uint8Array>
  /** Makes the file when there is none; `isPrivate`: readable by its owner alone, its folder too. May write a part and throw. */
  append(name: string, bytes: Uint8Array, isPrivate?: boolean): Promise<void>
  sync(name: string): Promise<void>
  truncate(name: string, bytes: number): Promise<void>
  /** Another file of that name is replaced: whoever reads sees the one or the other. */
  rename(from: string, to: string): Promise<void>
  /** Also when there is none. */
  remove(name: string): Promise<void>
  /** Of the folder itself, or of one in it. */
  syncFolder(folder?: string): Promise<void>
  close(): Promise<void>
}

/** A disk that has no room or does not work for now: worth another try. */
export function isDiskTrouble(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO'
}

/** The same for people. */
export function diskTroubleText(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
      return 'no space left'
    case 'EDQUOT':
      return 'the disk quota is used up'
    default:
      return 'input/output error'
  }
}

const READ_BYTES = 1 << 18
const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700

export class NodeDisk implements Disk {
  readonly folder: string
  /** Files that are appended to; the store appends to two at a time, for hours. */
  readonly #open = new Map<string, FileHandle>()

  constructor(folder: string) {
    this.folder = folder
  }

  async list(folder = ''): Promise<DiskFile[]> {
    const path = join(this.folder, folder)
    const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const files: DiskFile[] = []
    for (const entry of entries) {
      if (!entry.isFile()) continue
      // A reader lists while the writer seals: what is gone by now is gone.
      const info = await stat(join(path, entry.name)).catch(() => null)
      if (info !== null) files.push({ name: folder === '' ? entry.name : `${folder}/${entry.name}`, bytes: info.size })
    }
    return files
  }

  async *read(name: string, from = 0): AsyncGenerator<Uint8Array> {
    const file = await open(join(this.folder, name), 'r')
    try {
      let position = from
      while (true) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, position)
        if (bytesRead === 0) return
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  }

  async append(name: string, bytes: Uint8Array, isPrivate = false): Promise<void> {
    const file = await this.#handle(name, isPrivate)
    // `write` may take a part only; a full disk shows at the next call.
    for (let written = 0; written < bytes.length; ) written += (await file.write(bytes, written)).bytesWritten
  }

  async sync(name: string): Promise<void> {
    await (await this.#handle(name)).datasync()
  }

  async truncate(name: string, bytes: number): Promise<void> {
    const file = await this.#handle(name)
    await file.truncate(bytes)
    await file.datasync()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#forget(from)
    await this.#forget(to)
    await rename(join(this.folder, from), join(this.folder, to))
  }

  async remove(name: string): Promise<void> {
    await this.#forget(name)
    await rm(join(this.folder, name), { force: true })
  }

  async syncFolder(folder = ''): Promise<void> {
    const file = await open(join(this.folder, folder), 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }

  async close(): Promise<void> {
    for (const name of this.#open.keys()) await this.#forget(name)
  }

  async #handle(name: string, isPrivate = false): Promise<FileHandle> {
    const known = this.#open.get(name)
    if (known !== undefined) return known
    const path = join(this.folder, name)
    if (name.includes('/')) await mkdir(dirname(path), { recursive: true, ...(isPrivate && { mode: PRIVATE_FOLDER }) })
    const file = await open(path, 'a', isPrivate ? PRIVATE_FILE : 0o666)
    this.#open.set(name, file)
    return file
  }

  async #forget(name: string): Promise<void> {
    const file = this.#open.get(name)
    this.#open.delete(name)
    await file?.close()
  }
}
