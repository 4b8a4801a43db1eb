/** Which pods are controllers: by the labels that every way of installing ingress-nginx gives them, or by a selector. */

import { Why5xxError } from '../errors.ts'
import { ApiError, type Connection, getJson } from './apiRequest.ts'
import { isRecord, ownField } from './fieldShape.ts'
import { keptObject } from './keptFields.ts'
import type { Pod } from './objects.ts'
import { pathOf } from './resources.ts'
import { howToAllow, rightOf } from './rights.ts'
import type { ObjectName } from './units.ts'

export interface ControllerSearch {
  /** Labels as kubectl takes them; null: the usual ones. */
  selector: string | null
  /** null: everywhere. */
  namespace: string | null
  /** null: the usual ones. */
  container: string | null
}

export interface Controller {
  namespace: string
  pod: string
  container: string
  /** Its pod's, Unix ms; null: not told. */
  createdMs: number | null
  /** Of the process that runs, Unix ms; null: none does. */
  startedMs: number | null
  restarts: number
  /** The process before this one, Unix ms; null: there was none. */
  before: { startedMs: number; finishedMs: number } | null
  configMap: ObjectName
}

/** The chart and the manifests of today; the chart of 2020 and before; the oldest manifests. The first that finds any. */
export const USUAL_SELECTORS = [
  'app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller',
  'app.kubernetes.io/name=ingress-nginx',
  'app=ingress-nginx',
  'app=nginx-ingress,component=controller'
] as const
const USUAL_CONTAINERS = ['controller', 'nginx-ingress-controller']
/** Where it is looked for by somebody who may not look everywhere. */
const USUAL_NAMESPACE = 'ingress-nginx'
const USUAL_CONFIG_MAP = 'ingress-nginx-controller'
const SILENT_MS = 60_000
const PAGE = 500
/** More controllers than any cluster has: somebody selected everything. */
const CONTROLLERS_MAX = 1_000

/** By namespace and name. Throws Why5xxError `WHY5XX_KUBERNETES` when there is none, or pods may not be listed. */
export async function findControllers(
  connection: Connection,
  search: ControllerSearch,
  signal?: AbortSignal
): Promise<Controller[]> {
  const selectors = search.selector === null ? USUAL_SELECTORS : [search.selector]
  let { namespace } = search
  let seen = 0
  for (const selector of selectors) {
    let pods: unknown[]
    try {
      pods = await podsOf(connection, namespace, selector, signal)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error
      if (namespace !== null) throw refused(error, namespace)
      namespace = USUAL_NAMESPACE
      try {
        pods = await podsOf(connection, namespace, selector, signal)
      } catch (again) {
        throw again instanceof ApiError && again.status === 403 ? refused(error, null) : again
      }
    }
    seen += pods.length
    const found = pods.map(pod => controllerOf(pod, search.container)).filter(controller => controller !== null)
    if (found.length > 0) return found.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  }
  throw noneFound(connection, search, selectors, namespace, seen)
}

/** `ingress-nginx/ingress-nginx-controller-5c8d-x2x`. */
export function nameOf({ namespace, pod }: Pick<Controller, 'namespace' | 'pod'>): string {
  return `${namespace}/${pod}`
}

/** Raw: the arguments of the controller name its ConfigMap, and nothing of them is kept elsewhere. */
async function podsOf(
  connection: Connection,
  namespace: string | null,
  labelSelector: string,
  signal: AbortSignal | undefined
): Promise<unknown[]> {
  const pods: unknown[] = []
  let next: string | undefined
  do {
    const parameters = { labelSelector, limit: PAGE, continue: next }
    const page = await getJson(connection, pathOf('Pod', namespace), parameters, { silentMs: SILENT_MS, signal })
    const items = ownField(page, 'items')
    if (Array.isArray(items)) pods.push(...(items as unknown[]))
    const more = ownField(ownField(page, 'metadata'), 'continue')
    next = typeof more === 'string' && more !== '' && more !== next ? more : undefined
  } while (next !== undefined && pods.length < CONTROLLERS_MAX)
  return pods.slice(0, CONTROLLERS_MAX)
}

/** null: no controller runs in it, as in the jobs that make certificates. */
function controllerOf(raw: unknown, wanted: string | null): Controller | null {
  if (!isRecord(raw)) return null
  const pod = keptObject({ ...raw, kind: 'Pod', apiVersion: 'v1' }) as Pod | null
  const containers = pod?.spec?.containers ?? []
  const names = containers.map(({ name }) => name)
  const usual = USUAL_CONTAINERS.find(name => names.includes(name))
  // A selector was meant: a pod with one container leaves no choice.
  const container = wanted === null ? (usual ?? null) : names.includes(wanted) ? wanted : null
  if (pod === null || container === null) return null
  const { namespace = '', name } = pod.metadata
  const status = pod.status?.containerStatuses?.find(one => one.name === container)
  const ended = status?.lastState?.terminated
  const finishedMs = msOf(ended?.finishedAt)
  return {
    namespace,
    pod: name,
    container,
    createdMs: msOf(pod.metadata.creationTimestamp),
    startedMs: msOf(status?.state?.running?.startedAt),
    restarts: status?.restartCount ?? 0,
    before: finishedMs === null ? null : { startedMs: msOf(ended?.startedAt) ?? finishedMs, finishedMs },
    configMap: configMapOf(raw, container, namespace)
  }
}

/** `--configmap=$(POD_NAMESPACE)/ingress-nginx-controller`, as the program is told. */
function configMapOf(raw: unknown, container: string, namespace: string): ObjectName {
  const containers = ownField(ownField(raw, 'spec'), 'containers')
  const own = Array.isArray(containers)
    ? (containers as unknown[]).find(one => ownField(one, 'name') === container)
    : null
  const args = ownField(own, 'args')
  for (const arg of Array.isArray(args) ? (args as unknown[]) : []) {
    const match = typeof arg === 'string' ? /^--?configmap=([^/]+)\/([^/]+)$/.exec(arg) : null
    if (match !== null) return { namespace: match[1] === '$(POD_NAMESPACE)' ? namespace : match[1]!, name: match[2]! }
  }
  return { namespace, name: USUAL_CONFIG_MAP }
}

function msOf(text: string | undefined): number | null {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

function refused(cause: ApiError, namespace: string | null): Why5xxError {
  const where = namespace === null ? `; where you may, name the namespace with --controller-namespace` : ''
  const text = `${cause.message}. The pods of the controller cannot be found: ${howToAllow(rightOf('list', 'Pod', namespace))}${where}`
  return new Why5xxError('WHY5XX_KUBERNETES', text, { cause })
}

function noneFound(
  connection: Connection,
  { selector, container }: ControllerSearch,
  selectors: readonly string[],
  namespace: string | null,
  seen: number
): Why5xxError {
  const where = namespace === null ? 'any namespace' : `namespace ${namespace}`
  const labels = selectors.map(one => `"${one}"`).join(', ')
  const wanted = container === null ? USUAL_CONTAINERS.join(' or ') : container
  const why =
    seen > 0
      ? `${seen} pods with the labels ${labels} in ${where} have no container ${wanted}: name it with --container`
      : `no pod in ${where} has the labels ${labels}`
  const hint =
    selector === null
      ? 'name its own labels with --selector (kubectl get pods -A --show-labels), or another cluster with --context'
      : 'see kubectl get pods -A --show-labels'
  return new Why5xxError(
    'WHY5XX_KUBERNETES',
    `context ${connection.context}: no controller of ingress-nginx: ${why}; ${hint}`
  )
}
