/** The control plane as one binary, compiled from the modules that kubernetes/go.mod pins. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { missingForGo } from './go.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

const VERSION = 'v1.36.3'
const SOURCES = join(import.meta.dirname, 'kubernetes')
const BUILD_MS_MAX = 30 * 60_000

const recipe: Recipe = {
  name: `kubernetes-${VERSION.slice(1)}`,
  // Neither the stages nor this file: five minutes of compiling are not cheap.
  files: ['go.mod', 'go.sum', 'main.go'].map(name => join(SOURCES, name)),
  facts: [process.platform, process.arch],
  build
}

export interface KubernetesProgram {
  file: string
  /** Ours; kwok's own are printed by the program. */
  stagesFile: string
}

/** Why no control plane can be started here, as a sentence; null when one can. */
export function missingForKubernetes(): string | null {
  return existsSync(entryOf(recipe)) ? null : missingForGo()
}

/** Compiles it unless it is in the cache: 5 to 15 minutes on two cores, and 900 MB of modules on their way. */
export async function kubernetesProgram(): Promise<KubernetesProgram> {
  const missing = missingForKubernetes()
  if (missing !== null) throw new Error(missing)
  const folder = await cached(recipe)
  return { file: join(folder, 'kubernetes'), stagesFile: join(SOURCES, 'stages.yaml') }
}

async function build(folder: string): Promise<void> {
  process.stderr.write('Kubernetes is being compiled for the tests; that takes minutes, once\n')
  const version = 'k8s.io/component-base/version'
  const set = { gitVersion: VERSION, gitMajor: '1', gitMinor: '36', gitTreeState: 'clean' }
  const symbols = Object.entries(set).map(([name, value]) => `-X ${version}.${name}=${value}`)
  const go = ['go', 'build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false']
  await promisify(execFile)(
    'nice',
    ['-n', '10', ...go, `-ldflags=-s -w ${symbols.join(' ')}`, '-o', join(folder, 'kubernetes'), '.'],
    {
      cwd: SOURCES,
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOFLAGS: '' },
      timeout: BUILD_MS_MAX,
      maxBuffer: 64 * 1024 * 1024
    }
  )
}
