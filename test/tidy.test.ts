/** What keeps the program easy to find one's way in: who may import what, sizes and names of files. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const LINES_MAX = 400
/** No package, no `node:`, no clock: they can be tested, replayed and moved anywhere. */
const PURE = [
  'src/join/',
  'src/classify/',
  'src/cluster/state.ts',
  'src/cluster/clusterIndex.ts',
  'src/cluster/recordMerge.ts',
  'src/cluster/recordLine.ts',
  'src/cluster/listSearch.ts',
  'src/cluster/knowledge.ts',
  'src/cluster/kept',
  'src/cluster/fieldShape.ts',
  'src/cluster/fileContent.ts',
  'src/cluster/snapshotOrder.ts',
  'src/cluster/jsonSplitter.ts',
  'src/diagnose/',
  'src/dashboards/',
  'src/alert/',
  'src/timeline/timeline.ts',
  'src/alert/notify/due.ts',
  'src/alert/notify/desired.ts',
  'src/alert/notify/messageText.ts',
  'src/checkpoint.ts',
  'src/totals.ts',
  'src/model.ts',
  'src/mask.ts',
  'src/source/mergeOrder.ts',
  'src/store/elasticsearch/bulkAnswer.ts',
  'src/store/elasticsearch/refusals.ts',
  'src/explain/summary.ts',
  'src/explain/timeHistogram.ts',
  'src/explain/report.ts',
  'src/text.ts'
]
/** Below these, what does I/O all the same. */
const IMPURE = ['src/alert/notify/']

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8'
})
  .split('\n')
  .filter(file => file !== '' && existsSync(join(ROOT, file)))
const sources = files.filter(file => /^(?:src|parsers|test|bench)\/.*\.ts$/.test(file))

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** What a file imports, by name: relative files as paths from the root. Imports of types alone vanish in the build. */
function importsOf(file: string, withTypes = true): string[] {
  const statements = textOf(file).matchAll(
    /^(?:import|export)\s+(type\s)?(?:[\w*{][^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  )
  return [...statements]
    .filter(statement => withTypes || statement[1] === undefined)
    .map(statement => statement[2] ?? statement[3]!)
    .map(name => (name.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), name)) : name))
}

/** All files that a file needs when it runs. */
function reach(file: string, seen = new Set<string>()): Set<string> {
  for (const name of importsOf(file, false)) {
    if (seen.has(name)) continue
    seen.add(name)
    if (name.endsWith('.ts')) reach(name, seen)
  }
  return seen
}

test('the list of files is the real one', () => {
  expect(sources.length).toBeGreaterThan(60)
  expect(importsOf('src/main.ts')).toContain('src/cli/program.ts')
  expect(importsOf('src/cli/program.ts')).toContain('src/cli/explain.ts')
})

test('no unit test puts another module in the place of ours: they share them', () => {
  const replacing = sources
    .filter(file => file.endsWith('.test.ts') && !file.startsWith('test/integration/'))
    .filter(file => /^\s*(?:await )?vi\.(?:mock|doMock|resetModules)\(/m.test(textOf(file)))
  expect(replacing).toEqual([])
})

test('parsers/ imports nothing from outside', () => {
  const outside = sources
    .filter(file => file.startsWith('parsers/'))
    .flatMap(file => importsOf(file).map(name => `${file}: ${name}`))
    .filter(line => !/: parsers\/[\w.]+\.ts$/.test(line))
  expect(outside).toEqual([])
})

test('what is pure reaches no package and no part of Node', () => {
  const isBelow = (file: string, parts: string[]) => parts.some(part => file.startsWith(part))
  const pure = sources.filter(file => isBelow(file, PURE) && !isBelow(file, IMPURE))
  expect(pure.length).toBeGreaterThan(10)
  const impure = pure.flatMap(file =>
    [...reach(file)].filter(name => !name.endsWith('.ts')).map(name => `${file}: ${name}`)
  )
  expect(impure).toEqual([])
  for (const file of pure)
    expect(textOf(file), file).not.toMatch(/\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\./)
})

test('parsers look at no clock and at no dice', () => {
  for (const file of sources.filter(name => name.startsWith('parsers/')))
    expect(textOf(file), file).not.toMatch(/\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\./)
})

test(`no file has more than ${LINES_MAX} lines`, () => {
  const long = sources
    .filter(file => !file.endsWith('.generated.ts'))
    .map(file => [file, textOf(file).split('\n').length - 1] as const)
    .filter(([, lines]) => lines > LINES_MAX)
  expect(long).toEqual([])
})

test('no file is called after nothing', () => {
  expect(
    sources.filter(file => /(?:^|\/)(?:utils?|helpers?|common|misc|shared|lib)(?:\.\w+)*(?:\/|\.ts$)/i.test(file))
  ).toEqual([])
})

test('nothing is left to do, and nothing is about one machine', () => {
  const own = files.filter(
    file => /\.(?:ts|json|ya?ml|md|mjs|sh|toml)$/.test(file) && !/^samples\/|package-lock/.test(file)
  )
  const marks = own
    .filter(file => file !== 'test/tidy.test.ts')
    .flatMap(file =>
      textOf(file)
        .split('\n')
        .map((line, i) => [line, `${file}:${i + 1}`] as const)
        .filter(([line]) => /\b(?:TODO|FIXME|XXX|HACK)\b|\/work\/|\/root\/|\/home\/\w+\//.test(line))
        .map(([, at]) => at)
    )
  expect(marks).toEqual([])
})

test('the process is ended in one place, but for an interrupt', () => {
  const enders = sources.filter(file => file.startsWith('src/') && /process\.exit\(/.test(textOf(file)))
  expect(enders.sort()).toEqual(['src/cli/explain.ts', 'src/cli/processRun.ts', 'src/cli/stop.ts'])
})

test('one file knows the Kubernetes client', () => {
  const users = sources.filter(
    file => file.startsWith('src/') && importsOf(file).some(name => name.startsWith('@kubernetes/'))
  )
  expect(users).toEqual(['src/cluster/connect.ts'])
})

test('every import is a package that is declared', () => {
  const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string> | undefined>
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
  const development = new Set([...declared, ...Object.keys(manifest.devDependencies ?? {})])
  const missing = sources.flatMap(file =>
    importsOf(file)
      .filter(name => !name.endsWith('.ts') && !name.startsWith('node:'))
      .map(name =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/')
      )
      .filter(name => !(/^(?:src|parsers)\//.test(file) ? declared : development).has(name))
      .map(name => `${file}: ${name}`)
  )
  expect(missing).toEqual([])
})

test('the lock file names every optional platform package: npm 11 installs from no other', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>
  }
  const wanted = Object.values(lock.packages).flatMap(entry => Object.keys(entry.optionalDependencies ?? {}))
  expect(wanted.filter(name => !(`node_modules/${name}` in lock.packages))).toEqual([])
  expect(Object.values(lock.packages).filter(entry => entry.resolved)).toEqual([])
})
