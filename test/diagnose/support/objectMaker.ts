/** Services, Ingresses, EndpointSlices, nodes and what else stands around pods, healthy. */

import { numberOf, uidOf } from './identity.ts'
import type {
  AnyObject,
  IngressObject,
  NodeObject,
  PodObject,
  ServiceObject,
  SliceObject,
  WorkloadObject
} from './objectTypes.ts'
import { condition } from './podState.ts'

export function metadata(kind: string, namespace: string | null, name: string, createdAt: string) {
  return {
    name,
    ...(namespace === null ? {} : { namespace }),
    uid: uidOf(`${kind}/${namespace ?? ''}/${name}`),
    creationTimestamp: createdAt
  }
}

export function service(
  namespace: string,
  name: string,
  selector: Record<string, string>,
  createdAt: string
): ServiceObject {
  const clusterIp = `10.96.${numberOf(`${namespace}/${name}`) % 250}.${(numberOf(name) % 250) + 1}`
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('Service', namespace, name, createdAt),
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: ['IPv4'],
      selector: { ...selector },
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }],
      sessionAffinity: 'None'
    }
  }
}

export function ingress(
  namespace: string,
  name: string,
  host: string,
  serviceName: string,
  createdAt: string
): IngressObject {
  const backend = { service: { name: serviceName, port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...metadata('Ingress', namespace, name, createdAt), annotations: {} },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
    }
  }
}

/**
 * What the EndpointSlice controller writes for a Service with a selector, one slice for each family of addresses: pods with an
 * address that have neither succeeded nor failed; ready = publishNotReadyAddresses, or Ready and not being deleted. A named
 * targetPort that no container has leaves `ports` empty.
 */
export function endpointSlices(of: ServiceObject, pods: PodObject[], createdAt: string): SliceObject[] {
  const { selector } = of.spec
  if (selector === undefined || of.spec.type === 'ExternalName') return []
  const selected = pods.filter(
    candidate =>
      candidate.metadata.namespace === of.metadata.namespace &&
      Object.entries(selector).every(([key, value]) => candidate.metadata.labels?.[key] === value) &&
      candidate.status.podIPs !== undefined &&
      candidate.status.phase !== 'Succeeded' &&
      candidate.status.phase !== 'Failed'
  )
  return (of.spec.ipFamilies ?? ['IPv4']).map(family => slice(of, selected, family, createdAt))
}

function slice(of: ServiceObject, pods: PodObject[], family: string, createdAt: string): SliceObject {
  const name = `${of.metadata.name}-${uidOf(`${of.metadata.uid}/${family}`).slice(0, 5)}`
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata('EndpointSlice', of.metadata.namespace ?? '', name, createdAt),
      labels: {
        'kubernetes.io/service-name': of.metadata.name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io'
      },
      ownerReferences: [{ kind: 'Service', name: of.metadata.name, uid: of.metadata.uid ?? '', controller: true }]
    },
    addressType: family,
    endpoints: pods.flatMap(candidate => endpoint(of, candidate, family)),
    ports: pods.length === 0 ? null : slicePorts(of, pods[0]!)
  }
}

function endpoint(of: ServiceObject, candidate: PodObject, family: string): SliceObject['endpoints'] {
  const addresses = (candidate.status.podIPs ?? [])
    .map(entry => entry.ip)
    .filter(ip => ip.includes(':') === (family === 'IPv6'))
  if (addresses.length === 0) return []
  const isReady = condition(candidate, 'Ready').status === 'True'
  const isTerminating = candidate.metadata.deletionTimestamp !== undefined
  const { nodeName } = candidate.spec
  return [
    {
      addresses,
      conditions: {
        ready: of.spec.publishNotReadyAddresses === true || (isReady && !isTerminating),
        serving: isReady,
        terminating: isTerminating
      },
      ...(nodeName === undefined ? {} : { nodeName }),
      targetRef: {
        kind: 'Pod',
        namespace: candidate.metadata.namespace ?? '',
        name: candidate.metadata.name,
        uid: candidate.metadata.uid ?? ''
      }
    }
  ]
}

function slicePorts(of: ServiceObject, candidate: PodObject): NonNullable<SliceObject['ports']> {
  const declared = candidate.spec.containers.flatMap(container => container.ports ?? [])
  return of.spec.ports.flatMap(({ name, targetPort, protocol }) => {
    const port =
      typeof targetPort === 'number' ? targetPort : declared.find(entry => entry.name === targetPort)?.containerPort
    return port === undefined ? [] : [{ name: name ?? '', port, protocol }]
  })
}

export function node(name: string, hostIp: string, createdAt: string, heartbeatAt: string): NodeObject {
  const told = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: heartbeatAt,
    lastTransitionTime: createdAt
  })
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...metadata('Node', null, name, createdAt), labels: { 'kubernetes.io/hostname': name } },
    spec: { podCIDR: '10.244.0.0/24' },
    status: {
      conditions: [
        told('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        told('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        told('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        told('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      ],
      addresses: [
        { type: 'InternalIP', address: hostIp },
        { type: 'Hostname', address: name }
      ],
      allocatable: { cpu: '3920m', memory: '14Gi', pods: '110' },
      capacity: { cpu: '4', memory: '16Gi', pods: '110' }
    }
  }
}

export function namespaceObject(name: string, createdAt: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { ...metadata('Namespace', null, name, createdAt), labels: { 'kubernetes.io/metadata.name': name } }
  }
}

export function ingressClass(createdAt: string): AnyObject & { spec: object } {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: metadata('IngressClass', null, 'nginx', createdAt),
    spec: { controller: 'k8s.io/ingress-nginx' }
  }
}

export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string>,
  createdAt: string
): AnyObject & { data: Record<string, string> } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('ConfigMap', namespace, name, createdAt), data }
}

export interface EventInput {
  reason: string
  message: string
  firstAt: string
  lastAt: string
  count: number
  type: 'Normal' | 'Warning'
  component: string
  /** Says which container it is about. */
  fieldPath?: string
  /** Of another object of that name, when not that of the object itself. */
  uid?: string
}

export function event(about: AnyObject | WorkloadObject, input: EventInput): AnyObject {
  const { namespace = 'default', name, uid = '' } = about.metadata
  const written = `${name}.${uidOf(`${uid}/${input.reason}/${input.message}/${input.firstAt}`).slice(0, 8)}`
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: metadata('Event', namespace, written, input.firstAt),
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      ...(about.metadata.namespace === undefined ? {} : { namespace }),
      name,
      uid: input.uid ?? uid,
      ...(input.fieldPath === undefined ? {} : { fieldPath: input.fieldPath })
    },
    reason: input.reason,
    message: input.message,
    type: input.type,
    count: input.count,
    firstTimestamp: input.firstAt,
    lastTimestamp: input.lastAt,
    source: { component: input.component }
  } as AnyObject
}
