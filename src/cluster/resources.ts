/** Where the API serves each kind. */
import { CLUSTER_KINDS, KINDS, type Kind } from './objects.ts'

interface Resource {
  /** `/api/v1`, `/apis/GROUP/VERSION`. */
  api: string
  plural: string
}

const RESOURCES: Record<Kind, Resource> = {
  Pod: { api: '/api/v1', plural: 'pods' },
  Service: { api: '/api/v1', plural: 'services' },
  Event: { api: '/api/v1', plural: 'events' },
  Node: { api: '/api/v1', plural: 'nodes' },
  Namespace: { api: '/api/v1', plural: 'namespaces' },
  PersistentVolumeClaim: { api: '/api/v1', plural: 'persistentvolumeclaims' },
  ResourceQuota: { api: '/api/v1', plural: 'resourcequotas' },
  ConfigMap: { api: '/api/v1', plural: 'configmaps' },
  Secret: { api: '/api/v1', plural: 'secrets' },
  EndpointSlice: { api: '/apis/discovery.k8s.io/v1', plural: 'endpointslices' },
  Ingress: { api: '/apis/networking.k8s.io/v1', plural: 'ingresses' },
  IngressClass: { api: '/apis/networking.k8s.io/v1', plural: 'ingressclasses' },
  NetworkPolicy: { api: '/apis/networking.k8s.io/v1', plural: 'networkpolicies' },
  Deployment: { api: '/apis/apps/v1', plural: 'deployments' },
  ReplicaSet: { api: '/apis/apps/v1', plural: 'replicasets' },
  StatefulSet: { api: '/apis/apps/v1', plural: 'statefulsets' },
  DaemonSet: { api: '/apis/apps/v1', plural: 'daemonsets' },
  HorizontalPodAutoscaler: { api: '/apis/autoscaling/v2', plural: 'horizontalpodautoscalers' },
  Certificate: { api: '/apis/cert-manager.io/v1', plural: 'certificates' },
  PodMetrics: { api: '/apis/metrics.k8s.io/v1beta1', plural: 'pods' },
  Lease: { api: '/apis/coordination.k8s.io/v1', plural: 'leases' }
}

/** ConfigMaps and Secrets are read by name alone, and only those that were named. Leases say little that Nodes do not. */
const NOT_BY_DEFAULT: ReadonlySet<Kind> = new Set(['ConfigMap', 'Secret', 'Lease'])

/** All that diagnosis reads of a cluster. */
export const DEFAULT_KINDS: readonly Kind[] = KINDS.filter(kind => !NOT_BY_DEFAULT.has(kind))

/** `/apis/apps/v1`, as a sentence names what is not served. */
export function apiOf(kind: Kind): string {
  return RESOURCES[kind].api
}

/** Path of a list; `namespace` null: of all namespaces. */
export function pathOf(kind: Kind, namespace: string | null): string {
  const { api, plural } = RESOURCES[kind]
  if (namespace === null || CLUSTER_KINDS.has(kind)) return `${api}/${plural}`
  return `${api}/namespaces/${encodeURIComponent(namespace)}/${plural}`
}

/** What RBAC calls it: group '' is the core. */
export function resourceOf(kind: Kind): { group: string; plural: string } {
  const { api, plural } = RESOURCES[kind]
  return { group: /^\/apis\/([^/]+)\//.exec(api)?.[1] ?? '', plural }
}
