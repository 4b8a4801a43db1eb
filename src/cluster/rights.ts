/** What to say to somebody who is refused: how to ask for the right, and the rule that gives it. */

import { quoteForShell } from '../text.ts'
import { CLUSTER_KINDS, type Kind } from './objects.ts'
import { resourceOf } from './resources.ts'

export interface Right {
  verb: 'get' | 'list' | 'watch'
  /** As RBAC names it: `pods/log`. */
  resource: string
  /** '' is the core group. */
  group: string
  /** null: in all namespaces, or a resource of the cluster. */
  namespace: string | null
  /** It lives in no namespace. */
  isOfCluster: boolean
}

export function rightOf(verb: Right['verb'], kind: Kind, namespace: string | null): Right {
  const { group, plural } = resourceOf(kind)
  const isOfCluster = CLUSTER_KINDS.has(kind)
  return { verb, resource: plural, group, namespace: isOfCluster ? null : namespace, isOfCluster }
}

/** What people and kubectl call a kind: `pods`, and `pods.metrics.k8s.io` for what else is called so. */
export function resourceName(kind: Kind): string {
  const { group, plural } = resourceOf(kind)
  return kind === 'PodMetrics' ? `${plural}.${group}` : plural
}

/** `kubectl auth can-i list pods --all-namespaces`. */
export function canI({ verb, resource, group, namespace, isOfCluster }: Right): string {
  const [plural, part] = resource.split('/') as [string, string?]
  const named = group === '' ? plural : `${plural}.${group}`
  const where = isOfCluster ? '' : namespace === null ? ' --all-namespaces' : ` -n ${quoteForShell(namespace)}`
  return `kubectl auth can-i ${verb} ${named}${part === undefined ? '' : ` --subresource=${part}`}${where}`
}

/** Rules of a Role or ClusterRole, one for each group of the API. */
export function rules(rights: readonly Right[]): string {
  const byGroup = new Map<string, Set<string>>()
  for (const { group, resource } of rights) byGroup.set(group, (byGroup.get(group) ?? new Set()).add(resource))
  const verbs = [...new Set(rights.map(({ verb }) => verb))].join(', ')
  return [...byGroup]
    .map(
      ([group, resources]) => `{apiGroups: ["${group}"], resources: [${[...resources].join(', ')}], verbs: [${verbs}]}`
    )
    .join(', ')
}

/** For the end of a sentence that says what was refused; all of one namespace. */
export function howToAllow(...rights: [Right, ...Right[]]): string {
  const [first] = rights
  const role = first.namespace === null ? 'a ClusterRole' : `a Role in ${first.namespace}`
  return `${role} with ${rules(rights)} allows it (${canI(first)} tells)`
}
