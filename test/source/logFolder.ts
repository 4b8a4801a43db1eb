/** A folder with one log, and readers of it. */
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { FileSource, type FileSourceOptions } from '../../src/source/files.ts'
import type { StreamState } from '../../src/source/source.ts'
import { Folder } from '../support/program.ts'
import { FakeTicker, ReadingRun } from './reading.ts'

export let folder: Folder
/** Path of the log; it is not there at first. */
export let log: string
let runs: ReadingRun[]

/** Call once in a file of tests. */
export function useLogFolder(): void {
  beforeEach(() => {
    folder = new Folder()
    runs = []
    log = join(folder.path, 'access.log')
  })

  afterEach(async () => {
    for (const run of runs) await run.crash()
    folder.remove()
  })
}

export function follow(
  paths: string[] | string = log,
  known: StreamState[] = [],
  options: Partial<FileSourceOptions> = {}
) {
  const source = new FileSource({ paths: [paths].flat(), follow: true, ...options }, known, new FakeTicker())
  const run = new ReadingRun(source, known)
  runs.push(run)
  return run
}

/** Lines of about 100 bytes that tell where they belong. */
export function lines(name: string, count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `${name} ${from + i} ${'x'.repeat(90)}\n`).join('')
}

export function numbers(run: ReadingRun): string[] {
  return run.lines.map(line => line.split(' ').slice(0, 2).join(' '))
}

export function names(name: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${from + i}`)
}
