/**
 * What the watch role may read, as RBAC. The rules are derived from the kinds it lists, so that no right is asked for that
 * nothing uses: the chart's (deploy/helm/why5xx/files/rbac.yaml) are generated from here, and `check --print-rbac` prints them.
 */

import { Document, visit } from 'yaml'
import { CLUSTER_KINDS, type Kind } from '../cluster/objects.ts'
import { DEFAULT_KINDS, resourceOf } from '../cluster/resources.ts'
import { POLLED } from '../cluster/unitWatch.ts'
import { KIND_NEEDS } from '../diagnose/kindNeeds.ts'
import { CONTROLLER_CONFIG_MAP } from '../kubernetesOptions.ts'

export interface RbacRule {
  /** '' is the core group. */
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

/** `full`: all that diagnosis reads. `smallest`: without these hardly anything can be said. */
export const RBAC_SCOPES = ['full', 'smallest'] as const
export type RbacScope = (typeof RBAC_SCOPES)[number]

/** They come with an add-on, and a cluster without it has nothing to allow. */
const ADDED_KINDS: ReadonlySet<Kind> = new Set(['PodMetrics', 'Certificate'])

/** Rules by who needs them: what lives in namespaces may be granted in some of them alone. */
export interface ScopeRules {
  namespaced: RbacRule[]
  cluster: RbacRule[]
}

export interface WatchRules {
  full: ScopeRules
  smallest: ScopeRules
  /** Of the add-ons, beside `full`. */
  podMetrics: RbacRule[]
  certificates: RbacRule[]
  controller: RbacRule[]
}

export function watchRules(): WatchRules {
  const own = DEFAULT_KINDS.filter(kind => !ADDED_KINDS.has(kind))
  return {
    full: byPlace(own),
    smallest: byPlace(own.filter(kind => KIND_NEEDS[kind].isEssential)),
    podMetrics: rulesFor(['PodMetrics']),
    certificates: rulesFor(['Certificate']),
    controller: rulesFor(['ConfigMap']).map(rule => ({ ...rule, resourceNames: [CONTROLLER_CONFIG_MAP] }))
  }
}

/** Each is read by its name alone, and no list ever names them. */
export function secretRules(names: readonly string[]): RbacRule[] {
  return [{ apiGroups: [''], resources: ['secrets'], resourceNames: [...names], verbs: ['get'] }]
}

function byPlace(kinds: readonly Kind[]): ScopeRules {
  return {
    namespaced: rulesFor(kinds.filter(kind => !CLUSTER_KINDS.has(kind))),
    cluster: rulesFor(kinds.filter(kind => CLUSTER_KINDS.has(kind)))
  }
}

/** One rule for each group of the API. */
function rulesFor(kinds: readonly Kind[]): RbacRule[] {
  const byGroup = new Map<string, RbacRule>()
  for (const kind of kinds) {
    const { group, plural } = resourceOf(kind)
    // What has no watch is listed again and again.
    const verbs = POLLED.has(kind) ? ['get', 'list'] : ['get', 'list', 'watch']
    const key = `${group} ${verbs.length}`
    const rule = byGroup.get(key) ?? { apiGroups: [group], resources: [], verbs }
    rule.resources.push(plural)
    byGroup.set(key, rule)
  }
  return [...byGroup.values()]
}

export interface PrintedRbac {
  scope: RbacScope
  /** Empty: everywhere. */
  namespaces: readonly string[]
  account: { namespace: string; name: string }
  controllerNamespace: string
  /** TLS Secrets that may be read, as `NAMESPACE/NAME`. */
  tlsSecrets: readonly string[]
}

/** Everything that `kubectl apply -f -` needs to give the account these rights: YAML, one document an object. */
export function rbacText(options: PrintedRbac): string {
  const read = options.tlsSecrets.length === 0 ? 'no Secret' : 'no Secret but those named below'
  const head = `# What the role watch of why5xx reads (${options.scope}): it changes nothing, and reads ${read}.\n`
  return head + rbacObjects(options).map(rbacYaml).join('---\n')
}

/** YAML with one line for each rule. */
export function rbacYaml(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Map(_, map) {
      if (map.has('apiGroups')) map.flow = true
    }
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function rbacObjects({ scope, namespaces, account, controllerNamespace, tlsSecrets }: PrintedRbac): object[] {
  const rules = watchRules()
  const added = scope === 'full' ? [...rules.podMetrics, ...rules.certificates] : []
  const namespaced = [...rules[scope].namespaced, ...added]
  const { cluster } = rules[scope]
  const isEverywhere = namespaces.length === 0
  const everywhere = isEverywhere ? [...cluster, ...namespaced] : cluster
  const secrets = secretsByNamespace(tlsSecrets)
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account }, automountServiceAccountToken: false },
    ...(everywhere.length === 0 ? [] : granted(account, null, '', everywhere)),
    ...namespaces.flatMap(namespace => granted(account, namespace, '', namespaced)),
    ...granted(account, controllerNamespace, '-controller', rules.controller),
    ...[...secrets].flatMap(([namespace, names]) => granted(account, namespace, '-tls', secretRules(names)))
  ]
}

function secretsByNamespace(tlsSecrets: readonly string[]): Map<string, string[]> {
  const byNamespace = new Map<string, string[]>()
  for (const text of tlsSecrets) {
    const [namespace, name] = text.split('/') as [string, string]
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), name])
  }
  return byNamespace
}

/** A role and who has it; `namespace` null: everywhere. */
function granted(
  account: PrintedRbac['account'],
  namespace: string | null,
  suffix: string,
  rules: readonly RbacRule[]
): object[] {
  const kind = namespace === null ? 'ClusterRole' : 'Role'
  const metadata = {
    // Accounts of several namespaces have rights in the one of the controller, and everywhere: no two may have one name.
    name: `${account.namespace}-${account.name}${suffix}`,
    ...(namespace !== null && { namespace })
  }
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  return [
    { apiVersion, kind, metadata, rules },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', ...account }]
    }
  ]
}
