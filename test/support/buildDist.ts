/**
 * Tests of the command line run the built program. Before them the build is brought up to date, when anything it is made
 * of is younger than it.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export default function buildDist(): void {
  const builtMs = modifiedMs(join(ROOT, 'dist/main.js'))
  const sources = ['src', 'parsers'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(file => join(ROOT, folder, file))
  )
  sources.push(join(ROOT, 'rolldown.config.mjs'))
  if (sources.every(file => modifiedMs(file) < builtMs)) return
  const rolldown = join(ROOT, 'node_modules/.bin/rolldown')
  const { status } = spawnSync(rolldown, ['-c'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('the build failed')
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
