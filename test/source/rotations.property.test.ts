/**
 * Random appends, rotations both ways, compressions, deletions and restarts, at random points of reading: every line comes
 * exactly once. A failing seed is run alone with WHY5XX_SEED=n.
 */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { FileSource } from '../../src/source/files.ts'
import type { StreamState } from '../../src/source/source.ts'
import { Folder } from '../support/program.ts'
import { runs } from '../support/seed.ts'
import { FakeTicker, ReadingRun } from './reading.ts'

const ONLY = process.env.WHY5XX_SEED
const SEEDS = ONLY === undefined ? Array.from({ length: runs(30).numRuns }, (_, i) => i + 1) : [Number(ONLY)]
const STEPS = 40
const GENERATIONS = 30

/** Mulberry32. */
function dice(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

/** One log and its generations, as logrotate leaves them. */
class RotatedLog {
  readonly path: string
  readonly written: string[] = []
  readonly done: string[] = []
  readonly #roll: (below: number) => number
  readonly #banner: string

  constructor(path: string, roll: (below: number) => number, banner: string) {
    this.path = path
    this.#roll = roll
    this.#banner = banner
  }

  append(): void {
    const long = this.#roll(3) === 0 ? 'x'.repeat(this.#roll(400)) : ''
    const lines = Array.from({ length: 1 + this.#roll(20) }, (_, i) => `${this.written.length + i} ${long}`)
    if (!existsSync(this.path) || statSync(this.path).size === 0) writeFileSync(this.path, this.#banner)
    appendFileSync(this.path, lines.map(line => `${line}\n`).join(''))
    this.written.push(...lines)
  }

  rename(): void {
    if (!this.#shift()) return
    renameSync(this.path, `${this.path}.1`)
    // The writer opens the new one at once, or at its next line.
    if (this.#roll(2) === 0) writeFileSync(this.path, '')
  }

  copyTruncate(): void {
    // A program writes its banner when it opens a file; one that is truncated stays open.
    if (this.#banner !== '') return this.rename()
    if (!this.#shift()) return
    copyFileSync(this.path, `${this.path}.1`)
    truncateSync(this.path, 0)
    if (this.#roll(2) === 0) this.append()
  }

  /** gzip keeps the time of the last write. */
  compress(from: number): void {
    for (let n = from; n < GENERATIONS; n++) {
      const plain = `${this.path}.${n}`
      if (!existsSync(plain)) continue
      const { atime, mtime } = statSync(plain)
      writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)))
      utimesSync(`${plain}.gz`, atime, mtime)
      unlinkSync(plain)
      return
    }
  }

  /** Deletes the oldest if all of it was read. */
  deleteOldest(read: Set<string>): boolean {
    for (let n = GENERATIONS; n > 1; n--) {
      for (const path of [`${this.path}.${n}`, `${this.path}.${n}.gz`]) {
        if (!existsSync(path)) continue
        const bytes = path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)
        const lines = bytes
          .toString()
          .split('\n')
          .filter(line => line !== '' && `${line}\n` !== this.#banner)
        if (!lines.every(line => read.has(line))) return false
        unlinkSync(path)
        return true
      }
    }
    return false
  }

  #shift(): boolean {
    if (!existsSync(this.path) || statSync(this.path).size === 0 || existsSync(`${this.path}.${GENERATIONS}.gz`))
      return false
    for (let n = GENERATIONS - 1; n > 0; n--) {
      for (const suffix of ['', '.gz'])
        if (existsSync(`${this.path}.${n}${suffix}`))
          renameSync(`${this.path}.${n}${suffix}`, `${this.path}.${n + 1}${suffix}`)
    }
    return true
  }
}

test.each([
  ['the log alone', (path: string) => [path], ''],
  ['its rotations match, too', (path: string) => [`${path}*`], ''],
  ['files begin alike', (path: string) => [path], 'banner of the program, equal in all files\n']
])('every line comes once: %s', async (_name, pathsOf, banner) => {
  for (const seed of SEEDS) {
    const roll = dice(seed)
    const folder = new Folder()
    const log = new RotatedLog(join(folder.path, 'access.log'), roll, banner)
    const read: string[] = []
    let known: StreamState[] = []
    const open = () =>
      new ReadingRun(new FileSource({ paths: pathsOf(log.path), follow: true }, known, new FakeTicker()), known)
    let run = open()
    const steps: string[] = []
    const gaps: string[] = []
    let isDeleted = false
    const restart = async () => {
      gaps.push(...run.gaps.map(gap => gap.text))
      known = run.states()
      read.push(...run.lines)
      await run.crash()
      run = open()
    }
    try {
      // What was rotated before the very first start is not asked for.
      log.append()
      await run.settle()
      for (let step = 0; step < STEPS; step++) {
        const action = roll(10)
        steps.push(
          ['append', 'append', 'append', 'rename', 'rename', 'copytruncate', 'compress', 'delete', 'restart', 'settle'][
            action
          ]!
        )
        if (action < 3) log.append()
        else if (action < 5) log.rename()
        else if (action === 5) log.copyTruncate()
        else if (action === 6) log.compress(1 + roll(3))
        else if (action === 7) isDeleted = log.deleteOldest(new Set([...read, ...run.lines])) || isDeleted
        else if (action === 8) await restart()
        else await run.settle(9_000)
        for (let i = roll(4); i > 0; i--) await run.next()
      }
      log.append()
      await run.settle(20_000)
      read.push(...run.lines)
      gaps.push(...run.gaps.map(gap => gap.text))
      const told = `seed ${seed}: ${steps.join(' ')}`
      const lines = read.filter(line => `${line}\n` !== banner)
      const twice = lines.filter((line, i) => lines.indexOf(line) !== i)
      const missing = log.written.filter(line => !lines.includes(line))
      expect({ twice, missing }, told).toEqual({ twice: [], missing: [] })
      // A file that was deleted while nobody read may have held more, as far as anyone can know.
      if (!isDeleted) expect(gaps, told).toEqual([])
    } finally {
      await run.crash()
      folder.remove()
    }
  }
})
