/** What README.md shows is what the program prints, and what `npm start` needs is in the package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT_CAUSES } from '../src/diagnose/rootCauses.ts'

const ROOT = join(import.meta.dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

test('the first report is what npm start prints; only where it says … lines are left out', () => {
  const block = /\n\$ npm ci && npm start\n([\s\S]*?)\n```/.exec(readme)
  // test/incidents.test.ts holds this file to what the program prints.
  const printed = readFileSync(join(ROOT, 'test/explain/oom-during-load.cluster.txt'), 'utf8')
  const pieces = block![1]!.split('\n…').map(piece => piece.replace(/^\n/, ''))
  expect(pieces.length).toBeGreaterThan(2)
  let from = 0
  for (const piece of pieces) {
    const at = printed.indexOf(piece, from)
    expect(at, piece).toBeGreaterThanOrEqual(from)
    from = at + piece.length
  }
})

test('there are as many root causes as it says', () => {
  const known = ROOT_CAUSES.filter(cause => cause !== 'undetermined').length
  expect(/\((\d+) root causes/.exec(readme)?.[1]).toBe(String(known))
})

test('npm start reads nothing that is not in the package', () => {
  const { scripts, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
    files: string[]
  }
  expect(scripts.start).toMatch(/ dist\/main\.js demo$/)
  const incident = /INCIDENT = '([^']+)'/.exec(readFileSync(join(ROOT, 'src/cli/demo.ts'), 'utf8'))![1]!
  for (const name of ['controller.log', 'cluster.ndjson']) {
    expect(readFileSync(join(ROOT, incident, name)).length).toBeGreaterThan(0)
    expect(files.some(folder => incident.startsWith(`${folder}/`))).toBe(true)
  }
})
