/**
 * `incidents.ndjson`: a line each time an incident changes, `{"schema":1,"incident":{…}}`. Lines are appended whole and synced;
 * of an id the newest `updatedMs` counts, of equal ones the last line. Now and then it is rewritten without what no longer
 * counts: beside it, then renamed, so that a reader sees the one file or the other, and a crash leaves one of them.
 */

import { join } from 'node:path'
import type { Incident } from '../../alert/incident.ts'
import { isRecord, ownField } from '../../cluster/fieldShape.ts'
import { systemErrorText, Why5xxError } from '../../errors.ts'
import { plural } from '../../text.ts'
import { INCIDENT_SCHEMA, incidentLine } from '../incidentLine.ts'
import type { IncidentWriter } from '../store.ts'
import type { Disk } from './disk.ts'
import { TEMPORARY } from './seal.ts'
import { linesOf } from './segmentReader.ts'

export const INCIDENTS_FILE = 'incidents.ndjson'
const DRAFT = `${TEMPORARY}${INCIDENTS_FILE}`

/** Rewritten when it has this many bytes, and several times of what counts in it. */
const BYTES_MAX = 4 << 20
const GROWTH_MAX = 4
/** However little is written: old incidents go. */
const REWRITE_MS = 86_400_000
/** Some 5 kB each. The ones that ended first go. */
const INCIDENTS_MAX = 20_000

export interface IncidentFileParts {
  disk: Disk
  /** Of the store, for sentences. */
  path: string
  /** How long incidents are kept after their end, ms; null: for ever. */
  retentionMs: number | null
  nowMs: () => number
  /** Throws Why5xxError `WHY5XX_STORE_IN_USE` when the folder is another's by now. */
  assertOwned: () => Promise<void>
  notify: (text: string) => void
  bytesMax?: number
  incidentsMax?: number
}

/** Lines of the file with their line feeds; none where there is no file. */
export async function* incidentLines(disk: Disk): AsyncGenerator<{ line: Buffer; isWhole: boolean }> {
  try {
    yield* linesOf(disk, INCIDENTS_FILE)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** What of a line counts. */
interface Kept {
  line: Buffer
  updatedMs: number
  /** When it ended, or was heard of last. */
  seenMs: number
  /** Another version of this program wrote it: it stays as it is. */
  isForeign: boolean
}

export class IncidentFile implements IncidentWriter {
  readonly #parts: IncidentFileParts
  /** null: to be measured, because a rewriting failed and one of two files may stand there. */
  #bytes: number | null = 0
  /** Of what counted when it was rewritten last. */
  #liveBytes = 0
  #rewrittenMs = 0
  /** Something may stand behind `#bytes` that was never promised. */
  #isTorn = false
  #isNamed = false
  #last: Promise<void> = Promise.resolve()

  private constructor(parts: IncidentFileParts) {
    this.#parts = parts
  }

  /** Cuts off a torn last line. The folder is there, and ours. */
  static async open(parts: IncidentFileParts): Promise<IncidentFile> {
    const file = new IncidentFile(parts)
    await parts.disk.remove(DRAFT)
    await file.#rewrite()
    return file
  }

  put(incidents: readonly Incident[]): Promise<void> {
    if (incidents.length === 0) return Promise.resolve()
    const bytes = Buffer.from(incidents.map(incident => `${incidentLine(incident)}\n`).join(''))
    const done = this.#last.then(() => this.#append(bytes))
    this.#last = done.catch(() => {})
    return done
  }

  async close(): Promise<void> {
    await this.#last
    await this.#parts.disk.close()
  }

  async #append(bytes: Buffer): Promise<void> {
    const { disk, path, assertOwned, notify, nowMs, bytesMax = BYTES_MAX } = this.#parts
    await assertOwned()
    try {
      this.#bytes ??= (await disk.list()).find(({ name }) => name === INCIDENTS_FILE)?.bytes ?? 0
      if (this.#isTorn) await disk.truncate(INCIDENTS_FILE, this.#bytes)
      this.#isTorn = true
      await disk.append(INCIDENTS_FILE, bytes)
      await disk.sync(INCIDENTS_FILE)
      if (!this.#isNamed) await disk.syncFolder()
      this.#isNamed = true
      this.#isTorn = false
      this.#bytes += bytes.length
    } catch (error) {
      throw failed(path, error)
    }
    const hasGrown = this.#bytes >= bytesMax && this.#bytes >= GROWTH_MAX * this.#liveBytes
    if (!hasGrown && nowMs() - this.#rewrittenMs < REWRITE_MS) return
    // What was asked for is durable: this may wait.
    const before = this.#bytes
    await this.#rewrite().catch((error: unknown) => {
      this.#rewrittenMs = nowMs()
      this.#liveBytes = before
      this.#bytes = null
      notify(`${(error as Error).message}; they are tidied later`)
    })
  }

  async #rewrite(): Promise<void> {
    const { disk, path, nowMs } = this.#parts
    try {
      const { kept, bytes, validBytes } = await this.#read()
      const live = Buffer.concat(kept.map(({ line }) => line))
      if (live.length < validBytes) {
        await disk.remove(DRAFT)
        await disk.append(DRAFT, live)
        await disk.sync(DRAFT)
        await disk.rename(DRAFT, INCIDENTS_FILE)
        await disk.syncFolder()
        this.#isNamed = true
      } else if (bytes > validBytes) await disk.truncate(INCIDENTS_FILE, validBytes)
      this.#bytes = live.length
      this.#liveBytes = live.length
      this.#isTorn = false
      this.#rewrittenMs = nowMs()
    } catch (error) {
      throw failed(path, error)
    }
  }

  /** The lines that count, in the order in which they were written. */
  async #read(): Promise<{ kept: Kept[]; bytes: number; validBytes: number }> {
    const { disk, path, notify } = this.#parts
    const byKey = new Map<string, Kept>()
    let bytes = 0
    let validBytes = 0
    let damaged = 0
    for await (const { line, isWhole } of incidentLines(disk)) {
      bytes += line.length
      if (!isWhole) continue
      validBytes += line.length
      const read = keptOf(line)
      if (read === null) {
        damaged++
        continue
      }
      const known = byKey.get(read.key)
      if (known !== undefined && known.updatedMs > read.updatedMs) continue
      byKey.delete(read.key)
      byKey.set(read.key, read)
    }
    if (damaged > 0) notify(`${join(path, INCIDENTS_FILE)}: ${plural(damaged, 'damaged line')} dropped`)
    return { kept: this.#retained([...byKey.values()]), bytes, validBytes }
  }

  /** A clock that is years ahead must not empty the file: while even the newest is too old, none goes by age. */
  #retained(all: readonly Kept[]): Kept[] {
    const { path, retentionMs, nowMs, notify, incidentsMax = INCIDENTS_MAX } = this.#parts
    const oldestMs = retentionMs === null ? Number.NEGATIVE_INFINITY : nowMs() - retentionMs
    const isStale = all.every(({ seenMs, isForeign }) => isForeign || seenMs < oldestMs)
    const young = isStale ? all : all.filter(({ seenMs, isForeign }) => isForeign || seenMs >= oldestMs)
    if (young.length <= incidentsMax) return [...young]
    notify(`${join(path, INCIDENTS_FILE)}: only the last ${incidentsMax} incidents are kept`)
    const newest = new Set([...young].sort((a, b) => b.seenMs - a.seenMs).slice(0, incidentsMax))
    return young.filter(one => newest.has(one))
  }
}

/** As much of a line as tells whether it counts; null: it is no incident of anybody. */
function keptOf(line: Buffer): (Kept & { key: string }) | null {
  let read: unknown
  try {
    read = JSON.parse(line.toString())
  } catch {
    return null
  }
  const schema = ownField(read, 'schema')
  const incident = ownField(read, 'incident')
  if (typeof schema !== 'number' || !isRecord(incident)) return null
  const { id, updatedMs, endMs } = incident as Partial<Incident>
  if (typeof id !== 'string' || typeof updatedMs !== 'number') return null
  const isForeign = schema !== INCIDENT_SCHEMA
  const seenMs = typeof endMs === 'number' ? endMs : updatedMs
  return { key: `${schema}\n${id}`, line: Buffer.from(line), updatedMs, seenMs, isForeign }
}

function failed(path: string, error: unknown): Why5xxError {
  if (error instanceof Why5xxError) return error
  return new Why5xxError(
    'WHY5XX_STORE',
    `${join(path, INCIDENTS_FILE)}: incidents cannot be written: ${systemErrorText(error)}`,
    { cause: error }
  )
}
