/** Opens the incidents of a folder for writing, beside whoever writes its segments: one process, of which a thread may do that. */

import { Why5xxError } from '../../errors.ts'
import type { IncidentWriter } from '../store.ts'
import { NodeDisk } from './disk.ts'
import { checkWritable, makeFolder, markAsStore } from './folder.ts'
import { IncidentFile } from './incidentFile.ts'
import { inUse, isOwn, Lock, lockOwner, type Owner } from './lock.ts'
import { parseAge } from './retention.ts'

export interface EmbeddedIncidentOptions {
  /** `sink.embedded.retention`: how long incidents are kept after their end; null: for ever. */
  retention: string | null
  notify: (text: string) => void
}

/**
 * Behind the opening of the store, where this process writes that too: then it holds the lock, for both. Where nobody does, the
 * lock is taken. Throws Why5xxError: `WHY5XX_STORE` when the folder cannot be used, `WHY5XX_STORE_IN_USE` when it is
 * another process's.
 */
export async function openEmbeddedIncidents(path: string, options: EmbeddedIncidentOptions): Promise<IncidentWriter> {
  const { retention, notify } = options
  const retentionMs = retention === null ? null : parseAge(retention)
  const holder = await lockOwner(path)
  if (holder !== null && !(await isOwn(holder))) throw inUse(path, holder)
  const lock = holder === null ? await takeFolder(path) : null
  try {
    const owner = holder ?? (await lockOwner(path))
    const file = await IncidentFile.open({
      disk: new NodeDisk(path),
      path,
      retentionMs,
      nowMs: Date.now,
      assertOwned: () => assertOwned(path, owner),
      notify
    })
    return lock === null ? file : new LockedFile(file, lock)
  } catch (error) {
    await lock?.release()
    throw error
  }
}

async function takeFolder(path: string): Promise<Lock> {
  await checkWritable(path)
  await makeFolder(path)
  const lock = await Lock.take(path)
  await markAsStore(path, Date.now())
  return lock
}

async function assertOwned(path: string, owner: Owner | null): Promise<void> {
  const holder = await lockOwner(path)
  if (holder !== null && holder.token === owner?.token) return
  throw holder === null
    ? new Why5xxError('WHY5XX_STORE', `${path}: the store is closed; no incident is written to it any more`)
    : inUse(path, holder)
}

class LockedFile implements IncidentWriter {
  readonly #file: IncidentFile
  readonly #lock: Lock

  constructor(file: IncidentFile, lock: Lock) {
    this.#file = file
    this.#lock = lock
  }

  put(incidents: Parameters<IncidentWriter['put']>[0]): Promise<void> {
    return this.#file.put(incidents)
  }

  async close(): Promise<void> {
    try {
      await this.#file.close()
    } finally {
      await this.#lock.release()
    }
  }
}
