/** Whether the embedded store's folder can be written, and how long the disk lasts. It is left as it was. */

import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { systemErrorText } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { parseSize, sizeText } from '../sizeOption.ts'
import { durationMs } from '../timeOption.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const ABOUT = 'sink.embedded.path'
const DAY_MS = 86_400_000
/** A run on a full disk waits; with this little left it soon will. */
const FREE_MIN = 256 * 2 ** 20
/** Where nothing is known yet of how much a day brings. */
const FREE_ENOUGH = 2 ** 30
/** Whoever has so many days left will notice in time. */
const DAYS_ENOUGH = 7

export function checkSinkFolder({ path, retention, sizeMax }: Config['sink']['embedded'], nowMs: number): Finding[] {
  const folder = resolve(path)
  const existing = nearestExisting(folder)
  try {
    if (!statSync(existing).isDirectory())
      return [problem(ABOUT, `${path}: ${existing} is no folder`, 'set sink.embedded.path to a folder')]
    if (existing === folder) tryWriting(folder)
    else rmdirSync(mkdtempSync(join(existing, '.why5xx-check-')))
  } catch (error) {
    const text = `${path}: ${existing === folder ? 'it cannot be written' : `it cannot be made in ${existing}`}: ${systemErrorText(error)}`
    return [problem(ABOUT, text, 'give the user of why5xx the right to write there, or set another sink.embedded.path')]
  }
  const isThere = existing === folder
  const { bavail, bsize } = statfsSync(existing)
  const limits = { retentionMs: durationMs('', retention), sizeMax: sizeMax === null ? null : parseSize('', sizeMax) }
  return [
    ok(ABOUT, `${path}: ${isThere ? 'it can be written' : 'it is not there yet, and can be made'}`),
    spaceFinding(path, bavail * bsize, isThere ? usage(folder) : NOTHING, limits, nowMs)
  ]
}

/** A byte in a file of its own, which is gone again: rights alone tell nothing of a full or read-only disk. */
function tryWriting(folder: string): void {
  const file = join(folder, `.why5xx-check-${process.pid}`)
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, '\n')
  } finally {
    closeSync(descriptor)
    rmSync(file)
  }
}

export interface Usage {
  bytes: number
  /** Time of the oldest file, Unix ms. */
  oldestMs: number
}

export interface Limits {
  retentionMs: number
  /** Bytes; null: none. */
  sizeMax: number | null
}

const NOTHING: Usage = { bytes: 0, oldestMs: Number.POSITIVE_INFINITY }

function usage(folder: string): Usage {
  const sum = { ...NOTHING }
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    try {
      const { size, mtimeMs } = statSync(join(entry.parentPath, entry.name))
      sum.bytes += size
      sum.oldestMs = Math.min(sum.oldestMs, mtimeMs)
    } catch {
      // A run that goes on meanwhile has sealed or deleted it.
    }
  }
  return sum
}

/** `free`: bytes. What the store took a day until now tells how long they last. */
export function spaceFinding(
  path: string,
  free: number,
  { bytes, oldestMs }: Usage,
  limits: Limits,
  nowMs: number
): Finding {
  const mend = 'make room, or set sink.embedded.retention or sink.embedded.sizeMax lower'
  if (free < FREE_MIN)
    return problem(
      ABOUT,
      `${path}: only ${sizeText(free)} are free; on a full disk run waits until there is room`,
      mend
    )
  const days = (nowMs - oldestMs) / DAY_MS
  // What a day brings is known from what is there; of a store younger than a day, and of an empty one, it is not.
  if (!(days >= 1))
    return free < FREE_ENOUGH
      ? hint(ABOUT, `${path}: ${sizeText(free)} are free, which a busy day may need`, mend)
      : ok(ABOUT, `${path}: ${sizeText(free)} are free`)
  const perDay = bytes / days
  const whole = Math.min(perDay * (limits.retentionMs / DAY_MS), limits.sizeMax ?? Number.POSITIVE_INFINITY)
  const text = `${path}: ${sizeText(free)} are free; the store has ${sizeText(bytes)} and takes ${sizeText(perDay)} a day`
  if (whole - bytes <= free) return ok(ABOUT, text)
  const left = free / perDay
  if (left >= DAYS_ENOUGH) return ok(ABOUT, `${text}, which is enough for ${Math.floor(left)} days`)
  return hint(
    ABOUT,
    `${text}: full in about ${left.toFixed(1)} days, before anything is old enough to be deleted`,
    mend
  )
}

function nearestExisting(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    try {
      statSync(at)
      return at
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // What cannot be looked at is there as far as anyone can tell: making it says why not.
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || at === dirname(at)) return at
    }
  }
}
