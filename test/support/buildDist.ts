/**
 * Tests of the command line run the built program. Before them the build is brought up to date, when anything it is made
 * of is younger than it.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export default function buildDist(): void {
  const builtMs = modifiedMs(join(ROOT, 'dist/src/main.js'))
  const sources = ['src', 'parsers'].flatMap(folder =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(file => join(ROOT, folder, file))
  )
  sources.push(join(ROOT, 'tsconfig.json'), join(ROOT, 'tsconfig.build.json'))
  if (sources.every(file => modifiedMs(file) < builtMs)) return
  // Types are judged by `npm run check`: a program with a wrong type is built all the same.
  const { status } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    { cwd: ROOT, stdio: 'inherit' }
  )
  if (status !== 0 && builtMs === modifiedMs(join(ROOT, 'dist/src/main.js'))) throw new Error('the build failed')
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
