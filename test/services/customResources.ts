/** Definitions of other people's kinds that our manifests use, from the modules of these people: KEDA, the Prometheus Operator. */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { isAvailable } from './availability.ts'
import { missingForGo } from './go.ts'
import type { KubernetesClient } from './kubernetesClient.ts'
import { makeServerFolder } from './serverProcess.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

interface Module {
  name: string
  version: string
  /** As a go.sum has it. */
  sum: string
  files: string[]
}

const MODULES: readonly Module[] = [
  {
    name: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
    files: ['scaledobjects', 'triggerauthentications'].map(kind => `config/crd/bases/keda.sh_${kind}.yaml`)
  },
  {
    name: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    files: ['servicemonitors', 'prometheusrules'].map(
      kind => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`
    )
  }
]

const recipe: Recipe = {
  name: 'custom-resources-1',
  files: [import.meta.filename],
  async build(folder) {
    const empty = makeServerFolder('go-module')
    for (const { name, version, sum, files } of MODULES) {
      const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', `${name}@${version}`], {
        cwd: empty,
        env: { ...process.env, GOFLAGS: '' }
      })
      const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string }
      if (Sum !== sum) throw new Error(`${name} ${version} has the sum ${Sum}, and ${sum} was expected`)
      for (const file of files) copyFileSync(join(Dir, file), join(folder, basename(file)))
    }
  }
}

/** False where Go is missing, and says so; with CI=true it throws instead. */
export function areCustomResourcesAvailable(): boolean {
  return isAvailable('definitions of KEDA and Prometheus', existsSync(entryOf(recipe)) ? null : missingForGo())
}

/** Resolves when the server serves them all. */
export async function addCustomResources(client: KubernetesClient): Promise<void> {
  const folder = await cached(recipe)
  const definitions = readdirSync(folder).map(file => parse(readFileSync(join(folder, file), 'utf8')))
  await Promise.all(
    definitions.map(async definition => {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition.metadata.name}`
      await client.apply(path, definition)
      await client.until(
        path,
        ({ status }) =>
          status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true,
        `${definition.metadata.name} is served`
      )
    })
  )
}
