/** Docker's own checks that need no engine, as one binary compiled from the modules that dockerTools/go.mod pins. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, entryOf, type Recipe } from './testCache.ts'

const SOURCES = join(import.meta.dirname, 'dockerTools')
/** The first Go that fetches a newer one by itself when a module wants it. */
const GO_MIN = 21
const BUILD_MS_MAX = 20 * 60_000

const recipe: Recipe = {
  name: 'docker-tools-2.40.3',
  files: ['go.mod', 'go.sum', 'main.go'].map(name => join(SOURCES, name)),
  facts: [process.platform, process.arch],
  build
}

/** Why the checks cannot be made here, as a sentence; null when they can. */
export function missingForDockerTools(): string | null {
  if (existsSync(entryOf(recipe))) return null
  const { stdout } = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' })
  const minor = Number(/^go1\.(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
  return minor >= GO_MIN ? null : `Go 1.${GO_MIN} or newer is missing (PATH)`
}

export interface DockerTools {
  /** What `docker compose -f FILE config` prints; throws with its error. */
  composeConfig(file: string): Promise<ComposeProject>
  /** What `docker build --check` finds; base images are not looked at. */
  lint(dockerfile: string): Promise<LintResults>
}

export interface ComposeProject {
  name: string
  services: Record<string, ComposeService>
}

export interface ComposeService {
  image?: string
  build?: { context: string; dockerfile: string }
  user?: string
  restart?: string
  read_only?: boolean
  mem_limit?: string
  environment?: Record<string, string | null>
  healthcheck?: { test?: string[]; disable?: boolean }
  depends_on?: Record<string, { condition: string }>
  ports?: { host_ip?: string; published?: string; target: number }[]
  volumes?: { type: string; source?: string; target: string; read_only?: boolean }[]
  networks?: Record<string, { ipv4_address?: string } | null>
}

export interface LintResults {
  warnings: { ruleName: string; detail: string }[] | null
  buildError?: { message: string }
}

/** Compiles the binary unless it is in the cache: 3 to 5 minutes on two cores. */
export async function dockerTools(): Promise<DockerTools> {
  const missing = missingForDockerTools()
  if (missing !== null) throw new Error(missing)
  const program = join(await cached(recipe), 'dockerTools')
  const asked = async (...args: string[]) => {
    // Nothing of the machine's own decides: neither variables for compose nor a configuration of Docker.
    const { stdout } = await promisify(execFile)(program, args, {
      env: { PATH: process.env.PATH, HOME: '/nonexistent' }
    })
    return JSON.parse(stdout)
  }
  return {
    composeConfig: file => asked('compose', '-f', file, 'config', '--format', 'json'),
    lint: dockerfile => asked('lint', dockerfile)
  }
}

async function build(folder: string): Promise<void> {
  process.stderr.write('The checks of Docker are being compiled for the tests; that takes minutes, once\n')
  const go = [
    'go',
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    '-gcflags=all=-dwarf=false',
    '-ldflags=-s -w'
  ]
  await promisify(execFile)('nice', ['-n', '10', ...go, '-o', join(folder, 'dockerTools'), '.'], {
    cwd: SOURCES,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOFLAGS: '' },
    timeout: BUILD_MS_MAX,
    maxBuffer: 64 * 1024 * 1024
  })
}
