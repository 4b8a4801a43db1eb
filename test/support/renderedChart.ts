/** What helm makes of the chart: objects, and where an API server takes them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Helm } from '../services/helmProgram.ts'
import { CHART } from './chartFiles.ts'

export interface Container {
  name: string
  args: string[]
  command?: string[]
  env?: { name: string; value?: string }[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[]
}

export interface PodSpec {
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  enableServiceLinks?: boolean
  containers: Container[]
  volumes?: { name: string; configMap?: { name: string }; secret?: { secretName: string; items?: { key: string }[] } }[]
}

export interface Manifest extends Record<string, unknown> {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations?: Record<string, string> }
  data?: Record<string, string>
  rules?: object[]
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another one, and the API server checks them
  spec?: any
}

export const VALUES_FILES = readdirSync(join(CHART, 'ci')).map(file => join(CHART, 'ci', file))

export const valuesOf = (name: string): string => join(CHART, 'ci', `${name}-values.yaml`)

/** `helm template`, as text. Throws what helm says. */
export async function renderText(helm: Helm, values: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await helm(['template', 'why5xx', CHART, '-n', 'why5xx', '-f', values, ...more])
  if (code !== 0) throw new Error(stderr)
  return stdout
}

export async function render(helm: Helm, values: string, ...more: string[]): Promise<Manifest[]> {
  return manifestsOf(await renderText(helm, values, ...more))
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map(document => {
      if (document.errors.length > 0) throw new Error(`${document.errors[0]!.message}\n${text}`)
      return document.toJS() as Manifest | null
    })
    .filter(manifest => manifest !== null)
}

/** The one object that is called so. */
export function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter(manifest => manifest.kind === kind && manifest.metadata.name === name)
  if (found.length !== 1) throw new Error(`${found.length} objects ${kind} ${name}`)
  return found[0]!
}

/** Of everything that runs: by name of the object. */
export function podSpecs(manifests: readonly Manifest[]): Map<string, PodSpec> {
  const specs = manifests.flatMap(({ kind, metadata, spec }): [string, PodSpec][] => {
    if (kind === 'Pod') return [[metadata.name, spec]]
    return kind === 'Deployment' || kind === 'Job' ? [[metadata.name, spec.template.spec]] : []
  })
  return new Map(specs)
}

/** Irregular ones, as far as the chart has them. */
const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies' }

/** `/apis/apps/v1/namespaces/NAMESPACE/deployments/NAME`; what has a namespace is put into `namespace`. */
export function pathOf({ apiVersion, kind, metadata }: Manifest, namespace: string): string {
  const api = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`
  const place = metadata.namespace === undefined ? '' : `/namespaces/${namespace}`
  return `${api}${place}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`
}
