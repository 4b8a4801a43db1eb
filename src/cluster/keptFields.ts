/**
 * API objects → what is kept of them: the fields of `objects.ts`, and no others. The same filter for a watch, a file and a
 * record, so what is recorded holds no secret, and nothing behind it meets a value of a wrong type.
 */

import {
  BROKEN,
  type Field,
  fields,
  flag,
  isRecord,
  list,
  mapOf,
  must,
  number,
  numberOrText,
  ownField,
  quantity,
  seconds,
  text,
  time,
  tree,
  whole
} from './fieldShape.ts'
import { type CertificateFacts, CONFIG_MAP, keptConfigMap, keptSecret, SECRET } from './keptData.ts'
import { coreEvent, EVENT } from './keptEvent.ts'
import { METADATA } from './keptMetadata.ts'
import { CONDITIONS, POD, POD_TEMPLATE } from './keptPod.ts'
import {
  type Certificate,
  type EndpointSlice,
  type HorizontalPodAutoscaler,
  type Ingress,
  type IngressBackend,
  type IngressClass,
  KINDS,
  type Kind,
  type KubeObject,
  type LabelSelector,
  type Lease,
  type Metadata,
  type NetworkPolicy,
  type Node,
  type ObjectOf,
  type PersistentVolumeClaim,
  type PodMetrics,
  type PolicyPeer,
  type PolicyPort,
  type ResourceQuota,
  type Service,
  type ServicePort,
  type SliceEndpoint,
  type Workload
} from './objects.ts'

type Inner<T, Key extends keyof T> = NonNullable<T[Key]>
type Item<T> = NonNullable<T> extends (infer Element)[] ? Element : never
/** All fields of a kind but `kind` and `metadata`. */
type Table<O> = { readonly [Key in keyof Required<Omit<O, 'kind' | 'metadata'>>]: Field }

const TEXTS = list(text)
const QUANTITIES = mapOf(quantity)

/** Less of a selector selects more. */
const SELECTOR = fields<LabelSelector>({
  matchLabels: whole(mapOf(text)),
  matchExpressions: whole(
    list(
      fields<Item<LabelSelector['matchExpressions']>>({ key: text, operator: text, values: whole(TEXTS) }, [
        'key',
        'operator'
      ])
    )
  )
})

const BACKEND = fields<IngressBackend>({
  service: fields<Inner<IngressBackend, 'service'>>(
    { name: text, port: fields<{ number?: number; name?: string }>({ number, name: text }) },
    ['name']
  ),
  resource: fields<Inner<IngressBackend, 'resource'>>({ kind: text, name: text })
})

type IngressSpec = Inner<Ingress, 'spec'>
type IngressRule = Item<IngressSpec['rules']>
type IngressPath = Item<Inner<IngressRule, 'http'>['paths']>

const INGRESS: Table<Ingress> = {
  spec: fields<IngressSpec>({
    ingressClassName: text,
    defaultBackend: BACKEND,
    tls: list(fields<Item<IngressSpec['tls']>>({ hosts: TEXTS, secretName: text })),
    rules: list(
      fields<IngressRule>({
        host: text,
        http: fields<Inner<IngressRule, 'http'>>({
          paths: list(fields<IngressPath>({ path: text, pathType: text, backend: BACKEND }))
        })
      })
    )
  })
}

const SERVICE: Table<Service> = {
  spec: fields<Inner<Service, 'spec'>>({
    type: text,
    clusterIP: text,
    clusterIPs: TEXTS,
    externalName: text,
    selector: whole(mapOf(text)),
    ports: list(
      fields<ServicePort>({ name: text, port: number, targetPort: numberOrText, protocol: text, appProtocol: text }, [
        'port'
      ])
    ),
    publishNotReadyAddresses: flag
  })
}

const ENDPOINT_SLICE: Table<EndpointSlice> = {
  addressType: text,
  endpoints: list(
    fields<SliceEndpoint>(
      {
        addresses: TEXTS,
        conditions: fields<Inner<SliceEndpoint, 'conditions'>>({ ready: flag, serving: flag, terminating: flag }),
        targetRef: fields<Inner<SliceEndpoint, 'targetRef'>>({ kind: text, name: text, namespace: text, uid: text }),
        nodeName: text
      },
      ['addresses']
    )
  ),
  ports: list(fields<Item<EndpointSlice['ports']>>({ name: text, port: number, protocol: text, appProtocol: text }))
}

type NodeSpec = Inner<Node, 'spec'>

const NODE: Table<Node> = {
  spec: fields<NodeSpec>({
    unschedulable: flag,
    taints: list(fields<Item<NodeSpec['taints']>>({ key: text, value: text, effect: text, timeAdded: time }, ['key']))
  }),
  status: fields<Inner<Node, 'status'>>({
    conditions: CONDITIONS,
    addresses: list(fields<{ type: string; address: string }>({ type: text, address: text }, ['type', 'address'])),
    allocatable: QUANTITIES
  })
}

type WorkloadSpec = Inner<Workload, 'spec'>
type Strategy = Inner<WorkloadSpec, 'strategy'>

const WORKLOAD: Table<Workload> = {
  spec: fields<WorkloadSpec>({
    replicas: number,
    selector: SELECTOR,
    template: POD_TEMPLATE,
    paused: flag,
    minReadySeconds: seconds,
    serviceName: text,
    strategy: fields<Strategy>({
      type: text,
      rollingUpdate: fields<Inner<Strategy, 'rollingUpdate'>>({ maxSurge: numberOrText, maxUnavailable: numberOrText })
    }),
    updateStrategy: fields<{ type?: string }>({ type: text })
  }),
  status: fields<Inner<Workload, 'status'>>({
    replicas: number,
    readyReplicas: number,
    availableReplicas: number,
    updatedReplicas: number,
    conditions: CONDITIONS
  })
}

const AUTOSCALER: Table<HorizontalPodAutoscaler> = {
  spec: fields<Inner<HorizontalPodAutoscaler, 'spec'>>({
    scaleTargetRef: fields<{ kind?: string; name?: string }>({ kind: text, name: text }),
    minReplicas: number,
    maxReplicas: number,
    metrics: tree
  }),
  status: fields<Inner<HorizontalPodAutoscaler, 'status'>>({
    currentReplicas: number,
    desiredReplicas: number,
    conditions: CONDITIONS,
    currentMetrics: tree
  })
}

/** A policy of which a part is missing says something else: all of it, or nothing. */
const PEERS = whole(
  list(
    fields<PolicyPeer>({
      podSelector: must(SELECTOR),
      namespaceSelector: must(SELECTOR),
      ipBlock: must(fields<Inner<PolicyPeer, 'ipBlock'>>({ cidr: text, except: whole(list(text, 10_000)) }, ['cidr']))
    }),
    10_000
  )
)
const POLICY_PORTS = whole(
  list(fields<PolicyPort>({ port: must(numberOrText), endPort: must(number), protocol: must(text) }))
)
type PolicySpec = Inner<NetworkPolicy, 'spec'>

const NETWORK_POLICY: Table<NetworkPolicy> = {
  spec: must(
    fields<PolicySpec>({
      podSelector: must(SELECTOR),
      policyTypes: whole(TEXTS),
      ingress: whole(list(fields<Item<PolicySpec['ingress']>>({ from: PEERS, ports: POLICY_PORTS }))),
      egress: whole(list(fields<Item<PolicySpec['egress']>>({ to: PEERS, ports: POLICY_PORTS })))
    })
  )
}

const TABLES: { readonly [K in Kind]: Table<ObjectOf[K]> } = {
  Pod: POD,
  Service: SERVICE,
  EndpointSlice: ENDPOINT_SLICE,
  Ingress: INGRESS,
  Event: EVENT,
  Node: NODE,
  Namespace: {},
  Deployment: WORKLOAD,
  ReplicaSet: WORKLOAD,
  StatefulSet: WORKLOAD,
  DaemonSet: WORKLOAD,
  HorizontalPodAutoscaler: AUTOSCALER,
  NetworkPolicy: NETWORK_POLICY,
  IngressClass: { spec: fields<Inner<IngressClass, 'spec'>>({ controller: text }) },
  PersistentVolumeClaim: {
    spec: fields<Inner<PersistentVolumeClaim, 'spec'>>({ storageClassName: text, volumeName: text }),
    status: fields<Inner<PersistentVolumeClaim, 'status'>>({ phase: text })
  },
  ResourceQuota: { status: fields<Inner<ResourceQuota, 'status'>>({ hard: QUANTITIES, used: QUANTITIES }) },
  ConfigMap: CONFIG_MAP,
  Secret: SECRET,
  Certificate: {
    spec: fields<Inner<Certificate, 'spec'>>({ secretName: text, dnsNames: TEXTS }),
    status: fields<Inner<Certificate, 'status'>>({ notBefore: time, notAfter: time, conditions: CONDITIONS })
  },
  PodMetrics: {
    timestamp: time,
    window: text,
    containers: list(fields<Item<PodMetrics['containers']>>({ name: text, usage: QUANTITIES }, ['name']))
  },
  Lease: { spec: fields<Inner<Lease, 'spec'>>({ holderIdentity: text, renewTime: time }) }
}

/** Where a kind has namesakes: Calico has a NetworkPolicy, Knative a Service. */
const GROUPS: { readonly [K in Kind]: readonly string[] } = {
  Pod: [''],
  Service: [''],
  EndpointSlice: ['discovery.k8s.io'],
  Ingress: ['networking.k8s.io', 'extensions'],
  Event: ['', 'events.k8s.io'],
  Node: [''],
  Namespace: [''],
  Deployment: ['apps'],
  ReplicaSet: ['apps'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps'],
  HorizontalPodAutoscaler: ['autoscaling'],
  NetworkPolicy: ['networking.k8s.io'],
  IngressClass: ['networking.k8s.io'],
  PersistentVolumeClaim: [''],
  ResourceQuota: [''],
  ConfigMap: [''],
  Secret: [''],
  Certificate: ['cert-manager.io'],
  PodMetrics: ['metrics.k8s.io'],
  Lease: ['coordination.k8s.io']
}

const KIND_SET: ReadonlySet<unknown> = new Set(KINDS)

/** A kind of ours, of the API group that it belongs to; an object without `apiVersion` is taken by its word. */
export function kindOf(kind: unknown, apiVersion: unknown): Kind | null {
  if (!KIND_SET.has(kind)) return null
  if (typeof apiVersion !== 'string') return kind as Kind
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return GROUPS[kind as Kind].includes(group) ? (kind as Kind) : null
}

export interface KeepOptions {
  /** Reads `tls.crt`; without it nothing is known of certificates in Secrets. */
  certificateFacts?: (pem: string) => CertificateFacts
}

/**
 * What is kept of any API object, of one that was kept before: all. null: no kind of ours, without a name, or in parts unreadable
 * without which the rest would mean something else.
 */
export function keptObject(raw: unknown, options: KeepOptions = {}): KubeObject | null {
  const kind = kindOf(ownField(raw, 'kind'), ownField(raw, 'apiVersion'))
  if (kind === null || !isRecord(raw)) return null
  const metadata = METADATA(ownField(raw, 'metadata')) as Metadata | undefined
  if (metadata === undefined) return null
  const body = OBJECTS.get(kind)!(readable(kind, raw, metadata, options))
  return body === BROKEN || !isRecord(body) ? null : ({ kind, metadata, ...body } as unknown as KubeObject)
}

const OBJECTS = new Map<Kind, Field>(KINDS.map(kind => [kind, fields<object>(TABLES[kind])]))

/** The object in the form that its table describes. */
function readable(kind: Kind, raw: Record<string, unknown>, metadata: Metadata, options: KeepOptions): unknown {
  if (kind === 'Event') return coreEvent(raw)
  if (kind === 'Secret') return keptSecret(raw, options.certificateFacts)
  return kind === 'ConfigMap' ? keptConfigMap(raw, metadata) : raw
}
