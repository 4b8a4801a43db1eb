/** What search/query waits for, and what else was told of its neighbours. */

import type { EndpointSlice, Service, Workload } from '../../../src/cluster/objects.ts'
import { makePod, setReady } from './pods.ts'
import type { Shop } from './shop.ts'
import { LONG_AGO_MS, metadata } from './texts.ts'

const LABELS = { app: 'index' }
const ADDRESS = '10.42.3.2'

/** The index has too little CPU to answer its readiness probe in a second; who holds a connection to it waits. */
export function starve(shop: Shop, fromMs: number, toMs: number): void {
  const { random, api } = shop
  const container = {
    name: 'index',
    image: 'registry.example.com/search/index:8.14.0',
    ports: [
      { containerPort: 9200, name: 'http', protocol: 'TCP' },
      { containerPort: 9300, name: 'transport', protocol: 'TCP' }
    ],
    resources: { limits: { cpu: '500m', memory: '2Gi' }, requests: { cpu: '250m', memory: '2Gi' } },
    readinessProbe: {
      httpGet: { path: '/_health', port: 9200, scheme: 'HTTP' },
      periodSeconds: 5,
      timeoutSeconds: 1,
      failureThreshold: 3
    }
  }
  const owner: Workload = {
    kind: 'StatefulSet',
    metadata: metadata(random, 'index', 'search', { labels: LABELS }),
    spec: {
      replicas: 1,
      serviceName: 'index',
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: { containers: [container] } }
    },
    status: { replicas: 1, readyReplicas: 1 }
  }
  const service: Service = {
    kind: 'Service',
    metadata: metadata(random, 'index', 'search'),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      selector: LABELS,
      ports: [{ name: 'transport', port: 9300, targetPort: 9300, protocol: 'TCP' }]
    }
  }
  const facts = { name: 'index-0', namespace: 'search', address: ADDRESS, node: 'worker-3', labels: LABELS }
  const pod = makePod(random, { ...facts, owner, container, createdMs: LONG_AGO_MS })
  setReady(pod, true, LONG_AGO_MS + 31_000)
  const slice: EndpointSlice = {
    kind: 'EndpointSlice',
    metadata: metadata(random, 'index-7tqzk', 'search', { labels: { 'kubernetes.io/service-name': 'index' } }),
    addressType: 'IPv4',
    endpoints: [endpoint(true)],
    ports: [{ name: 'transport', port: 9300, protocol: 'TCP' }]
  }
  for (const object of [owner, service, slice, pod]) api.add(object)

  shop.planEvents(fromMs - 10_000, toMs - 3_000, 30_000, () => pod, {
    reason: 'Unhealthy',
    message: `Readiness probe failed: Get "http://${ADDRESS}:9200/_health": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    type: 'Warning',
    container: 'index'
  })
  for (const [ms, isReady] of [
    [fromMs, false],
    [toMs, true]
  ] as const) {
    api.plan(ms, () => {
      setReady(pod, isReady, ms)
      api.changed(pod)
    })
    api.plan(ms + 60, () => {
      slice.endpoints = [endpoint(isReady)]
      api.changed(slice)
      owner.status = { replicas: 1, readyReplicas: isReady ? 1 : 0 }
      api.changed(owner)
    })
  }

  function endpoint(ready: boolean) {
    const { name, namespace, uid } = pod.metadata
    return {
      addresses: [ADDRESS],
      conditions: { ready, serving: ready, terminating: false },
      targetRef: { kind: 'Pod', name, namespace: namespace!, uid: uid! },
      nodeName: 'worker-3'
    }
  }
}

/** The controllers cannot load what another team shipped; what they had loaded stays. */
export function failingReload(shop: Shop, atMs: number): void {
  shop.api.plan(atMs, () => {
    for (const pod of shop.controllerPods)
      shop.event(pod, {
        reason: 'RELOAD',
        message:
          'Error reloading NGINX: Error: exit status 1 nginx: [emerg] invalid number of arguments in "add_header" directive',
        type: 'Warning',
        component: 'nginx-ingress-controller'
      })
  })
}
