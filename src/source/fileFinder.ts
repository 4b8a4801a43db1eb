/** Finds the files to read: what the globs match, what was read before under whatever name, what was rotated meanwhile. */

import { accessSync, constants } from 'node:fs'
import { basename, dirname } from 'node:path'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { FileStream, Moved, statOf } from './fileStream.ts'
import { HEAD_BYTES } from './fingerprint.ts'
import { generationOf } from './generation.ts'
import { expandGlob } from './glob.ts'
import { FILE_TIME_MS, inodeKey, KnownFiles, type Verdict } from './knownFiles.ts'
import { LostStream } from './lostStream.ts'
import type { KnownFile } from './place.ts'
import type { SourceEvent, SourceGap } from './source.ts'
import { Folders, familyOf, type Member, realPathOf, Track } from './track.ts'

export interface FinderOptions {
  /** Paths or globs. */
  patterns: string[]
  /** Every file is opened once at most: what is written to it later is left to the next run. */
  isOnce: boolean
  /** Files that are open at once; those beyond wait until others end. */
  openMax: number
}

export class FileFinder {
  readonly tracks: Track[] = []
  readonly known: KnownFiles
  readonly #byPath = new Map<string, Track>()
  readonly #byFamily = new Map<string, Track>()
  /** As of the last look; what it opens is added. */
  #openFiles: Map<string, FileStream> = new Map()
  readonly #options: FinderOptions
  /** By device and inode: what was ever opened. Kept with `isOnce` only. */
  readonly #opened = new Set<string>()
  /** There was no room for one more, at the last look. */
  #isShort = false
  readonly #emit: (event: SourceEvent) => void
  readonly #nowMs: () => number
  /** Not done, and not found yet. */
  readonly #pending = new Set<KnownFile>()
  /** Paths, and ids of grown files, that were told to be unreadable. */
  readonly #told = new Set<string>()

  constructor(options: FinderOptions, known: KnownFile[], nowMs: () => number, emit: (event: SourceEvent) => void) {
    this.#options = options
    this.#emit = emit
    this.#nowMs = nowMs
    this.known = new KnownFiles(known)
    for (const file of known) {
      const track = this.#trackOf(file.place.path, file.place.realPath)
      if (track.last === null || track.last.mtimeMs <= file.place.mtimeMs)
        track.last = { id: file.id, mtimeMs: file.place.mtimeMs }
      if (!file.isDone) this.#pending.add(file)
    }
  }

  get streams(): FileStream[] {
    return this.tracks.flatMap(track => track.streams)
  }

  /** The last look left files for a later one: there was no room, or one could not be told from a copy yet. */
  get hasMore(): boolean {
    return this.#isShort || this.tracks.some(track => track.hasDoubt)
  }

  /** `mustMatch`: throws Why5xxError `WHY5XX_INPUT_UNREADABLE` for a pattern that nothing matches. */
  async scan(mustMatch: boolean): Promise<void> {
    this.#look(mustMatch)
    this.#isShort = false
    this.#openFiles = this.openFiles()
    const folders = new Folders()
    for (const track of this.tracks) await this.#scanTrack(track, folders)
    // A log of which nothing is left is forgotten; one that is just being rotated is not.
    for (const track of this.tracks.filter(({ matched, streams }) => matched.size === 0 && streams.length === 0)) {
      if (track.members(folders).length === 0) this.#forget(track)
    }
  }

  gap(name: string, reason: SourceGap['reason'], bytes: number | null, text: string): void {
    this.#emit({ kind: 'gap', gap: { name, atMs: this.#nowMs(), bytes, reason, text } })
  }

  /** Says once why a path cannot be read. */
  unreadable(path: string, because: string): void {
    if (this.#told.has(path)) return
    this.#told.add(path)
    this.gap(path, 'unreadable', null, `${path} cannot be read: ${because}.`)
  }

  #trackOf(path: string, realPath: string): Track {
    const family = familyOf(realPath)
    let track = this.#byPath.get(path) ?? this.#byFamily.get(family)
    if (track === undefined) {
      track = new Track(path)
      this.tracks.push(track)
      this.#byPath.set(path, track)
    }
    track.families.set(family, dirname(realPath))
    this.#byFamily.set(family, track)
    return track
  }

  #forget(track: Track): void {
    this.tracks.splice(this.tracks.indexOf(track), 1)
    if (this.#byPath.get(track.path) === track) this.#byPath.delete(track.path)
    for (const family of track.families.keys()) if (this.#byFamily.get(family) === track) this.#byFamily.delete(family)
  }

  /** What the globs match now. */
  #look(mustMatch: boolean): void {
    const matched = new Map<string, string>()
    for (const pattern of this.#options.patterns) {
      let isMatched = false
      const paths = expandGlob(pattern, (folder, error) => this.unreadable(folder, systemErrorText(error)))
      for (const path of paths) {
        const realPath = this.#fileAt(path, pattern)
        if (realPath === null) continue
        isMatched = true
        if (realPath !== '' && !matched.has(realPath)) matched.set(realPath, path)
      }
      if (mustMatch && !isMatched)
        throw new Why5xxError(
          'WHY5XX_INPUT_UNREADABLE',
          `no file matches ${pattern}; name log files, or a pattern that matches some`
        )
    }
    for (const track of this.tracks) track.matched = new Map()
    // Names that nothing was added to come first: a log is called by them.
    const isRotated = ([realPath]: [string, string]) =>
      generationOf(dirname(realPath), basename(realPath)).isBase ? 0 : 1
    for (const [realPath, path] of [...matched].sort((a, b) => isRotated(a) - isRotated(b)))
      this.#trackOf(path, realPath).matched.set(realPath, path)
  }

  /** Where the path leads to; '' when that is no file to read; null when nothing is there. */
  #fileAt(path: string, pattern: string): string | null {
    // kubelet compresses into a file with this name.
    if (path.endsWith('.tmp') && !pattern.endsWith('.tmp')) return null
    try {
      const stats = statOf(path)
      if (stats === null) return null
      if (stats.isFile()) return realPathOf(path)
      this.unreadable(path, stats.isDirectory() ? 'it is a directory' : 'it is no ordinary file')
    } catch (error) {
      this.unreadable(path, systemErrorText(error))
    }
    return ''
  }

  /** Opens what is new of one log, and says of what is open whether it was rotated away. */
  async scanTrack(track: Track): Promise<void> {
    this.#openFiles = this.openFiles()
    await this.#scanTrack(track, new Folders())
  }

  async #scanTrack(track: Track, folders: Folders): Promise<void> {
    const members = track.members(folders)
    await this.#resume(track, members)
    for (const member of await this.#newMembers(track, members)) await this.#open(track, member, null)
    const current = track.current(members)
    const changedMs = new Map(members.map(member => [inodeKey(member), member.changedMs]))
    for (const stream of track.streams) {
      const isRotated = current === null || inodeKey(current) !== inodeKey(stream)
      if (isRotated && !stream.isRotated)
        stream.stillMs = stream.wasSeen ? 0 : Math.max(0, this.#nowMs() - (changedMs.get(inodeKey(stream)) ?? 0))
      stream.isRotated = isRotated || stream.isComplete
      stream.wasSeen = true
    }
    // What has no name any more is older than what has one.
    const order = (stream: FileStream) => members.findIndex(member => inodeKey(member) === inodeKey(stream))
    track.streams.sort((a, b) => order(a) - order(b))
    // An empty one may have been written to and truncated unseen: what lies before it may be news.
    const last = track.streams.findLast(stream => stream.wasWritten)
    if (last && !track.hasDoubt) track.last = { id: last.id, mtimeMs: last.mtimeMs }
  }

  /** Goes on with what an earlier process was reading. */
  async #resume(track: Track, members: Member[]): Promise<void> {
    const open = this.#openFiles
    for (const file of this.#pending) {
      const { place, state } = file
      if (track.path !== place.path && !track.holds(place.realPath)) continue
      const found = await this.known.find(
        file,
        members.filter(member => !open.has(inodeKey(member)))
      )
      if (found) {
        if (!(await this.#open(track, found, file))) continue
      } else {
        const hidden = members.find(member => member.inode === place.inode && !isReadable(member.path))
        if (hidden) {
          this.unreadable(hidden.path, 'permission denied (EACCES)')
          continue
        }
        const waiting = state!.read.held.length
        const text = `${place.path} was read to byte ${place.tail.at} and cannot be found again, not under another name nor compressed: what was written to it behind that is missing${waiting > 0 ? `, and ${waiting} of its lines that waited for a partner are judged without it` : ''}.`
        this.gap(place.path, 'rotated_away', null, text)
        this.#emit({ kind: 'end', stream: new LostStream(state!, place, track.group) })
        file.isDone = true
      }
      this.#pending.delete(file)
    }
  }

  /** Oldest first: what the globs match, and what was rotated between the newest that is known and what is written to now. */
  async #newMembers(track: Track, members: Member[]): Promise<Member[]> {
    const found: Member[] = []
    const open = this.#openFiles
    const { last } = track
    let isNewer = last !== null
    track.hasDoubt = false
    for (const member of members.toReversed()) {
      const isWanted = isNewer || member.matchedPath !== null
      if (!isWanted && !this.known.mayHaveGrown(member)) continue
      let verdict: Verdict
      try {
        verdict = await this.known.identify(member, track, members, open)
      } catch (error) {
        if (isGone(error)) continue
        if (isWanted) this.unreadable(member.path, systemErrorText(error))
        continue
      }
      if (verdict.kind === 'known') {
        // A copy of what is being read tells nothing, nor does a young file that holds the same: where itself lies counts.
        const place = this.known.get(verdict.id)?.place
        const isItself =
          open.has(inodeKey(member)) ||
          (place !== undefined && (place.head.bytes === HEAD_BYTES || inodeKey(place) === inodeKey(member)))
        if (verdict.id === last?.id && isItself) isNewer = false
        await this.#readOn(verdict.id, track, member, open.has(inodeKey(member)))
      } else if (verdict.kind === 'doubt') track.hasDoubt = true
      else if (verdict.kind === 'new' && isWanted) found.unshift(member)
    }
    // The newest that is known was not among them: then the time of the last write tells, which gzip rounds.
    return found.filter(
      member => member.matchedPath !== null || !isNewer || member.modifiedMs >= last!.mtimeMs - FILE_TIME_MS
    )
  }

  /** Somebody wrote to a file after it had been read to its end and was still. */
  async #readOn(id: string, track: Track, member: Member, isOpen: boolean): Promise<void> {
    const file = this.known.get(id)
    if (
      isOpen ||
      this.#opened.has(inodeKey(member)) ||
      !file?.isDone ||
      inodeKey(file.place) !== inodeKey(member) ||
      !this.known.mayHaveGrown(member)
    )
      return
    if (file.state !== null) {
      await this.#open(track, member, file)
      return
    }
    if (this.#told.has(id)) return
    this.#told.add(id)
    const bytes = member.size - file.place.tail.at
    const text = `${member.path} was renamed, then still, and is written to again: ${bytes} bytes, and what follows, are read after a restart only; let the rotation signal the writer.`
    this.gap(file.place.path, 'rotated_away', bytes, text)
  }

  /** False: not now. */
  async #open(track: Track, member: Member, known: KnownFile | null): Promise<boolean> {
    if (this.#opened.has(inodeKey(member))) return false
    if (this.#openFiles.size >= this.#options.openMax) {
      this.#isShort = true
      return false
    }
    const name = known?.place.path ?? member.matchedPath ?? track.path
    try {
      const stream = await FileStream.open(track, name, member.path, member.inode, known)
      track.streams.push(stream)
      this.#openFiles.set(inodeKey(stream), stream)
      if (this.#options.isOnce) this.#opened.add(inodeKey(stream))
      this.#told.delete(member.path)
      return true
    } catch (error) {
      if (!isGone(error)) this.unreadable(member.path, systemErrorText(error))
      return false
    }
  }

  openFiles(): Map<string, FileStream> {
    return new Map(this.streams.map(stream => [inodeKey(stream), stream]))
  }
}

/** Renamed or deleted between two looks: the next look finds it where it is then. */
function isGone(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException
  return error instanceof Moved || code === 'ENOENT' || (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
