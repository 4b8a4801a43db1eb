/**
 * Kubernetes objects as far as diagnosis reads them: the fields that are recorded, and no others. Every field may be absent:
 * objects come from files too.
 */

import type { ContainerStatus, PodSpec } from './podSpec.ts'

export type * from './podSpec.ts'

export const KINDS = [
  'Pod',
  'Service',
  'EndpointSlice',
  'Ingress',
  'Event',
  'Node',
  'Namespace',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'HorizontalPodAutoscaler',
  'NetworkPolicy',
  'IngressClass',
  'PersistentVolumeClaim',
  'ResourceQuota',
  'ConfigMap',
  'Secret',
  'Certificate',
  'PodMetrics',
  'Lease'
] as const

export type Kind = (typeof KINDS)[number]

/** Kinds whose objects live in no namespace. */
export const CLUSTER_KINDS: ReadonlySet<Kind> = new Set(['Node', 'Namespace', 'IngressClass'])

export interface OwnerReference {
  kind: string
  name: string
  uid: string
  controller?: boolean
}

export interface Metadata {
  name: string
  /** Absent for cluster kinds. */
  namespace?: string
  uid?: string
  resourceVersion?: string
  /** RFC 3339, as all times in objects. */
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  /** Only those that we know. */
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
}

/** Any object: `kind` decides which of the types below it is. */
export interface KubeObject {
  kind: Kind
  metadata: Metadata
}

export interface Condition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  /** Nodes only. */
  lastHeartbeatTime?: string
}

export interface Pod extends KubeObject {
  kind: 'Pod'
  spec?: PodSpec
  status?: {
    phase?: string
    reason?: string
    message?: string
    podIP?: string
    podIPs?: { ip: string }[]
    hostIP?: string
    startTime?: string
    conditions?: Condition[]
    containerStatuses?: ContainerStatus[]
    initContainerStatuses?: ContainerStatus[]
  }
}

export interface ServicePort {
  name?: string
  port: number
  targetPort?: number | string
  protocol?: string
  appProtocol?: string
}

export interface Service extends KubeObject {
  kind: 'Service'
  spec?: {
    type?: string
    clusterIP?: string
    clusterIPs?: string[]
    externalName?: string
    selector?: Record<string, string>
    ports?: ServicePort[]
    publishNotReadyAddresses?: boolean
  }
}

export interface SliceEndpoint {
  addresses: string[]
  conditions?: { ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null }
  targetRef?: { kind?: string; name?: string; namespace?: string; uid?: string }
  nodeName?: string
}

/** Its Service is the label `kubernetes.io/service-name`. */
export interface EndpointSlice extends KubeObject {
  kind: 'EndpointSlice'
  addressType?: string
  endpoints?: SliceEndpoint[] | null
  ports?: { name?: string; port?: number | null; protocol?: string; appProtocol?: string }[] | null
}

export interface IngressBackend {
  service?: { name: string; port?: { number?: number; name?: string } }
  resource?: { kind?: string; name?: string }
}

export interface Ingress extends KubeObject {
  kind: 'Ingress'
  spec?: {
    ingressClassName?: string
    defaultBackend?: IngressBackend
    tls?: { hosts?: string[]; secretName?: string }[]
    rules?: { host?: string; http?: { paths?: { path?: string; pathType?: string; backend?: IngressBackend }[] } }[]
  }
}

/** core/v1 or events.k8s.io/v1, brought into one form. */
export interface KubeEvent extends KubeObject {
  kind: 'Event'
  involvedObject?: { kind?: string; namespace?: string; name?: string; uid?: string; fieldPath?: string }
  reason?: string
  message?: string
  type?: string
  count?: number
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  series?: { count?: number; lastObservedTime?: string } | null
  source?: { component?: string; host?: string }
}

export interface Node extends KubeObject {
  kind: 'Node'
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect?: string; timeAdded?: string }[] }
  status?: {
    conditions?: Condition[]
    addresses?: { type: string; address: string }[]
    allocatable?: Record<string, string>
  }
}

export interface Namespace extends KubeObject {
  kind: 'Namespace'
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string> }
  spec?: PodSpec
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** Deployment, ReplicaSet, StatefulSet, DaemonSet. */
export interface Workload extends KubeObject {
  kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet'
  spec?: {
    replicas?: number
    selector?: LabelSelector
    template?: PodTemplate
    paused?: boolean
    minReadySeconds?: number
    serviceName?: string
    strategy?: {
      type?: string
      rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } | null
    }
    updateStrategy?: { type?: string }
  }
  status?: {
    replicas?: number
    readyReplicas?: number
    availableReplicas?: number
    updatedReplicas?: number
    conditions?: Condition[]
  }
}

export interface HorizontalPodAutoscaler extends KubeObject {
  kind: 'HorizontalPodAutoscaler'
  spec?: {
    scaleTargetRef?: { kind?: string; name?: string }
    minReplicas?: number
    maxReplicas?: number
    metrics?: unknown[]
  }
  status?: {
    currentReplicas?: number
    desiredReplicas?: number
    conditions?: Condition[]
    currentMetrics?: unknown[]
  }
}

export interface PolicyPeer {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr: string; except?: string[] }
}

export interface PolicyPort {
  port?: number | string
  endPort?: number
  protocol?: string
}

export interface NetworkPolicy extends KubeObject {
  kind: 'NetworkPolicy'
  spec?: {
    podSelector?: LabelSelector
    policyTypes?: string[]
    ingress?: { from?: PolicyPeer[]; ports?: PolicyPort[] }[]
    egress?: { to?: PolicyPeer[]; ports?: PolicyPort[] }[]
  }
}

export interface IngressClass extends KubeObject {
  kind: 'IngressClass'
  spec?: { controller?: string }
}

export interface PersistentVolumeClaim extends KubeObject {
  kind: 'PersistentVolumeClaim'
  spec?: { storageClassName?: string; volumeName?: string }
  status?: { phase?: string }
}

export interface ResourceQuota extends KubeObject {
  kind: 'ResourceQuota'
  status?: { hard?: Record<string, string>; used?: Record<string, string> }
}

/** Only the controller's, and those that a container takes its environment from where they may be read. */
export interface ConfigMap extends KubeObject {
  kind: 'ConfigMap'
  data?: Record<string, string>
}

/** Never its data: what its certificate says, worked out where it was read. */
export interface Secret extends KubeObject {
  kind: 'Secret'
  type?: string
  certificate?: {
    notBefore?: string
    notAfter?: string
    sans?: string[]
    issuer?: string
    /** Why `tls.crt` is no certificate. */
    error?: string
  }
  /** Names of the entries, no values. */
  keys?: string[]
}

/** cert-manager.io/v1. */
export interface Certificate extends KubeObject {
  kind: 'Certificate'
  spec?: { secretName?: string; dnsNames?: string[] }
  status?: { notBefore?: string; notAfter?: string; conditions?: Condition[] }
}

/** metrics.k8s.io. */
export interface PodMetrics extends KubeObject {
  kind: 'PodMetrics'
  timestamp?: string
  window?: string
  containers?: { name: string; usage?: Record<string, string> }[]
}

/** coordination.k8s.io: `kube-node-lease/NODE`. */
export interface Lease extends KubeObject {
  kind: 'Lease'
  spec?: { holderIdentity?: string; renewTime?: string }
}

export interface ObjectOf {
  Pod: Pod
  Service: Service
  EndpointSlice: EndpointSlice
  Ingress: Ingress
  Event: KubeEvent
  Node: Node
  Namespace: Namespace
  Deployment: Workload
  ReplicaSet: Workload
  StatefulSet: Workload
  DaemonSet: Workload
  HorizontalPodAutoscaler: HorizontalPodAutoscaler
  NetworkPolicy: NetworkPolicy
  IngressClass: IngressClass
  PersistentVolumeClaim: PersistentVolumeClaim
  ResourceQuota: ResourceQuota
  ConfigMap: ConfigMap
  Secret: Secret
  Certificate: Certificate
  PodMetrics: PodMetrics
  Lease: Lease
}
