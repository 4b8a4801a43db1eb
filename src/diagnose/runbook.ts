/** Commands of the catalogue with the names of a diagnosis in them. */

import { quoteForShell } from '../text.ts'
import { rootCauseInfo } from './catalogue.ts'
import type { Citation } from './citation.ts'
import type { Diagnosis } from './diagnosis.ts'
import { Told, utcClock } from './told.ts'

/** Where the charts of ingress-nginx put it. */
const CONTROLLER_NAMESPACE = 'ingress-nginx'
const CONTROLLER = 'deployment/ingress-nginx-controller'

/**
 * What to look at, as commands that can be pasted; a name that is not known stays a variable of the shell,
 * without which it runs nothing: `"${POD:?}"`.
 */
export function runbookOf(diagnosis: Diagnosis): string[] {
  const names = placeholders(diagnosis)
  return rootCauseInfo(diagnosis.rootCause).check.map(command =>
    command.replace(/\$([A-Z]+)\b/g, (_variable, name: string) => {
      const value = names.get(name)
      return value === undefined || value === null ? `"\${${name}:?}"` : quoteForShell(value)
    })
  )
}

/** `deployment/cart`. */
export function resource({ kind, name }: { kind: string; name: string }): string {
  return `${kind.toLowerCase()}/${name}`
}

function placeholders(diagnosis: Diagnosis): ReadonlyMap<string, string | null> {
  const { names, ref } = diagnosis
  const told = new Told(diagnosis, utcClock)
  const object = objectAt(ref)
  const dependency = told.citations.find(({ kind }) => kind === 'Service') ?? null
  const container = keyOf(told, /^status\.containerStatuses|^spec\.containers/) ?? names.container
  return new Map([
    ['NS', names.namespace],
    ['POD', object?.kind === 'Pod' ? object.name : names.pod],
    ['CTR', container],
    ['INIT', keyOf(told, /^status\.initContainerStatuses|^spec\.initContainers/) ?? names.container],
    ['WORKLOAD', names.workload === null ? null : resource(names.workload)],
    ['SVC', names.service],
    ['ING', object?.kind === 'Ingress' ? object.name : names.ingress],
    ['NODE', object?.kind === 'Node' ? object.name : names.node],
    ['PORT', portOf(told)],
    ['ADDRESS', told.cited('endpoints.addresses')?.value ?? told.cited('externalName')?.value ?? names.podIp],
    ['HOST', keyOf(told, /^spec\.tls\.|^spec\.rules/)],
    ['NAME', told.cited('externalName')?.value ?? null],
    ['HPA', object?.kind === 'HorizontalPodAutoscaler' ? object.name : null],
    ['PVC', told.citations.find(({ kind }) => kind === 'PersistentVolumeClaim')?.name ?? null],
    ['CTRLNS', names.controllerNamespace ?? CONTROLLER_NAMESPACE],
    ['CTRL', names.controllerPod === null ? CONTROLLER : `pod/${names.controllerPod}`],
    ['DEPNS', dependency?.namespace ?? null],
    ['DEPSVC', dependency?.name ?? null],
    ['REF', object === null ? null : resource(object)],
    ['REFNS', object === null || object.namespace === '' ? null : object.namespace]
  ])
}

/** `Pod shop/a-1` taken apart; null: there is none, or no name that an API server accepts. */
export function objectAt(ref: string | null): Pick<Citation, 'kind' | 'namespace' | 'name'> | null {
  const match = /^([A-Z][A-Za-z]*) (?:([^\s/]+)\/)?([^\s/]+)$/.exec(ref ?? '')
  return match === null ? null : { kind: match[1]!, namespace: match[2] ?? '', name: match[3]! }
}

function keyOf(told: Told, fields: RegExp): string | null {
  const key = told.citations.find(citation => fields.test(citation.fields))?.keys[0]
  return key === undefined || key === '*' ? null : key
}

function portOf(told: Told): string | null {
  const port = told.cited('targetPort')?.value ?? told.cited('ports.containerPort')?.value ?? null
  return port !== null && /^\d{1,5}$/.test(port) ? port : null
}
