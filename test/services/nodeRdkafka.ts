/**
 * node-rdkafka for tests. It is optional and always compiled, which takes minutes, so the project does not install it; tests
 * have it compiled once into the cache and linked from there into the checkout's node_modules.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isAvailable } from './availability.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

const VERSION = '3.6.1'
const BUILD_MS = 20 * 60_000
const LINK = join(import.meta.dirname, '../../node_modules/node-rdkafka')

/** What it is compiled with. Without zstd's header it is built, too, and then cannot read what was compressed so. */
const PROGRAMS = { make: 'make', 'g++': 'g++', python3: 'python3' }
const HEADERS = {
  'zstd.h': 'libzstd-dev',
  'openssl/ssl.h': 'libssl-dev',
  'sasl/sasl.h': 'libsasl2-dev',
  'zlib.h': 'zlib1g-dev'
}

const recipe: Recipe = {
  name: `node-rdkafka-${VERSION}`,
  files: [import.meta.filename],
  facts: [process.versions.modules, process.platform, process.arch],
  build
}

/** Makes node-rdkafka importable in this checkout. False where it cannot, and says why; with CI=true it throws. */
export async function linkNodeRdkafka(): Promise<boolean> {
  if (existsSync(LINK) && !lstatSync(LINK).isSymbolicLink()) return true // Somebody has installed it here.
  const missing = existsSync(entryOf(recipe)) ? null : missingForBuild()
  if (!isAvailable('node-rdkafka', missing)) return false
  const entry = await cached(recipe)
  const target = packageIn(entry)
  if (isLink(LINK) && readlinkSync(LINK) !== target) rmSync(LINK)
  try {
    symlinkSync(target, LINK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return true
}

function packageIn(folder: string): string {
  return join(folder, 'node_modules/node-rdkafka')
}

/** Also one that points at nothing any more. */
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function missingForBuild(): string | null {
  const programs = Object.entries(PROGRAMS).filter(([program]) => spawnSync(program, ['--version']).status !== 0)
  const packages = programs.map(([, name]) => name)
  if (packages.length === 0)
    packages.push(
      ...Object.entries(HEADERS)
        .filter(([header]) => !canInclude(header))
        .map(([, name]) => name)
    )
  return packages.length === 0 ? null : `to be compiled it needs ${packages.join(', ')}`
}

function canInclude(header: string): boolean {
  return spawnSync('g++', ['-E', '-x', 'c++', '-'], { input: `#include <${header}>\n` }).status === 0
}

async function build(folder: string): Promise<void> {
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { 'node-rdkafka': VERSION } })
  )
  // Behind the servers, which start at the same time and are wanted sooner.
  await promisify(execFile)('nice', ['npm', 'install', '--no-audit', '--no-fund', '--foreground-scripts'], {
    cwd: folder,
    // One job: its makefiles do not say that the configuration comes before what is compiled with it.
    env: { ...process.env, ...nodeHeaders(), JOBS: '1', MAKEFLAGS: '' },
    timeout: BUILD_MS,
    maxBuffer: 256 * 1024 * 1024
  }).catch((error: { stdout?: string; stderr?: string }) => {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.slice(-4000)
    throw new Error(`node-rdkafka could not be compiled:\n${said}`) // Without its cause, which has all of the compiler's output.
  })
  const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'require("node-rdkafka").features.join()'], {
    cwd: folder
  })
  if (!stdout.includes('zstd')) throw new Error(`node-rdkafka was compiled without zstd: ${stdout}`)
  // The sources of librdkafka and its static libraries: 500 of 540 MB.
  rmSync(join(packageIn(folder), 'deps'), { recursive: true })
  const libraries = join(packageIn(folder), 'build/deps')
  for (const name of readdirSync(libraries)) if (name.endsWith('.a')) rmSync(join(libraries, name))
}

/** Headers that came with this Node, so that none are downloaded. */
function nodeHeaders(): Record<string, string> {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node.h')) ? { npm_config_nodedir: prefix } : {}
}
