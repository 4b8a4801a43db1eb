/** The options of the cluster's state, and which parts of the program run; a part of the table of options. */

import type { OptionInfo } from './optionTable.ts'

export const ROLES = ['watch', 'worker', 'alert'] as const
/** watch: records the cluster's state. worker: reads logs. alert: looks for incidents. */
export type Role = (typeof ROLES)[number]

export const KUBERNETES_OPTIONS: readonly OptionInfo[] = [
  {
    path: 'roles',
    type: 'choices',
    choices: ROLES,
    default: null,
    unit: null,
    sentence:
      'Parts that this process runs: watch records the state of the cluster, worker reads logs, alert looks for incidents. null: worker alone where source.kind is kafka, else all.'
  },
  {
    path: 'kubernetes.api',
    type: 'choice',
    choices: ['none', 'kubeconfig', 'in-cluster'],
    default: 'none',
    unit: null,
    sentence:
      'How the watch role reaches the API server; no other role asks it. kubeconfig is $KUBECONFIG, else ~/.kube/config.'
  },
  {
    path: 'kubernetes.kubeconfig',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'File to take instead of $KUBECONFIG and ~/.kube/config.'
  },
  {
    path: 'kubernetes.context',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'Context of the kubeconfig; null: its current one.'
  },
  {
    path: 'kubernetes.namespaces',
    type: 'texts',
    default: [],
    unit: null,
    sentence: 'Namespaces that the watch role may read; an empty list: all.'
  },
  {
    path: 'kubernetes.controllerNamespace',
    type: 'text',
    default: 'ingress-nginx',
    unit: null,
    sentence: 'Namespace of the controller: its ConfigMap is read there.'
  },
  {
    path: 'kubernetes.tlsSecrets',
    type: 'texts',
    default: [],
    unit: null,
    sentence:
      'TLS Secrets whose certificates the watch role reads, each as NAMESPACE/NAME; of the rest of a Secret only the names of its keys are kept.'
  },
  {
    path: 'kubernetes.snapshots',
    type: 'texts',
    default: [],
    unit: null,
    sentence: 'Files of `kubectl get -o json`, read at start: the state of the cluster where nobody watches it.'
  },
  {
    path: 'kubernetes.labels',
    type: 'texts',
    default: [],
    unit: null,
    sentence: 'Labels of the blamed pod that documents carry under labels.*, at most 50; dots and slashes become _.'
  },
  {
    path: 'kubernetes.topic',
    type: 'text',
    default: 'why5xx.kubernetes',
    unit: null,
    sentence:
      'Topic of the recorded state, with one partition, where source.kind is kafka; else it is in the folder cluster/ of sink.embedded.path.'
  },
  {
    path: 'kubernetes.recordSizeMax',
    type: 'size',
    default: '2GiB',
    unit: null,
    // Two hours of a large cluster.
    min: 64 * 2 ** 20,
    sentence:
      'How large the recorded state may grow in its folder; the oldest goes first, as with sink.embedded.retention.'
  },
  {
    path: 'diagnosis.settleMs',
    type: 'integer',
    default: 120_000,
    unit: 'ms',
    min: 0,
    sentence: 'How long after a failure it is judged once more, when the cluster has told all it knows of that moment.'
  }
]

export interface KubernetesConfig {
  api: 'none' | 'kubeconfig' | 'in-cluster'
  kubeconfig: string | null
  context: string | null
  namespaces: string[]
  controllerNamespace: string
  tlsSecrets: string[]
  snapshots: string[]
  labels: string[]
  topic: string
  recordSizeMax: string | null
}

/** As every way of installing the controller names it. */
export const CONTROLLER_CONFIG_MAP = 'ingress-nginx-controller'

/** `shop/cart-tls`; null: it is none. */
export function tlsSecretOf(text: string): { namespace: string; name: string } | null {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]*)\/([a-z0-9][a-z0-9.-]*)$/.exec(text) ?? []
  return namespace === undefined ? null : { namespace, name: name! }
}

interface RoleSettings {
  /** null: what fits the source. */
  roles: readonly Role[] | null
  source: { kind: string }
  kubernetes: Pick<KubernetesConfig, 'api'>
}

/** What this process is to run. Roles that were not asked for are left out when they have nothing to work with. */
export function rolesOf({ roles, source, kubernetes }: RoleSettings): ReadonlySet<Role> {
  if (roles !== null) return new Set(roles)
  if (source.kind === 'kafka') return new Set(['worker'])
  return new Set(ROLES.filter(role => role !== 'watch' || kubernetes.api !== 'none'))
}
