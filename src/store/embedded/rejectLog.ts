/**
 * The original bytes of lines nobody could parse: `rejects/{yyyymmdd}.log`, by the day they were written, for the owner's
 * eyes alone. `{"id":…,"latin1":…}` a line. Written before the batch that tells of them, so after a crash a line may
 * stand here twice or without its document; the id tells.
 */

import type { StoredReject } from '../store.ts'
import type { Disk } from './disk.ts'
import { jsonLine } from './segment.ts'

export const REJECTS_FOLDER = 'rejects'

export class RejectLog {
  readonly #disk: Disk
  readonly #bytesMax: number
  readonly #notify: (text: string) => void
  /** Oldest first, with its length as far as it is whole. */
  readonly #files: Map<string, number>
  /** A file of an earlier run may end in a torn line. */
  readonly #touched = new Set<string>()
  /** Files that a failed append has left with a torn line, even new ones. */
  readonly #torn = new Set<string>()

  private constructor(disk: Disk, bytesMax: number, notify: (text: string) => void, files: Map<string, number>) {
    this.#disk = disk
    this.#bytesMax = bytesMax
    this.#notify = notify
    this.#files = files
  }

  static async open(disk: Disk, bytesMax: number, notify: (text: string) => void): Promise<RejectLog> {
    const files = await disk.list(REJECTS_FOLDER)
    files.sort((a, b) => (a.name < b.name ? -1 : 1))
    return new RejectLog(disk, bytesMax, notify, new Map(files.map(({ name, bytes }) => [name, bytes])))
  }

  /** Durable when it resolves. Throws what the disk throws; the next call begins where the last whole one ended. */
  async append(rejects: readonly StoredReject[], nowMs: number): Promise<void> {
    if (rejects.length === 0) return
    const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')
    const name = `${REJECTS_FOLDER}/${day}.log`
    const before = this.#files.get(name) ?? 0
    const seam = this.#torn.has(name) || (before > 0 && !this.#touched.has(name)) ? '\n' : ''
    const bytes = Buffer.from(seam + rejects.map(({ id, raw }) => jsonLine({ id, latin1: raw })).join(''))
    try {
      await this.#disk.append(name, bytes, true)
      await this.#disk.sync(name)
      // A new file, perhaps in a new folder: both names must last.
      if (before === 0) {
        await this.#disk.syncFolder(REJECTS_FOLDER)
        await this.#disk.syncFolder()
      }
    } catch (error) {
      // The next append puts a line feed behind what may be torn; taking it back as well spares the room.
      this.#touched.delete(name)
      await this.#disk.truncate(name, before).catch(() => this.#torn.add(name))
      throw error
    }
    this.#files.set(name, before + bytes.length)
    this.#touched.add(name)
    this.#torn.delete(name)
    await this.#trim(name)
  }

  async #trim(current: string): Promise<void> {
    let sum = 0
    for (const bytes of this.#files.values()) sum += bytes
    for (const [name, bytes] of this.#files) {
      if (sum <= this.#bytesMax || name === current) return
      await this.#disk.remove(name)
      this.#files.delete(name)
      sum -= bytes
      this.#notify(`${name} was removed: rejected lines take more than ${this.#bytesMax} bytes`)
    }
  }
}
