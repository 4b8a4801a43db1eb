/** What was read before, and whether a file that turns up is one of it under another name. */

import type { FileStream } from './fileStream.ts'
import { agreement, Excerpts, type Fingerprint, HEAD_BYTES, sha256, TAIL_BYTES } from './fingerprint.ts'
import type { KnownFile } from './place.ts'
import { DONE_STREAMS_MAX } from './source.ts'
import type { Member, Track } from './track.ts'

const VERDICTS_MAX = 20_000
/** File times are kept to the second by gzip. */
export const FILE_TIME_MS = 1_000

/** `later`: it is empty, or being compressed. `doubt`: young, and perhaps a copy; the next look tells. */
export type Verdict = { kind: 'known'; id: string } | { kind: 'new' } | { kind: 'later' | 'doubt' }

/** By device and inode. */
export type OpenFiles = ReadonlyMap<string, FileStream>

export function inodeKey({ device, inode }: { device: number; inode: number }): string {
  return `${device}:${inode}`
}

export class KnownFiles {
  /** By id, those known longest first. */
  readonly #files = new Map<string, KnownFile>()
  /** By device and inode: those that ended. */
  readonly #done = new Map<string, KnownFile>()
  /** By inode, size and time of the last write: a compressed file is unpacked once only. */
  readonly #verdicts = new Map<string, Verdict>()
  /** Young files that may be copies: looked at once more. */
  readonly #doubted = new Set<string>()

  constructor(files: KnownFile[]) {
    for (const file of files) {
      this.#files.set(file.id, file)
      if (file.isDone) this.#done.set(inodeKey(file.place), file)
    }
  }

  get all(): Iterable<KnownFile> {
    return this.#files.values()
  }

  /** A stream has ended. */
  ended(stream: FileStream): void {
    this.#files.delete(stream.id)
    const file = { id: stream.id, place: stream.place(), isDone: true, state: null }
    this.#files.set(stream.id, file)
    this.#done.set(inodeKey(file.place), file)
    // What was new then is known now.
    for (const [key, { kind }] of this.#verdicts) if (kind === 'new') this.#verdicts.delete(key)
    if (this.#files.size <= DONE_STREAMS_MAX) return
    const [oldest] = this.#files.values()
    this.#files.delete(oldest!.id)
    if (this.#done.get(inodeKey(oldest!.place)) === oldest) this.#done.delete(inodeKey(oldest!.place))
  }

  get(id: string): KnownFile | null {
    return this.#files.get(id) ?? null
  }

  /** By its inode it was read to its end, and is longer now. */
  mayHaveGrown(member: Member): boolean {
    const done = this.#done.get(inodeKey(member))
    return done !== undefined && !member.generation.isCompressed && member.size > done.place.tail.at
  }

  /** Read errors are thrown. `open`: the streams that are being read, of all logs. */
  async identify(member: Member, track: Track, members: Member[], open: OpenFiles): Promise<Verdict> {
    const reading = open.get(inodeKey(member))
    if (reading) return { kind: 'known', id: reading.id }
    if (member.size === 0) return member.generation.isBase ? { kind: 'new' } : { kind: 'later' }
    // While a file is compressed, both are there.
    const { generation, path } = member
    if (generation.isCompressed && members.some(twin => `${twin.path}.gz` === path)) return { kind: 'later' }
    const key = [member.device, member.inode, member.size, member.modifiedMs].join(' ')
    const cached = this.#verdicts.get(key)
    if (cached) return cached
    const verdict = await this.#judge(member, track, open)
    if (verdict.kind === 'new' && !generation.isBase && !this.#doubted.has(path) && (await mayBeCopy(path, track))) {
      this.#doubted.add(path)
      return { kind: 'doubt' }
    }
    this.#doubted.delete(path)
    this.#verdicts.set(key, verdict)
    if (this.#verdicts.size > VERDICTS_MAX) this.#verdicts.delete(this.#verdicts.keys().next().value!)
    return verdict
  }

  async #judge(member: Member, track: Track, open: OpenFiles): Promise<Verdict> {
    const file = new Excerpts(member.path)
    for (const stream of open.values()) {
      if (stream.seenHead.length === HEAD_BYTES || stream.track === track)
        if (await isCopyOf(file, member, stream)) return { kind: 'known', id: stream.id }
    }
    // A thousand files that are still where they were are known without comparing each to each.
    const here = this.#done.get(inodeKey(member))
    if (here && (await this.#isFile(here, file, member, track))) return { kind: 'known', id: here.id }
    for (const known of this.#files.values()) {
      if (await this.#isFile(known, file, member, track)) return { kind: 'known', id: known.id }
    }
    return { kind: 'new' }
  }

  /** A whole head is proof enough; a young file's is not: a banner begins many files. */
  async #isFile({ place, state }: KnownFile, file: Excerpts, member: Member, track: Track): Promise<boolean> {
    const isYoung = place.head.bytes < HEAD_BYTES
    if (isYoung && !isOfTrack(place, track)) return false
    const agrees = await agreement(file, place)
    if (!isYoung) return agrees !== null
    if (agrees !== 'same') return false
    // It has grown: read on if its position is known. Else it is read anew: its inode may be another file's by now.
    const isReadOn = inodeKey(place) === inodeKey(member) && state !== null
    return isReadOn || (await file.head()).length === place.head.bytes
  }

  /**
   * The file that `known` has become: where it lay, under another name, copied, or compressed. null: gone. `members` are
   * those of its log that were not found to be another one.
   */
  async find(known: KnownFile, members: Member[]): Promise<Member | null> {
    const { place } = known
    const isHere = (member: Member) => member.inode === place.inode
    const files = new Map<Member, Excerpts>()
    // Where it lay first, then by inode, then copies that are not compressed.
    const order = (member: Member): number =>
      (isHere(member) ? 0 : 4) + (member.device === place.device ? 0 : 2) + (member.generation.isCompressed ? 1 : 0)
    const agreeing: Member[] = []
    for (const member of [...members].sort((a, b) => order(a) - order(b))) {
      if (member.size === 0) continue
      const file = excerptsOf(member, files)
      if (file === null || (await agreementOrNull(file, place)) !== 'same') continue
      if (isHere(member)) return member
      agreeing.push(member)
    }
    if (place.head.bytes >= HEAD_BYTES) return agreeing[0] ?? null
    // So young that others may begin alike: a copy was made of it only if its own inode holds something else by now, and a
    // compressed one is the first that was written to after we had read it.
    const isTruncated = members.some(isHere)
    return (
      agreeing
        .filter(member => member.modifiedMs >= place.mtimeMs - FILE_TIME_MS)
        .filter(member => isTruncated || files.get(member)!.isGzip)
        .sort((a, b) => a.modifiedMs - b.modifiedMs)[0] ?? null
    )
  }
}

export function isOfTrack(place: { path: string; realPath: string }, track: Track): boolean {
  return place.path === track.path || track.holds(place.realPath)
}

/** The copy of `stream` that holds more than was read of it; of several the longest. null: there is no copy. */
export async function findCopy(
  stream: FileStream,
  members: Member[],
  open: OpenFiles
): Promise<{ file: Excerpts; hasMore: boolean } | null> {
  let best: { file: Excerpts; hasMore: boolean; size: number } | null = null
  for (const member of members) {
    const file = open.has(inodeKey(member)) ? null : excerptsOf(member, new Map())
    if (file === null || (await agreementOrNull(file, stream.print)) !== 'same') continue
    const hasMore = (await file.read(stream.trace.at, 1)).length > 0
    // While it is compressed, the plain copy is still there and whole.
    const size = file.isGzip ? 0 : member.size
    if (best === null || (hasMore && !best.hasMore) || (hasMore === best.hasMore && size > best.size))
      best = { file, hasMore, size }
  }
  return best
}

/** A copy of what is being read, or of its beginning: copytruncate makes one and says so only afterwards. */
async function isCopyOf(file: Excerpts, member: Member, stream: FileStream): Promise<boolean> {
  const head = stream.seenHead
  const own = await file.head()
  const length = Math.min(own.length, head.length)
  if (length === 0 || !own.subarray(0, length).equals(head.subarray(0, length))) return false
  if (head.length === HEAD_BYTES && own.length === HEAD_BYTES) return (await agreement(file, stream.print)) !== null
  if (file.isGzip) return own.length <= head.length
  // Young: what it has more than was read must stand in the stream's own file, too.
  const original = excerptsOf({ path: stream.realPath }, new Map())
  const end = Math.min(member.size, stream.size)
  if (original === null || member.size > stream.size) return false
  const from = Math.max(0, end - TAIL_BYTES)
  return sha256(await file.read(from, end - from)) === sha256(await original.read(from, end - from))
}

/** It begins as a young file of the same log does: until the next look it shows whether that one was truncated. */
async function mayBeCopy(path: string, track: Track): Promise<boolean> {
  const head = await new Excerpts(path).head()
  return track.streams.some(stream => {
    const own = stream.seenHead
    return (
      own.length > 0 && own.length < HEAD_BYTES && head.subarray(0, own.length).equals(own.subarray(0, head.length))
    )
  })
}

function excerptsOf<M extends { path: string }>(member: M, files: Map<M, Excerpts>): Excerpts | null {
  try {
    const file = files.get(member) ?? new Excerpts(member.path)
    files.set(member, file)
    return file
  } catch {
    // Gone meanwhile, or not to be read: then it is not what is looked for. Who wants to read it gets the error.
    return null
  }
}

async function agreementOrNull(file: Excerpts, print: Fingerprint): ReturnType<typeof agreement> {
  try {
    return await agreement(file, print)
  } catch {
    // Damaged or half written compressed data.
    return null
  }
}
