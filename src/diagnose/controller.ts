/** The ingress controller: its pods and its ConfigMap. */

import type { ConfigMap } from '../cluster/objects.ts'
import type { ClusterState } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { type Current, current, currentOf } from './current.ts'
import type { DiagnosisInput } from './input.ts'
import type { Moment } from './moment.ts'
import { PodView } from './podView.ts'

export interface Controller {
  namespace: string | null
  /** The one that wrote the lines first, where the log tells which. */
  pods: readonly PodView[]
  configMap: Current<ConfigMap> | null
}

const LABELS = { 'app.kubernetes.io/name': 'ingress-nginx', 'app.kubernetes.io/component': 'controller' }
const CONFIG_MAP = 'ingress-nginx-controller'
/** Where it runs when the log does not tell: the usual one first. */
const NAMESPACES = ['ingress-nginx', 'kube-system', 'ingress', 'nginx-ingress', 'default']

export function controllerOf(input: DiagnosisInput, state: ClusterState, moment: Moment): Controller {
  const asked = input.controllerNamespace
  const named = asked === null ? NAMESPACES : [asked, ...NAMESPACES]
  const namespace =
    named.find(name => state.podsWithLabels(name, LABELS).length > 0 || configMapsOf(state, name).length > 0) ?? asked
  if (namespace === null) return { namespace: null, pods: [], configMap: null }
  // Other charts label them otherwise: the one that wrote the lines is known by its name.
  const ofLines = input.controllerPod === null ? [] : state.named('Pod', namespace, input.controllerPod)
  const pods = [...new Set([...state.podsWithLabels(namespace, LABELS), ...ofLines])]
    .filter(history => current(history, moment) !== null)
    .map(history => new PodView(history, state, moment))
    .sort((a, b) => (isFirst(a) === isFirst(b) ? (a.ref < b.ref ? -1 : 1) : isFirst(a) ? -1 : 1))
  return { namespace, pods, configMap: configMapOf(pods) ?? currentOf(configMapsOf(state, namespace), moment) }

  /** `--configmap=namespace/name`. */
  function configMapOf([pod]: readonly PodView[]): Current<ConfigMap> | null {
    const value = pod && controllerArgument(pod, 'configmap')?.value.replace('$(POD_NAMESPACE)', pod.history.namespace)
    const [where, name] = value?.split('/') ?? []
    return where === undefined || name === undefined ? null : currentOf(state.named('ConfigMap', where, name), moment)
  }

  function isFirst(pod: PodView): boolean {
    return pod.history.name === input.controllerPod
  }
}

function configMapsOf(state: ClusterState, namespace: string) {
  return state.named('ConfigMap', namespace, CONFIG_MAP)
}

export interface Argument {
  /** '' of a flag without one. */
  value: string
  /** `--ingress-class=nginx`. */
  text: string
  /** `spec.containers[controller].args`. */
  path: string
}

/** A flag of the controller's pod, by its name without dashes; null: it is not given. */
export function controllerArgument(pod: PodView, name: string): Argument | null {
  for (const container of pod.containers) {
    for (const list of ['args', 'command'] as const) {
      const words = listOf(container[list]).map(String)
      const index = words.findIndex(word => word === `--${name}` || word.startsWith(`--${name}=`))
      if (index === -1) continue
      const text = words[index]!
      const next = words[index + 1]
      const isApart = text === `--${name}` && next !== undefined && !next.startsWith('-')
      const value = isApart ? next : text.slice(name.length + 3)
      return { value, text: isApart ? `${text} ${next}` : text, path: `spec.containers[${container.name}].${list}` }
    }
  }
  return null
}
