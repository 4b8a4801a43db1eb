/** helm, compiled from the module that helm/go.mod pins. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAvailable } from './availability.ts'
import { missingForGo } from './go.ts'
import { makeServerFolder } from './serverProcess.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

const VERSION = 'v3.22.0'
const SOURCES = join(import.meta.dirname, 'helm')
const BUILD_MS_MAX = 30 * 60_000
const RUN_MS_MAX = 120_000

const recipe: Recipe = {
  name: `helm-${VERSION.slice(1)}`,
  files: ['go.mod', 'go.sum'].map(name => join(SOURCES, name)),
  facts: [process.platform, process.arch],
  build
}

/** False where Go is missing, and says so; with CI=true it throws instead. */
export function isHelmAvailable(): boolean {
  return isAvailable('helm', existsSync(entryOf(recipe)) ? null : missingForGo())
}

export interface HelmRun {
  code: number
  stdout: string
  stderr: string
}

/** `helm ARGUMENTS…` with nothing of the machine's own configuration; `kubeconfig`: which cluster, where it needs one. */
export type Helm = (args: string[], kubeconfig?: string) => Promise<HelmRun>

/** Compiles it unless it is in the cache: one to four minutes on two cores. */
export async function openHelm(): Promise<Helm> {
  const file = join(await cached(recipe), 'helm')
  const home = makeServerFolder('helm')
  return async (args, kubeconfig) => {
    const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: kubeconfig ?? join(home, 'none') }
    const options = { env, timeout: RUN_MS_MAX, maxBuffer: 64 * 1024 * 1024 }
    try {
      return { code: 0, ...(await promisify(execFile)(file, args, options)) }
    } catch (error) {
      const { code, stdout, stderr } = error as HelmRun
      if (typeof code !== 'number') throw error
      return { code, stdout, stderr }
    }
  }
}

async function build(folder: string): Promise<void> {
  process.stderr.write('helm is being compiled for the tests; that takes minutes, once\n')
  // What helm's own builds say: it, and the Kubernetes whose client it is, which charts are held against.
  const helm = 'helm.sh/helm/v3'
  const kubernetes = [`${helm}/pkg/chartutil`, `${helm}/pkg/lint/rules`]
  const symbols = [
    `${helm}/internal/version.version=${VERSION}`,
    ...kubernetes.flatMap(name => [`${name}.k8sVersionMajor=1`, `${name}.k8sVersionMinor=36`])
  ]
  const flags = `-ldflags=-s -w ${symbols.map(symbol => `-X ${symbol}`).join(' ')}`
  const go = ['go', 'build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false', flags]
  await promisify(execFile)('nice', ['-n', '10', ...go, '-o', join(folder, 'helm'), `${helm}/cmd/helm`], {
    cwd: SOURCES,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'auto', GOFLAGS: '' },
    timeout: BUILD_MS_MAX,
    maxBuffer: 64 * 1024 * 1024
  })
}
