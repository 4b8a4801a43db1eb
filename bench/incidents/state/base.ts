/** What a cluster has besides the services: nodes, namespaces, the controller. */

import type { KubeObject, Node, Pod, Workload } from '../../../src/cluster/objects.ts'
import type { Controller } from '../controller.ts'
import type { Random } from '../random.ts'
import { makePod, setReady } from './pods.ts'
import { apiTime, LONG_AGO_MS, metadata } from './texts.ts'

const NODES = ['worker-1', 'worker-2', 'worker-3', 'worker-4']
const HEALTHY = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
  ['Ready', 'True', 'KubeletReady']
] as const

export function makeNodes(random: Random, atMs: number): Node[] {
  return NODES.map((name, index) => ({
    kind: 'Node',
    metadata: metadata(random, name, null),
    spec: {},
    status: {
      conditions: HEALTHY.map(([type, status, reason]) => ({
        type,
        status,
        reason,
        lastTransitionTime: apiTime(LONG_AGO_MS),
        lastHeartbeatTime: apiTime(atMs)
      })),
      addresses: [{ type: 'InternalIP', address: `192.168.10.1${index + 1}` }],
      allocatable: { cpu: '8', memory: '15Gi', pods: '110' }
    }
  }))
}

/** A node says from time to time that it is well. */
export function beat(node: Node, atMs: number): void {
  for (const condition of node.status!.conditions!) condition.lastHeartbeatTime = apiTime(atMs)
}

export function makeNamespaces(random: Random, names: readonly string[]): KubeObject[] {
  return names.map(name => ({
    kind: 'Namespace',
    metadata: metadata(random, name, null, { labels: { 'kubernetes.io/metadata.name': name } })
  }))
}

const LABELS = {
  'app.kubernetes.io/name': 'ingress-nginx',
  'app.kubernetes.io/instance': 'ingress-nginx',
  'app.kubernetes.io/component': 'controller'
}

/** The controllers as their chart installs them. Their pods come first. */
export function makeControllers(
  random: Random,
  controllers: readonly Controller[]
): { pods: Pod[]; others: KubeObject[] } {
  const namespace = 'ingress-nginx'
  const name = 'ingress-nginx-controller'
  const container = {
    name: 'controller',
    image: 'registry.k8s.io/ingress-nginx/controller:v1.15.1',
    args: [
      '/nginx-ingress-controller',
      '--election-id=ingress-nginx-leader',
      '--controller-class=k8s.io/ingress-nginx',
      '--ingress-class=nginx',
      `--configmap=$(POD_NAMESPACE)/${name}`
    ],
    ports: [
      { containerPort: 80, name: 'http', protocol: 'TCP' },
      { containerPort: 443, name: 'https', protocol: 'TCP' }
    ],
    readinessProbe: { httpGet: { path: '/healthz', port: 10254, scheme: 'HTTP' }, periodSeconds: 10 }
  }
  const deployment: Workload = {
    kind: 'Deployment',
    metadata: metadata(random, name, namespace, {
      labels: LABELS,
      annotations: { 'deployment.kubernetes.io/revision': '1' }
    }),
    spec: { replicas: controllers.length, selector: { matchLabels: LABELS } },
    status: { replicas: controllers.length, readyReplicas: controllers.length }
  }
  const replicaSet: Workload = {
    kind: 'ReplicaSet',
    metadata: metadata(random, `${name}-6c9f8d4b7`, namespace, {
      labels: LABELS,
      ownerReferences: [{ kind: 'Deployment', name, uid: deployment.metadata.uid!, controller: true }]
    }),
    spec: { replicas: controllers.length, selector: { matchLabels: LABELS } }
  }
  const pods = controllers.map(({ pod, uid }, index) => {
    const made = makePod(random, {
      name: pod,
      namespace,
      uid,
      address: `10.42.${index + 1}.2`,
      node: NODES[index]!,
      labels: { ...LABELS, 'pod-template-hash': '6c9f8d4b7' },
      owner: replicaSet,
      container,
      createdMs: LONG_AGO_MS
    })
    setReady(made, true, LONG_AGO_MS + 14_000)
    return made
  })
  const others: KubeObject[] = [
    deployment,
    replicaSet,
    {
      kind: 'ConfigMap',
      metadata: metadata(random, name, namespace, { labels: LABELS }),
      data: { 'upstream-keepalive-timeout': '60', 'use-gzip': 'false' }
    } as KubeObject,
    {
      kind: 'IngressClass',
      metadata: metadata(random, 'nginx', null, { labels: LABELS }),
      spec: { controller: 'k8s.io/ingress-nginx' }
    } as KubeObject
  ]
  return { pods, others }
}
