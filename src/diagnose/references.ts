/** Annotations of Ingresses that name objects: Secrets and ConfigMaps, as `name` or `namespace/name`. */

import { type Fact, field } from './fact.ts'
import type { Scene } from './scene.ts'
import { annotationFact } from './setting.ts'

const KINDS = {
  'auth-secret': 'Secret',
  'proxy-ssl-secret': 'Secret',
  'auth-tls-secret': 'Secret',
  'auth-proxy-set-headers': 'ConfigMap'
} as const

export type ReferenceName = keyof typeof KINDS
export const REFERENCES = Object.keys(KINDS) as ReferenceName[]

export interface BrokenReference {
  annotation: ReferenceName
  facts: Fact[]
  /** False: the object may be there, nobody could read its kind. */
  isCertain: boolean
}

/** Annotations that name an object which is absent, or which is in another namespace and so not taken. */
export function brokenReferences(scene: Scene, names: readonly ReferenceName[] = REFERENCES): BrokenReference[] {
  const { ingress } = scene
  if (ingress === null) return []
  const own = ingress.history.namespace
  return names.flatMap((annotation): BrokenReference[] => {
    const value = scene.annotation(annotation)
    if (value === null || value === '') return []
    const [first, second] = value.split('/')
    const namespace = second === undefined ? own : first!
    const name = second ?? first!
    const kind = KINDS[annotation]
    const named = annotationFact(scene, annotation, `the Ingress names ${kind} ${value} in ${annotation}`)!
    const missing = scene.absence(kind, namespace, name, `${kind} ${namespace}/${name} was not there`)
    if (missing !== null) return [{ annotation, facts: [named, missing.fact], isCertain: missing.isCertain }]
    if (namespace === own || isForeignAllowed(scene)) return []
    const fact = field(
      { ...ingress.history },
      'metadata.namespace',
      own,
      `the Ingress is in ${own}, and takes no object of another namespace`
    )
    return [{ annotation, facts: [named, fact], isCertain: true }]
  })
}

function isForeignAllowed({ configMap }: Scene): boolean {
  const data = configMap?.object.data
  return data !== undefined && Object.hasOwn(data, 'allow-cross-namespace-resources')
    ? data['allow-cross-namespace-resources'] === 'true'
    : false
}
