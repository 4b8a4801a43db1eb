/** Pages say what is so: commands, flags, options, metrics, files and links in README.md and below deploy/ are real ones. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { OPTIONS } from '../src/optionTable.ts'
import { DOCUMENT_FIELDS } from '../src/store/document.ts'
import { TEMPLATE_VERSION } from '../src/store/elasticsearch/templates.ts'
import { FORMAT } from '../src/store/embedded/folder.ts'
import { RULES_VERSION } from '../src/store/identity.ts'
import { Folder, why5xxHere } from './support/program.ts'

const ROOT = join(import.meta.dirname, '..')
const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'deploy'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `deploy/${name}`)
].sort()
const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** Of Elastic's integration. */
const FIELDS_OF_OTHERS = ['source.geo', 'source.as']

test('the pages are there', () => {
  for (const page of ['README', 'pipe', 'one-machine', 'cluster', 'operations', 'upgrade', 'migration'])
    expect(pages).toContain(`deploy/${page}.md`)
})

describe.each(pages)('%s', page => {
  const text = textOf(page)
  // A chart has values of its own.
  const isOfChart = page.startsWith('deploy/helm/')

  test('its links lead somewhere', () => {
    const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(match => match[1]!)
      .filter(link => !/^[a-z]+:/.test(link))
      .filter(link => {
        const [path, anchor] = link.split('#')
        const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path!))
        if (!existsSync(join(ROOT, file))) return true
        return anchor !== undefined && !anchorsOf(textOf(file)).has(anchor)
      })
    expect(dead).toEqual([])
  })

  test('the files that it names are there', () => {
    const named = [...text.matchAll(/(?<![\w/.-])(?:samples|deploy|bench|test|src)\/[\w./-]*\w/g)].map(([path]) => path)
    expect(named.filter(path => !existsSync(join(ROOT, path)) && !isMade(path))).toEqual([])
  })

  test.skipIf(isOfChart)('its options are options', () => {
    const sections = [...new Set(OPTIONS.map(({ path }) => path.split('.')[0]!))].filter(name =>
      OPTIONS.some(({ path }) => path.startsWith(`${name}.`))
    )
    const option = new RegExp(`(?:\`|--set ')(?:--set )?((?:${sections.join('|')})(?:\\.\\w+)+)(?=[\`=:*.])`, 'g')
    const isField = (path: string): boolean =>
      FIELDS_OF_OTHERS.includes(path) || DOCUMENT_FIELDS.some(field => field.path === path)
    const isOption = (path: string): boolean =>
      OPTIONS.some(
        known => known.path === path || known.path.startsWith(`${path}.`) || path.startsWith(`${known.path}.`)
      )
    const unknown = [...text.matchAll(option)]
      .map(match => match[1]!)
      .filter(path => !/\.(?:yaml|md|ts|liquid)$/.test(path) && !isOption(path) && !isField(path))
    expect(unknown).toEqual([])
  })

  test.skipIf(isOfChart)('its configurations load', () => {
    const folder = new Folder()
    try {
      for (const [, yaml] of text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)) {
        if (!/^(?:source|sink|alerts|clusterName):/m.test(yaml!) || /^apiVersion:/m.test(yaml!)) continue
        const file = folder.write('why5xx.yaml', yaml!)
        expect(() => loadConfig({ file, environment: {}, set: [] }), yaml).not.toThrow()
      }
    } finally {
      folder.remove()
    }
  })
})

describe('commands', () => {
  const known = new Map<string, string>()
  beforeAll(async () => {
    const { stdout } = await why5xxHere(['--help'])
    known.set('--version', stdout)
    const names = [...stdout.matchAll(/^ {2}([a-z-]+) (?:\[|<| )/gm)].map(match => match[1]!)
    for (const name of names) known.set(name, (await why5xxHere([name, '--help'])).stdout)
    known.delete('help')
  })

  test('on all pages are commands, with flags that they have', () => {
    expect(known.size).toBeGreaterThan(12)
    const wrong: string[] = []
    for (const page of pages) {
      const lines = codeOf(textOf(page)).flatMap(code => [
        ...code.matchAll(/(?:^|\$ |[|&(] )why5xx ([a-z][a-z-]*|--[a-z-]+)([^|#]*)/g)
      ])
      for (const [line, name, rest] of lines) {
        if (!known.has(name!)) {
          wrong.push(`${page}: ${line}`)
          continue
        }
        for (const [, flag] of rest!.matchAll(/\s(--[a-z-]+)/g))
          if (!known.get(name!)!.includes(flag!)) wrong.push(`${page}: ${line}: ${flag}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('are all in the table of README.md', () => {
    const table = [...textOf('README.md').matchAll(/^\| `why5xx ([a-z]+)/gm)].map(match => match[1]!)
    for (const name of table) expect([...known.keys()]).toContain(name)
    const missing = [...known.keys()].filter(name => !table.includes(name) && name !== '--version')
    expect(missing).toEqual([])
  })
})

test('every metric is on the page about operations, and every one there is a metric', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => textOf(`src/${name}`))
  const metrics = new Set(
    sources.flatMap(source => [...source.matchAll(/'(why5xx_[a-z_]+)'/g)].map(match => match[1]!))
  )
  expect(metrics.size).toBeGreaterThan(45)
  const told = new Set([...textOf('deploy/operations.md').matchAll(/\bwhy5xx_[a-z_]+/g)].map(([name]) => name))
  expect([...metrics].filter(name => !told.has(name))).toEqual([])
  for (const page of pages.filter(name => !name.includes('prometheus/')))
    for (const [name] of textOf(page).matchAll(/(?<![\w:])why5xx_[a-z_]+\b(?!:)/g))
      expect(metrics, `${page}: ${name}`).toContain(name)
})

test('every folder of deploy/ is in its table', () => {
  const table = textOf('deploy/README.md')
  for (const entry of readdirSync(join(ROOT, 'deploy'), { withFileTypes: true }))
    if (entry.isDirectory()) expect(table, entry.name).toMatch(new RegExp(`^\\| \\[?\`${entry.name}/`, 'm'))
})

test('the numbers of versions are those of the program', () => {
  const numbers = [...textOf('deploy/upgrade.md').matchAll(/^\| (\w+(?: \w+)?) +\|.*\| (\d+) +\|/gm)]
  expect(numbers.map(([, name, number]) => [name, Number(number)])).toEqual([
    ['schema', 1],
    ['templates', TEMPLATE_VERSION],
    ['embedded format', FORMAT],
    ['rules', RULES_VERSION]
  ])
})

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(match =>
      match[1]!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')
    )
  )
}

/** What benchmarks make, and what only looks like a path: kubectl's name of a Deployment. */
function isMade(path: string): boolean {
  return path.startsWith('bench/data') || path === 'deploy/ingress-nginx-controller'
}

/** Lines of blocks, and what stands between single marks. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].flatMap(match => match[1]!.split('\n'))
  const inline = text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)
  return [...blocks, ...[...inline].map(match => match[1]!)]
}
