/** Which files a run would read, and which it could not. */

import { closeSync, fstatSync, lstatSync, openSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemErrorText } from '../errors.ts'
import type { Config } from '../optionTable.ts'
import { sizeText } from '../sizeOption.ts'
import { expandGlob, isGlob } from '../source/glob.ts'
import { plural } from '../text.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const ABOUT = 'source.files.paths'
/** So many files that cannot be read are named; of more, the number. */
const NAMED_MAX = 3
const PERMISSION =
  'run why5xx as a user who may read them (root, or the group that owns them); in a container, mount their folders, those that links lead to included'

export function checkSource({ kind, files }: Pick<Config['source'], 'kind' | 'files'>): Finding[] {
  if (kind === 'stdin') return [ok('source.kind', 'stdin: lines come through a pipe')]
  const looks = files.paths.map(look)
  const isNothing = looks.every(({ readable }) => readable === 0)
  return looks.flatMap(({ pattern, unlisted, readable, bytes, unreadable, missing }) => {
    const findings: Finding[] = unlisted.map(text => problem(ABOUT, `${pattern}: ${text}`, PERMISSION))
    if (unreadable.length > 0)
      findings.push(problem(ABOUT, `${pattern}: ${unreadableText(unreadable, readable)}`, PERMISSION))
    if (readable > 0)
      findings.push(ok(ABOUT, `${pattern}: ${plural(readable, 'file')} can be read, ${sizeText(bytes)}`))
    else if (missing !== null)
      // One of several that finds nothing may be there for later.
      findings.push((isNothing ? problem : hint)(ABOUT, `${pattern}: ${missing}`, mendMissing(files.follow)))
    return findings
  })
}

interface Look {
  pattern: string
  /** Folders that cannot be listed, and why. */
  unlisted: string[]
  readable: number
  /** Bytes of the readable ones. */
  bytes: number
  /** `path: why`; why alone of a path that is its own pattern. */
  unreadable: string[]
  /** Why there is nothing at all; null: there is something. */
  missing: string | null
}

function look(pattern: string): Look {
  const found: Look = { pattern, unlisted: [], readable: 0, bytes: 0, unreadable: [], missing: null }
  const paths = expandGlob(pattern, (folder, error) => {
    found.unlisted.push(`the folder ${folder} cannot be listed: ${systemErrorText(error)}`)
  })
  for (const path of paths) {
    const prefix = path === pattern ? '' : `${path}: `
    try {
      const stats = readableStats(path)
      // As the source does: a pattern that also meets folders means the files beside them.
      if (stats.isDirectory() && isGlob(pattern)) continue
      if (stats.isDirectory()) found.unreadable.push(`${prefix}it is a folder; name the files in it: ${path}/*.log`)
      else {
        found.readable++
        found.bytes += stats.size
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !isLink(path)) continue
      found.unreadable.push(`${prefix}${whyUnreadable(path, error)}`)
    }
  }
  const isNothing = found.readable + found.unreadable.length + found.unlisted.length === 0
  if (isNothing) found.missing = missingFolder(pattern) ?? (isGlob(pattern) ? 'no file matches' : 'no such file')
  return found
}

/** Opens it, as that is what a run does: rights alone do not tell (links, mounts, security modules). */
function readableStats(path: string): Stats {
  // A pipe without a writer would be waited for.
  const stats = statSync(path)
  if (!stats.isFile()) return stats
  const descriptor = openSync(path, 'r')
  try {
    return fstatSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function whyUnreadable(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return `it leads to ${readlinkSync(path)}, which is not there`
  const text = systemErrorText(error)
  if (code !== 'EACCES') return text
  try {
    const { mode, uid, gid } = statSync(path)
    return `${text}; its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}, its user ${uid}, its group ${gid}`
  } catch {
    // Not even that may be seen, such as in a folder of others.
    return text
  }
}

function unreadableText(unreadable: string[], readable: number): string {
  const more = unreadable.length - NAMED_MAX
  const named = unreadable.slice(0, NAMED_MAX).join('; ')
  const of =
    readable + unreadable.length === 1
      ? ''
      : `${unreadable.length} of ${plural(readable + unreadable.length, 'file')} cannot be read: `
  return `${of}${named}${more > 0 ? `; and ${more} more` : ''}`
}

/** The folder that must be there for anything to match; null: it is there. */
function missingFolder(pattern: string): string | null {
  const segments = pattern.split('/')
  const first = segments.findIndex(segment => isGlob(segment))
  const folder =
    first < 0 ? dirname(pattern) : segments.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.')
  try {
    return statSync(folder).isDirectory() ? null : `${folder} is no folder`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? `there is no folder ${folder}` : `${folder}: ${systemErrorText(error)}`
  }
}

function mendMissing(follow: boolean): string {
  return `set source.files.paths to where the controller's logs are${follow ? '; run waits for files that come later' : ''}`
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    // Gone in between: then it is no link that leads nowhere.
    return false
  }
}
