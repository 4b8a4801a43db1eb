/**
 * What goes wrong at services of namespace `shop`: a backend that really behaves so, the objects of the cluster that say why,
 * and what is to be found. Every service has addresses of its own.
 */

import { endpointSlices, ingress, service } from '../../diagnose/support/objectMaker.ts'
import type {
  AnyObject,
  IngressObject,
  NodeObject,
  PodObject,
  ServiceObject
} from '../../diagnose/support/objectTypes.ts'
import { askToDelete, becomeUnready, end } from '../../diagnose/support/podState.ts'
import { type Fault, fails, get } from '../../services/fault.ts'
import { type FaultyUpstreams, freePorts } from '../../services/faultyUpstream.ts'
import type { Expectation } from '../../services/labRequest.ts'
import { fallbackUpstream } from '../../services/nginxConfig.ts'
import { apiTime, ShopCluster } from '../../support/shopCluster.ts'

const ANNOTATION = 'nginx.ingress.kubernetes.io/'
/** Of all requests of the lab. */
export const HOST = 'lab.test'
const DAY_MS = 86_400_000
const REFUSED = /connect\(\) failed \(111: /

export interface Story {
  kind: string
  /** `shop/cart` */
  service: string
  upstreamName: string
  /** Slug; null: none is proven. */
  rootCause: string
  ref: string
  /** Name of the blamed pod. */
  pod: string
  objects: AnyObject[]
  fault: Fault
}

interface StoryOptions {
  name: string
  /** Last of the path's names decides what a healthy application answers. */
  path?: string
  expect: Expectation
  count?: number
  addresses: string[]
  port: number
  node?: string
  rootCause: string
  /** What is blamed; the first pod where left out. */
  ref?: (shop: ShopCluster) => string
  /** Body of the location; left out: to the first address. */
  body?: string
  http?: string[]
  arrange?: Fault['arrange']
  tell?: (shop: ShopCluster, objects: AnyObject[]) => void
}

export async function openStories(upstreams: FaultyUpstreams, nowMs: number): Promise<Story[]> {
  const [closed, other] = (await freePorts(2)) as [number, number]
  const application = await upstreams.listen('application', ['127.20.2.2', '127.20.7.1', '127.20.9.1', '127.20.10.1'])
  const closing = await upstreams.listen('premature_close', ['127.20.4.1'])
  const hanging = await upstreams.listen('hang', ['127.20.5.1'])
  const full = await upstreams.listenFull('127.20.6.1')
  const ago = (ms: number): string => apiTime(nowMs - ms)
  const killed = { reason: 'OOMKilled', exitCode: 137, finishedAt: ago(20_000) }
  const story = (options: StoryOptions): Story => tell(options, nowMs)

  return [
    story({
      name: 'cart',
      expect: fails('connection_refused', 502, REFUSED),
      count: 40,
      addresses: ['127.20.1.1'],
      port: closed,
      rootCause: 'oom_killed',
      tell: ({ pods }) => end(pods[0]!, killed)
    }),
    // A retry saves the client; the pod is blamed all the same.
    story({
      name: 'checkout',
      expect: fails('connection_refused', 200, REFUSED),
      addresses: ['127.20.2.1', '127.20.2.2'],
      port: application,
      rootCause: 'oom_killed',
      http: [fallbackUpstream('up_shop_checkout', `127.20.2.1:${application}`, `127.20.2.2:${application}`)],
      body: 'proxy_pass http://up_shop_checkout;',
      tell: ({ pods }) => end(pods[0]!, killed)
    }),
    story({
      name: 'prices',
      expect: fails('connection_refused', 502, REFUSED),
      addresses: ['127.20.3.1'],
      port: closed,
      rootCause: 'target_port_mismatch',
      ref: () => 'Service shop/prices',
      tell: ({ pods }) => {
        pods[0]!.spec.containers[0]!.ports![0]!.containerPort = other
      }
    }),
    story({
      name: 'orders',
      expect: fails('premature_close', 502, /upstream prematurely closed connection/),
      count: 30,
      addresses: ['127.20.4.1'],
      port: closing,
      rootCause: 'app_crash',
      tell: ({ pods }) => end(pods[0]!, { reason: 'Error', exitCode: 1, finishedAt: ago(20_000) })
    }),
    story({
      name: 'report',
      expect: fails('read_timeout', 504, /upstream timed out \(110: /),
      addresses: ['127.20.5.1'],
      port: hanging,
      rootCause: 'app_slow',
      body: `proxy_read_timeout 1s; proxy_pass http://127.20.5.1:${hanging};`,
      tell: (_, objects) => annotate(objects, 'proxy-read-timeout', '1')
    }),
    story({
      name: 'billing',
      expect: fails('connect_timeout', 504, /110: .*while connecting to upstream/),
      addresses: ['127.20.6.1'],
      port: full,
      node: 'worker-2',
      rootCause: 'node_not_ready',
      ref: () => 'Node worker-2',
      tell: (_, objects) => loseNode(objects, ago(60_000))
    }),
    // What the controller writes for a Service without endpoints: no address, and no error line.
    story({
      name: 'mail',
      expect: fails('no_endpoints', 503, null),
      addresses: ['127.20.7.1'],
      port: application,
      rootCause: 'readiness_failing',
      body: 'return 503;',
      tell: ({ pods }) => becomeUnready(pods[0]!, ago(120_000))
    }),
    // Rolled out: the pod goes, its address stands in the proxy long after.
    story({
      name: 'media',
      expect: fails('connection_refused', 502, REFUSED),
      addresses: ['127.20.8.1', '127.20.9.1'],
      port: application,
      rootCause: 'stale_endpoints',
      body: `proxy_pass http://127.20.8.1:${application};`,
      tell: ({ pods }) => askToDelete(pods[0]!, ago(40_000), 120)
    }),
    story({
      name: 'api',
      path: 'shop_api_500',
      expect: fails('upstream_error', 500, null),
      addresses: ['127.20.10.1'],
      port: application,
      rootCause: 'app_error'
    })
  ]
}

function tell(options: StoryOptions, nowMs: number): Story {
  const { name, path: kind = `shop_${name}`, expect, addresses, port, node, rootCause, body, http = [] } = options
  const upstreamName = `shop-${name}-80`
  const shop = new ShopCluster({ name, addresses, port, nowMs, host: HOST, ...(node && { node }) })
  const { objects } = shop
  ingressOf(objects).spec.rules[0]!.http.paths[0]!.path = `/f/${kind}`
  options.tell?.(shop, objects)
  const own = objects.find((one): one is ServiceObject => one.kind === 'Service')!
  const [slice] = endpointSlices(own, [...shop.pods] as PodObject[], apiTime(nowMs))
  const [pod] = shop.pods
  return {
    kind,
    service: `shop/${name}`,
    upstreamName,
    rootCause,
    ref: options.ref?.(shop) ?? `Pod shop/${pod!.metadata.name}`,
    pod: pod!.metadata.name,
    objects: [...objects.filter(one => one.kind !== 'EndpointSlice'), slice!],
    fault: {
      kind,
      ...expect,
      ...(options.count !== undefined && { count: options.count }),
      ...(options.arrange && { arrange: options.arrange }),
      http,
      locations: [
        `location /f/${kind}/ { set $proxy_upstream_name "${upstreamName}"; ${body ?? `proxy_pass http://${addresses[0]}:${port};`} }`
      ],
      act: get
    }
  }
}

function ingressOf(objects: readonly AnyObject[]): IngressObject {
  return objects.find((one): one is IngressObject => one.kind === 'Ingress')!
}

function annotate(objects: readonly AnyObject[], name: string, value: string): void {
  ingressOf(objects).metadata.annotations[`${ANNOTATION}${name}`] = value
}

function loseNode(objects: readonly AnyObject[], since: string): void {
  const node = objects.find((one): one is NodeObject => one.kind === 'Node')!
  Object.assign(node.status.conditions.find(({ type }) => type === 'Ready')!, {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: since
  })
}

/** The services of the lab's own faults: one each, before the same healthy pods. `lab`: those pods. */
export function labServices(kinds: readonly string[], lab: ShopCluster, nowMs: number): AnyObject[] {
  const before = apiTime(nowMs - DAY_MS)
  // Which ports they open nothing tells: none of these faults is a wrong port.
  for (const pod of lab.pods) delete pod.spec.containers[0]!.ports
  return kinds.flatMap(kind => {
    const name = kind.replaceAll('_', '-')
    const own = service('lab', name, { app: 'app' }, before)
    const route = ingress('lab', name, HOST, name, before)
    route.spec.rules[0]!.http.paths[0]!.path = `/f/${kind}/`
    return [own, route, ...endpointSlices(own, [...lab.pods], before)]
  })
}
