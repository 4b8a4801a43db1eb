/**
 * Whole objects as an API server writes them, for building cases. Stricter than `src/cluster/objects.ts`, where every field may be
 * absent: a builder can set what is always there without asking, and an API server writes more than diagnosis reads.
 */

import type { Condition, Container, ContainerState, Metadata, Probe } from '../../../src/cluster/objects.ts'

export type { Container, Probe }

export interface AnyObject {
  apiVersion: string
  kind: string
  metadata: Metadata
}

export interface ConditionObject extends Condition {
  lastProbeTime?: null
  lastUpdateTime?: string
}

export interface ContainerStatusObject {
  name: string
  image: string
  imageID: string
  restartCount: number
  lastState: ContainerState
  state: ContainerState
  ready: boolean
  started: boolean
}

export interface PodSpecObject {
  containers: Container[]
  initContainers?: Container[]
  volumes?: object[]
  readinessGates?: { conditionType: string }[]
  restartPolicy: string
  terminationGracePeriodSeconds: number
  dnsPolicy: string
  serviceAccountName: string
  nodeName?: string
  hostNetwork?: boolean
}

export interface PodObject extends AnyObject {
  kind: 'Pod'
  spec: PodSpecObject
  status: {
    phase: string
    reason?: string
    message?: string
    conditions: ConditionObject[]
    hostIP?: string
    startTime?: string
    podIP?: string
    podIPs?: { ip: string }[]
    qosClass?: string
    initContainerStatuses?: ContainerStatusObject[]
    containerStatuses: ContainerStatusObject[]
  }
}

export interface WorkloadObject extends AnyObject {
  kind: 'Deployment' | 'ReplicaSet' | 'StatefulSet' | 'DaemonSet'
  spec: {
    replicas?: number
    selector: { matchLabels: Record<string, string> }
    strategy?: { type: string; rollingUpdate?: { maxUnavailable: number | string; maxSurge: number | string } }
    template: {
      metadata: { labels: Record<string, string> }
      spec: Omit<PodSpecObject, 'nodeName' | 'serviceAccountName'>
    }
    serviceName?: string
  }
  status: Record<string, unknown> & { conditions?: ConditionObject[] }
}

export interface ServiceObject extends AnyObject {
  kind: 'Service'
  spec: {
    type: string
    clusterIP?: string
    clusterIPs?: string[]
    ipFamilies?: string[]
    externalName?: string
    selector?: Record<string, string>
    ports: { name?: string; port: number; protocol: string; targetPort: number | string; appProtocol?: string }[]
    publishNotReadyAddresses?: boolean
    sessionAffinity: string
  }
}

export interface IngressPath {
  path: string
  pathType: string
  backend: { service: { name: string; port: { number?: number; name?: string } } }
}

export interface IngressObject extends AnyObject {
  kind: 'Ingress'
  metadata: Metadata & { annotations: Record<string, string> }
  spec: {
    ingressClassName?: string
    defaultBackend?: IngressPath['backend']
    tls?: { hosts: string[]; secretName: string }[]
    rules: { host: string; http: { paths: IngressPath[] } }[]
  }
}

export interface SliceObject extends AnyObject {
  kind: 'EndpointSlice'
  addressType: string
  endpoints: {
    addresses: string[]
    conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }
    nodeName?: string
    targetRef?: { kind: string; namespace: string; name: string; uid: string }
  }[]
  ports: { name: string; port: number; protocol: string }[] | null
}

export interface NodeObject extends AnyObject {
  kind: 'Node'
  spec: { podCIDR: string; taints?: { key: string; effect: string; timeAdded?: string }[] }
  status: {
    conditions: ConditionObject[]
    addresses: { type: string; address: string }[]
    allocatable: Record<string, string>
    capacity: Record<string, string>
  }
}
