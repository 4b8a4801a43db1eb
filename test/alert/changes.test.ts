import { describe, expect, test } from 'vitest'
import { type ControllerReload, changesBefore } from '../../src/alert/changes.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterState } from '../../src/cluster/state.ts'
import { apiTime, LISTED, ShopCluster, told } from '../support/shopCluster.ts'
import { atMs, incident } from './samples.ts'

const FROM = atMs(-13)
const TO = atMs(2)

/** A Deployment, its ReplicaSet, Service, Ingress and the controller's ConfigMap, as they have been for a day. */
function shop(name = 'cart') {
  const cluster = new ShopCluster({ addresses: ['10.0.0.7'], name, nowMs: atMs(-30) })
  const state = openClusterState()
  for (const event of cluster.listed(atMs(-30))) state.apply(event)
  const find = (kind: string) => structuredClone(cluster.objects.find(one => one.kind === kind)!)
  return { state, find, cluster }
}

type Loose = ReturnType<ReturnType<typeof shop>['find']>

function put(object: unknown, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, object as Record<string, unknown>)
  parent[last] = value
}

/** The object of the kind, changed at a time. */
function changeAt(kind: string, timeMs: number, path: string, value: unknown): ClusterState {
  const { state, find } = shop()
  const object = find(kind)
  put(object, path, value)
  state.apply(told(timeMs, 'MODIFIED', object))
  return state
}

function textsOf(
  state: ClusterState | null,
  reloads: ControllerReload[] = [],
  changes: Parameters<typeof incident>[0] = {}
) {
  return changesBefore(incident(changes), FROM, TO, { state, reloads }).map(({ text }) => text)
}

test.each<[string, string, string, unknown, string[]]>([
  [
    'a new image',
    'Deployment',
    'spec.template.spec.containers.0.image',
    'cart:2',
    ['Deployment shop/cart was rolled out at 10:01:12 (image registry.example.com/cart:2.4.1 → cart:2)']
  ],
  [
    'another template',
    'Deployment',
    'spec.template.spec.containers.0.resources.limits.memory',
    '1Gi',
    ['Deployment shop/cart was rolled out at 10:01:12 (pod template changed)']
  ],
  ['replicas', 'Deployment', 'spec.replicas', 0, ['Deployment shop/cart was scaled at 10:01:12 (1 → 0 replicas)']],
  ['status alone', 'Deployment', 'status', { readyReplicas: 0 }, []],
  [
    'the port of the Service',
    'Service',
    'spec.ports.0.targetPort',
    9,
    [expect.stringMatching(/^Service shop\/cart was changed at 10:01:12 \(ports \[.*→ \[/)]
  ],
  [
    'an annotation of the Ingress',
    'Ingress',
    'metadata.annotations',
    { 'nginx.ingress.kubernetes.io/proxy-read-timeout': '5' },
    ['Ingress shop/cart was changed at 10:01:12 (proxy-read-timeout none → 5)']
  ],
  [
    'a key of the ConfigMap',
    'ConfigMap',
    'data',
    { 'proxy-read-timeout': '5', 'use-http2': 'false' },
    [
      'ConfigMap ingress-nginx/ingress-nginx-controller was changed at 10:01:12 (proxy-read-timeout none → 5, use-http2 none → false)'
    ]
  ]
])('%s', (_name, kind, path, value, want) => {
  expect(textsOf(changeAt(kind, atMs(1, 12), path, value))).toEqual(want)
})

const scaledAt = (timeMs: number) => changeAt('Deployment', timeMs, 'spec.replicas', 3)

describe('what is not told', () => {
  test('before and behind', () => {
    expect(textsOf(scaledAt(FROM - 1))).toEqual([])
    expect(textsOf(scaledAt(FROM))).toHaveLength(1)
    expect(textsOf(scaledAt(TO))).toEqual([])
  })

  test('other services', () => {
    const state = scaledAt(atMs(1))
    expect(textsOf(state, [], { service: 'shop/pay', upstream: 'shop-pay-80', ingress: 'pay' })).toEqual([])
    expect(textsOf(state, [], { service: 'other/cart', namespace: 'other' })).toEqual([])
  })

  test('nothing is known', () => {
    expect(textsOf(null)).toEqual([])
    expect(textsOf(openClusterState())).toEqual([])
  })
})

test('an upstream name is enough', () => {
  const state = scaledAt(atMs(1))
  const bare = { service: 'shop-cart-80', namespace: null, ingress: null }
  expect(textsOf(state, [], bare)).toHaveLength(1)
})

test('a rollout that shows in a new ReplicaSet alone', () => {
  const { state, find } = shop()
  const set = find('ReplicaSet') as Loose & { metadata: { creationTimestamp: string } }
  set.metadata = { ...set.metadata, name: 'cart-new', uid: 'new', creationTimestamp: apiTime(atMs(1)) }
  state.apply(told(atMs(1), 'ADDED', set))
  expect(textsOf(state)).toEqual(['Deployment shop/cart was rolled out at 10:01:00 (new ReplicaSet cart-new)'])
})

test('what a list shows behind a gap may be older', () => {
  const { state, cluster } = shop()
  const scope = { kinds: LISTED, unreadable: {}, namespaces: null }
  state.apply({ at: atMs(0), type: 'GAP_START', kind: null })
  state.apply({ at: atMs(1), type: 'LIST_START', ...scope })
  for (const object of cluster.objects) {
    const copy = structuredClone(object)
    if (copy.kind === 'Deployment') put(copy, 'spec.replicas', 5)
    state.apply(told(atMs(1), 'ADDED', copy))
  }
  state.apply({ at: atMs(1), type: 'LIST_END', ...scope })
  expect(textsOf(state)).toEqual(['Deployment shop/cart was scaled by 10:01:00 (1 → 5 replicas)'])
})

const reload = (
  second: number,
  pod: string | null,
  kind: ControllerReload['kind'] = 'reload',
  text = ''
): ControllerReload => ({ atMs: atMs(1, second), pod, kind, text })

test('reloads of several controllers are one', () => {
  expect(textsOf(null, [reload(2, 'b'), reload(1, 'a'), reload(3, 'a'), reload(50, null)])).toEqual([
    '2 controllers reloaded nginx at 10:01:01',
    'the controller reloaded nginx at 10:01:50'
  ])
  expect(textsOf(null, [reload(1, 'a'), reload(2, 'a', 'reload_failed', 'unknown directive\n"foo"')])).toEqual([
    'controller a reloaded nginx at 10:01:01',
    'controller a failed to reload nginx at 10:01:02: unknown directive\\x0A"foo"'
  ])
})

test('of too many the most telling stay, and of these the nearest; oldest first', () => {
  const state = scaledAt(atMs(-10))
  const reloads = Array.from({ length: 9 }, (_, i) => ({ ...reload(0, 'a'), atMs: atMs(i - 8) }))
  const texts = textsOf(state, reloads)
  expect(texts).toHaveLength(6)
  expect(texts[0]).toContain('was scaled')
  expect(texts.slice(1)).toEqual(
    [-4, -3, -2, -1, 0].map(minute => expect.stringContaining(apiTime(atMs(minute)).slice(11, 19)))
  )
})
