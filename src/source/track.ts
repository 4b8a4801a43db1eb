/** All generations of one log: what is written to now, and what was rotated away from it. */

import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { takePath } from '../../parsers/jsonEnvelope.ts'
import { Line } from '../../parsers/line.ts'
import { type FileStream, statOf } from './fileStream.ts'
import { compareGenerations, type Generation, generationOf } from './generation.ts'
import { type Content, GROUP } from './mergeOrder.ts'

/** A file that lies among the generations. */
export interface Member {
  /** Without symlinks. */
  path: string
  /** The glob's path that led to it; null: no glob matches it. */
  matchedPath: string | null
  generation: Generation
  device: number
  inode: number
  size: number
  /** Time of its last write, Unix ms; of its last change of any kind, also renaming. */
  modifiedMs: number
  changedMs: number
}

export class Track {
  /** The path by which the log was found: it leads to what is written to now. */
  readonly path: string
  /** Families that hold its generations: more than one when a symlink's targets lie apart. */
  readonly families = new Map<string, string>()
  /** Those that are being read, oldest first. */
  readonly streams: FileStream[] = []
  /** By the first bytes ever seen; its rotated generations hold the same. */
  content: Content | null = null
  /** Paths that the globs found at the last look, by where they lead to. */
  matched = new Map<string, string>()
  /** The newest generation that was met: what is newer and was never seen was written while nobody looked. */
  last: { id: string; mtimeMs: number } | null = null
  /** A file was not judged at the last look: what is newer than `last` may still turn up. */
  hasDoubt = false
  readonly #isOfPod: boolean

  constructor(path: string) {
    this.path = path
    // kubelet's names tell the pod.
    const place = new Line()
    takePath(place, path)
    this.#isOfPod = place.pod !== null
  }

  get group(): string | null {
    if (this.#isOfPod) return null
    return this.content === 'access' || this.content === 'errors' ? GROUP : null
  }

  holds(realPath: string): boolean {
    return this.families.has(familyOf(realPath))
  }

  /** Its generations as they lie there now, oldest first. Folders that cannot be listed show what the globs found. */
  members(folders: Folders): Member[] {
    const members = new Map<string, Member>()
    const add = (path: string, generation: Generation) => {
      const stats = statOf(path)
      if (!stats?.isFile()) return
      const { dev: device, ino: inode, size, mtimeMs: modifiedMs, ctimeMs: changedMs } = stats
      const matchedPath = this.matched.get(path) ?? null
      const known = members.get(`${device}:${inode}`)
      // Two hard links of one file are one.
      if (known === undefined || known.matchedPath === null)
        members.set(`${device}:${inode}`, { path, matchedPath, generation, device, inode, size, modifiedMs, changedMs })
    }
    for (const [family, folder] of this.families)
      for (const { name, generation } of folders.family(folder, family)) add(join(folder, name), generation)
    for (const path of this.matched.keys()) {
      const folder = dirname(path)
      if (statOf(path) !== null) add(path, generationOf(folder, path.slice(folder.length + 1)))
    }
    return [...members.values()].sort(compareGenerations)
  }

  /** What is written to now: where the symlink leads, else the name that nothing was added to; null: nothing is there. */
  current(members: Member[]): Member | null {
    if (lstatSync(this.path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      const stats = statOf(this.path)
      return members.find(member => member.inode === stats?.ino && member.device === stats.dev) ?? null
    }
    const matched = members.filter(member => member.matchedPath !== null && !member.generation.isCompressed)
    // A log whose names all hold a date is written to under the newest.
    return matched.findLast(member => member.generation.isBase) ?? matched.at(-1) ?? null
  }
}

interface NamedGeneration {
  name: string
  generation: Generation
}

/** Listings as of one look: a folder with a thousand logs is listed once. */
export class Folders {
  readonly #listings = new Map<string, Map<string, NamedGeneration[]>>()

  family(folder: string, family: string): NamedGeneration[] {
    let families = this.#listings.get(folder)
    if (families === undefined) {
      families = new Map()
      for (const name of namesIn(folder)) {
        // kubelet compresses into `*.tmp` and renames: that is a family of its own.
        const generation = generationOf(folder, name)
        const named = families.get(generation.family)
        if (named) named.push({ name, generation })
        else families.set(generation.family, [{ name, generation }])
      }
      this.#listings.set(folder, families)
    }
    return families.get(family) ?? []
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // Gone, or not to be listed: the files that the globs name are tried one by one.
    return []
  }
}

export function familyOf(realPath: string): string {
  const folder = dirname(realPath)
  return generationOf(folder, realPath.slice(folder.length + 1)).family
}

/** Where a path leads to; null: nowhere. */
export function realPathOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
