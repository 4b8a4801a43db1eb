/**
 * One process at a time: `lock` for the writer, `sealing` for the child that seals. Node has no flock, so the lock is a file
 * that tells its owner; one whose owner is dead (kill -9) is removed, by one of several that find it.
 */

import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Why5xxError } from '../../errors.ts'

export interface Owner {
  pid: number
  /** Start of the process in ticks since boot (/proc/PID/stat); null where there is no /proc. */
  startTicks: string | null
  /** null where there is no /proc. */
  bootId: string | null
  /** Process ids mean something only within one. */
  pidNamespace: string | null
  host: string
  /** Tells this lock from every other. */
  token: string
}

/** The owner on another machine or in another container shows that it lives by touching the file. */
const TOUCH_MS = 5_000
const FRESH_MS = 15_000
/** Several starters may each find the lock of a dead one; more rounds than starters need. */
const ATTEMPTS_MAX = 100
/** A claim is held for two or three calls of the file system. */
const CLAIM_WAIT_MS = 5

export class Lock {
  readonly #path: string
  readonly #owner: Owner
  readonly #timer: NodeJS.Timeout
  #isLost = false

  private constructor(path: string, owner: Owner) {
    this.#path = path
    this.#owner = owner
    this.#timer = setInterval(() => void this.#touch(), TOUCH_MS)
    this.#timer.unref()
  }

  /** Throws Why5xxError `WHY5XX_STORE_IN_USE` when a living process has it. */
  static async take(folder: string, name = 'lock'): Promise<Lock> {
    const path = join(folder, name)
    const owner = await ownOwner()
    // Written beside it and linked: the lock is never there without its owner.
    const draft = `${path}.${owner.token}`
    await writeFile(draft, JSON.stringify(owner), { flag: 'wx' })
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (await tryLink(draft, path)) return new Lock(path, owner)
        const holder = await readOwner(path)
        if (holder === null) continue // It went between the two.
        if (await isAlive(holder, path)) throw inUse(folder, holder.owner)
        await removeDead(path, holder, draft)
      }
      throw inUse(folder, null)
    } finally {
      await rm(draft, { force: true })
    }
  }

  /** Another process has taken it all the same: this one must not write on. */
  get isLost(): boolean {
    return this.#isLost
  }

  async release(): Promise<void> {
    clearInterval(this.#timer)
    const holder = await readOwner(this.#path)
    if (holder?.owner?.token === this.#owner.token) await rm(this.#path, { force: true })
  }

  async #touch(): Promise<void> {
    const holder = await readOwner(this.#path).catch(() => undefined)
    if (holder === undefined) return // The disk does not answer: that is not another process.
    if (holder?.owner?.token !== this.#owner.token) this.#isLost = true
    else await utimes(this.#path, new Date(), new Date()).catch(() => {})
  }
}

interface Holder {
  /** null: the file says nothing that can be read. */
  owner: Owner | null
  text: string
}

/** Who has the lock and lives; null: nobody. */
export async function lockOwner(folder: string, name = 'lock'): Promise<Owner | null> {
  const holder = await readOwner(join(folder, name))
  return holder !== null && (await isAlive(holder, join(folder, name))) ? holder.owner : null
}

/** Is it this very process that has it, in whatever thread? */
export async function isOwn(owner: Owner): Promise<boolean> {
  const own = await ownOwner()
  return (['pid', 'startTicks', 'bootId', 'pidNamespace', 'host'] as const).every(name => owner[name] === own[name])
}

async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Removes the lock of a dead owner. Two may have found it dead, and one of them may have its own in its place by now: so only
 * who holds the claim on this very lock removes it, and looks again before. A claim is a lock like others: that of a dead
 * owner is removed in the same way.
 */
async function removeDead(path: string, dead: Holder, draft: string): Promise<void> {
  const claim = `${draft.slice(0, draft.lastIndexOf('.'))}.${createHash('sha256').update(dead.text).digest('hex').slice(0, 22)}`
  if (await tryLink(draft, claim)) {
    try {
      if ((await readOwner(path))?.text === dead.text) await rm(path, { force: true })
    } finally {
      await rm(claim, { force: true })
    }
    return
  }
  const claimant = await readOwner(claim)
  if (claimant === null) return
  if (await isAlive(claimant, claim)) await setTimeout(CLAIM_WAIT_MS)
  else await removeDead(claim, claimant, draft)
}

async function readOwner(path: string): Promise<Holder | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const owner = JSON.parse(text) as Owner
    return { owner: typeof owner.pid === 'number' ? owner : null, text }
  } catch {
    return { owner: null, text }
  }
}

async function isAlive({ owner }: Holder, path: string): Promise<boolean> {
  const own = await ownOwner()
  if (owner === null || owner.host !== own.host || owner.pidNamespace !== own.pidNamespace) {
    const touchedMs = await stat(path).then(
      info => info.mtimeMs,
      () => 0
    )
    return Date.now() - touchedMs < FRESH_MS
  }
  if (owner.bootId !== own.bootId) return false
  if (owner.startTicks !== null) return (await startTicks(owner.pid)) === owner.startTicks
  try {
    process.kill(owner.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function ownOwner(): Promise<Owner> {
  return {
    pid: process.pid,
    startTicks: await startTicks(process.pid),
    bootId: await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      text => text.trim(),
      () => null
    ),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => null),
    host: hostname(),
    token: randomUUID()
  }
}

/**
 * Field 22 of /proc/PID/stat; the command in field 2 may hold blanks and brackets. null: no such process, one that is dead
 * and not yet reaped (state Z or X), or no /proc.
 */
async function startTicks(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? []
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

export function inUse(folder: string, owner: Owner | null): Why5xxError {
  const who = owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`
  return new Why5xxError(
    'WHY5XX_STORE_IN_USE',
    `${folder} is being written by ${who}: a store has one writer. Stop that one, or name another folder (sink.embedded.path).`
  )
}
