/** Pods and the workloads that own them, healthy. */

import { suffixOf, uidOf } from './identity.ts'
import type { Container, ContainerStatusObject, PodObject, WorkloadObject } from './objectTypes.ts'

/** An HTTP server on port 8080 with a readiness probe. */
export function webContainer(name: string, changes: Partial<Container> = {}): Container {
  return {
    name,
    image: `registry.example.com/${name}:2.4.1`,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3
    },
    ...changes
  }
}

export interface WorkloadInput {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  namespace: string
  name: string
  labels: Record<string, string>
  replicas: number
  containers: Container[]
  createdAt: string
}

export function workload(input: WorkloadInput): WorkloadObject {
  const { kind, namespace, name, labels, replicas } = input
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name,
      namespace,
      uid: uidOf(`${kind}/${namespace}/${name}`),
      creationTimestamp: input.createdAt,
      labels: { ...labels },
      ...(kind === 'Deployment' ? { annotations: { 'deployment.kubernetes.io/revision': '4' } } : {})
    },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      selector: { matchLabels: { ...labels } },
      ...(kind === 'Deployment'
        ? { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } } }
        : {}),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      template: {
        metadata: { labels: { ...labels } },
        spec: {
          containers: structuredClone(input.containers),
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst'
        }
      }
    },
    status: { replicas, readyReplicas: replicas, availableReplicas: replicas, updatedReplicas: replicas }
  }
}

/** @param revision what its name ends with; another one is another template */
export function replicaSet(
  deployment: WorkloadObject,
  revision: string,
  createdAt: string,
  replicas: number
): WorkloadObject {
  const { namespace, name } = deployment.metadata
  const hash = { 'pod-template-hash': revision }
  const template = structuredClone(deployment.spec.template)
  Object.assign(template.metadata.labels, hash)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${revision}`,
      namespace: namespace ?? '',
      uid: uidOf(`ReplicaSet/${namespace}/${name}-${revision}`),
      creationTimestamp: createdAt,
      labels: { ...deployment.spec.template.metadata.labels, ...hash },
      annotations: { 'deployment.kubernetes.io/revision': '4' },
      ownerReferences: [owner(deployment)]
    },
    spec: { replicas, selector: { matchLabels: { ...deployment.spec.selector.matchLabels, ...hash } }, template },
    status: { replicas, readyReplicas: replicas, availableReplicas: replicas }
  }
}

export function owner(object: { kind: string; metadata: { name: string; uid?: string } }) {
  return {
    apiVersion: 'apps/v1',
    kind: object.kind,
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    controller: true
  }
}

export interface PodInput {
  /** Of its ReplicaSet, StatefulSet, DaemonSet. */
  owner: WorkloadObject
  /** Which of the pods of its owner; a StatefulSet's pod is named by it. */
  index: number
  /** Another pod under the same name has another one. */
  generation?: number
  node: string
  hostIp: string
  addresses: string[]
  createdAt: string
  startedAt: string
  readyAt: string
}

/** A pod whose containers all run and are ready. */
export function pod(input: PodInput): PodObject {
  const { namespace, name: ownerName } = input.owner.metadata
  const { template } = input.owner.spec
  const isNumbered = input.owner.kind === 'StatefulSet'
  const name = isNumbered ? `${ownerName}-${input.index}` : `${ownerName}-${suffixOf(`${ownerName}/${input.index}`)}`
  const since = (type: string, at: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: at })
  const labels = { ...template.metadata.labels }
  if (isNumbered) labels['statefulset.kubernetes.io/pod-name'] = name
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: namespace ?? '',
      uid: uidOf(`Pod/${namespace}/${name}/${input.generation ?? 0}`),
      creationTimestamp: input.createdAt,
      labels,
      ownerReferences: [owner(input.owner)]
    },
    spec: { ...structuredClone(template.spec), serviceAccountName: 'default', nodeName: input.node },
    status: {
      phase: 'Running',
      conditions: [
        since('PodScheduled', input.createdAt),
        since('Initialized', input.startedAt),
        since('ContainersReady', input.readyAt),
        since('Ready', input.readyAt)
      ],
      hostIP: input.hostIp,
      startTime: input.createdAt,
      podIP: input.addresses[0]!,
      podIPs: input.addresses.map(ip => ({ ip })),
      qosClass: 'Burstable',
      containerStatuses: template.spec.containers.map(container => running(container, input.startedAt))
    }
  }
}

export function running(container: Container, startedAt: string): ContainerStatusObject {
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: `registry.example.com/${container.name}@sha256:${uidOf(container.name).replaceAll('-', '')}`,
    restartCount: 0,
    lastState: {},
    state: { running: { startedAt } },
    ready: true,
    started: true
  }
}
