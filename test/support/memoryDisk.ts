/**
 * A disk in memory that fails and crashes by chance, from a seed. What was not synced is kept wholly, in part or not at
 * all when it crashes; names behind the last `syncFolder` may be lost, and renames undone.
 */
import type { Disk, DiskFile } from '../../src/store/embedded/disk.ts'

/** Probabilities of one call, 0..1. */
export interface DiskFaults {
  /** `append` writes a part and says ENOSPC; up to four more do. */
  appendFull: number
  /** `sync` says EIO: what was appended may be there or not. */
  syncError: number
  truncateError: number
  crashBeforeRead: number
  crashBeforeAppend: number
  /** Within: a part was handed over. */
  crashInAppend: number
  crashAfterAppend: number
  crashBeforeSync: number
  crashAfterSync: number
  crashBeforeTruncate: number
  crashAfterTruncate: number
  crashBeforeRename: number
  crashAfterRename: number
  crashBeforeRemove: number
  crashAfterRemove: number
}

export const NO_FAULTS: DiskFaults = {
  appendFull: 0,
  syncError: 0,
  truncateError: 0,
  crashBeforeRead: 0,
  crashBeforeAppend: 0,
  crashInAppend: 0,
  crashAfterAppend: 0,
  crashBeforeSync: 0,
  crashAfterSync: 0,
  crashBeforeTruncate: 0,
  crashAfterTruncate: 0,
  crashBeforeRename: 0,
  crashAfterRename: 0,
  crashBeforeRemove: 0,
  crashAfterRemove: 0
}

/** The process is dead: nothing that it does from here on reaches the disk. */
export class DiskCrash extends Error {
  constructor(where: string) {
    super(`crash: ${where}`)
    this.name = 'DiskCrash'
  }
}

interface File {
  bytes: Buffer
  /** What a crash leaves in any case. */
  syncedBytes: number
  /** The name survives a crash. */
  isNamed: boolean
}

export class MemoryDisk implements Disk {
  readonly #random: () => number
  readonly #faults: DiskFaults
  readonly #files: Map<string, File>
  /** Removed since the folder was last synced: a crash may bring them back. */
  readonly #removed = new Map<string, File>()
  /** Appends that will find no room. */
  #fullAppends = 0
  #isDead = false

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number = () => 1, faults: Partial<DiskFaults> = {}, files: Map<string, File> = new Map()) {
    this.#random = random
    this.#faults = { ...NO_FAULTS, ...faults }
    this.#files = files
  }

  /** Kills the process; the next call throws. */
  crash(): void {
    this.#isDead = true
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** What the next process finds. `faults` are its own. */
  restart(faults: Partial<DiskFaults> = this.#faults): MemoryDisk {
    this.#isDead = true
    const files = new Map<string, File>()
    for (const [name, file] of this.#removed) {
      if (!this.#files.has(name) && this.#random() < 0.5) files.set(name, this.#left(file))
    }
    for (const [name, file] of this.#files) {
      // Without its name a file is lost, unless the disk was quick; what it replaced stands there instead.
      const left = file.isNamed || this.#random() < 0.5 ? file : this.#removed.get(name)
      if (left !== undefined) files.set(name, this.#left(left))
    }
    return new MemoryDisk(this.#random, faults, files)
  }

  async list(folder = ''): Promise<DiskFile[]> {
    await this.#step('list')
    const prefix = folder === '' ? '' : `${folder}/`
    return [...this.#files]
      .filter(([name]) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map(([name, { bytes }]) => ({ name, bytes: bytes.length }))
  }

  async *read(name: string, from = 0): AsyncGenerator<Uint8Array> {
    await this.#step('read', this.#faults.crashBeforeRead)
    const { bytes } = this.#file(name)
    // In odd pieces: lines are cut anywhere.
    for (let at = from; at < bytes.length; at += 1_021) yield bytes.subarray(at, at + 1_021)
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.#step('append', this.#faults.crashBeforeAppend)
    const file = this.#files.get(name) ?? { bytes: Buffer.alloc(0), syncedBytes: 0, isNamed: false }
    this.#files.set(name, file)
    const isTorn = this.#happens(this.#faults.crashInAppend)
    const isFull = !isTorn && this.#isFull()
    const part = isTorn || isFull ? bytes.subarray(0, Math.floor(this.#random() * bytes.length)) : bytes
    file.bytes = Buffer.concat([file.bytes, part])
    if (isTorn) this.#die('in append')
    if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    this.#dieBy('after append', this.#faults.crashAfterAppend)
  }

  async sync(name: string): Promise<void> {
    await this.#step('sync', this.#faults.crashBeforeSync)
    const file = this.#file(name)
    if (this.#happens(this.#faults.syncError))
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    file.syncedBytes = file.bytes.length
    this.#dieBy('after sync', this.#faults.crashAfterSync)
  }

  async truncate(name: string, bytes: number): Promise<void> {
    await this.#step('truncate', this.#faults.crashBeforeTruncate)
    if (this.#happens(this.#faults.truncateError))
      throw Object.assign(new Error('EIO: i/o error, ftruncate'), { code: 'EIO' })
    const file = this.#files.get(name) ?? { bytes: Buffer.alloc(0), syncedBytes: 0, isNamed: false }
    this.#files.set(name, file)
    file.bytes = file.bytes.subarray(0, bytes)
    file.syncedBytes = file.bytes.length
    this.#dieBy('after truncate', this.#faults.crashAfterTruncate)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step('rename', this.#faults.crashBeforeRename)
    const file = this.#file(from)
    this.#files.delete(from)
    // The name it takes is there before and after: what stood under it is what a crash may bring back.
    const before = this.#files.get(to)
    if (before !== undefined) this.#removed.set(to, before)
    this.#files.set(to, file)
    this.#dieBy('after rename', this.#faults.crashAfterRename)
  }

  async remove(name: string): Promise<void> {
    await this.#step('remove', this.#faults.crashBeforeRemove)
    const file = this.#files.get(name)
    this.#files.delete(name)
    if (file?.isNamed) this.#removed.set(name, file)
    this.#dieBy('after remove', this.#faults.crashAfterRemove)
  }

  async syncFolder(folder = ''): Promise<void> {
    await this.#step('sync of the folder')
    const isIn = (name: string): boolean => (name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '') === folder
    for (const [name, file] of this.#files) if (isIn(name)) file.isNamed = true
    for (const name of this.#removed.keys()) if (isIn(name)) this.#removed.delete(name)
  }

  async close(): Promise<void> {}

  /** Contents as they are now, for tests. */
  contents(name: string): Buffer {
    return this.#file(name).bytes
  }

  names(): string[] {
    return [...this.#files.keys()].sort()
  }

  /** Puts a file there, durable. */
  put(name: string, bytes: Uint8Array): void {
    this.#files.set(name, { bytes: Buffer.from(bytes), syncedBytes: bytes.length, isNamed: true })
  }

  #left(file: File): File {
    const unsynced = file.bytes.length - file.syncedBytes
    const fate = this.#random()
    const kept = fate < 1 / 3 ? 0 : fate < 2 / 3 ? Math.floor(this.#random() * (unsynced + 1)) : unsynced
    const length = file.syncedBytes + kept
    return { bytes: Buffer.from(file.bytes.subarray(0, length)), syncedBytes: length, isNamed: true }
  }

  #file(name: string): File {
    const file = this.#files.get(name)
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' })
    return file
  }

  /** Every step is one of a real disk's: others go on meanwhile. */
  async #step(what: string, crash = 0): Promise<void> {
    await Promise.resolve()
    if (this.#isDead) throw new DiskCrash(`${what} of a dead process`)
    this.#dieBy(`before ${what}`, crash)
  }

  #isFull(): boolean {
    if (this.#fullAppends > 0) this.#fullAppends--
    else if (this.#happens(this.#faults.appendFull)) this.#fullAppends = Math.floor(this.#random() * 5)
    else return false
    return true
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability
  }

  #dieBy(where: string, probability: number): void {
    if (this.#happens(probability)) this.#die(where)
  }

  #die(where: string): never {
    this.#isDead = true
    throw new DiskCrash(where)
  }
}
