import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { KubernetesClient } from '../../services/kubernetesClient.ts'
import { Watching } from './watching.ts'
import { newImage, openShop, rolledOut, type Shop } from './workloads.ts'

const kubernetes = inject('kubernetes')

describe.skipIf(kubernetes === null)('a deployment as the watch sees it', () => {
  let client: KubernetesClient
  let watching: Watching
  let shop: Shop

  beforeAll(async () => {
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    watching = await Watching.start(kubernetes!.kubeconfig)
    shop = await openShop(client, `rollout-${process.pid}`, 3)
  })
  afterAll(() => watching?.stop())

  const livePods = () => [...watching.state.all('Pod', shop.namespace)].filter(pod => pod.deletedMs === null)
  const readyOf = (name: string) =>
    watching.state
      .slicesOf(shop.namespace, 'cart')
      .flatMap(slice => slice.versions.at(-1)!.object.endpoints ?? [])
      .filter(endpoint => endpoint.targetRef?.name === name)
      .map(endpoint => endpoint.conditions?.ready)

  test('pods have an owner, an address and a place in the slices', async () => {
    await watching.caughtUp()
    const pods = livePods()
    expect(pods).toHaveLength(3)
    // Slices follow pods a moment later.
    await watching.until(() => pods.every(pod => readyOf(pod.name)[0] === true), 'all endpoints are ready')
    for (const pod of pods) {
      const { object } = pod.versions.at(-1)!
      const owner = watching.state.byUid('ReplicaSet', object.metadata.ownerReferences![0]!.uid)
      expect(owner!.versions.at(-1)!.object.metadata.ownerReferences![0]).toMatchObject({
        kind: 'Deployment',
        name: 'cart'
      })
      const tenures = watching.state.tenures(object.status!.podIP!)
      expect(tenures.at(-1)!.pod.uid).toBe(pod.uid)
      expect(readyOf(pod.name)).toEqual([true])
    }
    expect(watching.state.upstream(`${shop.namespace}-cart-80`)).toEqual([
      { namespace: shop.namespace, service: 'cart', port: '80' }
    ])
  })

  test('a failing readiness probe is a condition, an event and an endpoint that is not ready', async () => {
    const [pod] = livePods()
    await client.patch(`${shop.pods}/${pod!.name}`, { metadata: { labels: { 'lab/ready': 'false' } } })
    await watching.until(() => readyOf(pod!.name)[0] === false, 'the endpoint is not ready')
    // Each kind comes by a watch of its own, in no order.
    const ready = () =>
      watching.state
        .byUid('Pod', pod!.uid)!
        .versions.map(({ object }) => object.status?.conditions?.find(({ type }) => type === 'Ready')?.status)
    await watching.until(() => ready().at(-1) === 'False', 'the pod is not ready')
    expect(ready()).toContain('True')
    const reasons = () => watching.state.eventsOf(pod!).map(event => event.versions.at(-1)!.object.reason)
    await watching.until(() => reasons().includes('Unhealthy'), 'an event about it')

    await client.patch(`${shop.pods}/${pod!.name}`, { metadata: { labels: { 'lab/ready': null } } })
    await watching.until(() => readyOf(pod!.name)[0] === true, 'the endpoint is ready again')
  })

  test('every restart of a crash loop is a version', async () => {
    const [pod] = livePods()
    await client.patch(`${shop.pods}/${pod!.name}`, { metadata: { labels: { 'lab/crash': 'true' } } })
    const statuses = () =>
      watching.state.byUid('Pod', pod!.uid)!.versions.map(({ object }) => object.status?.containerStatuses?.[0])
    // It runs for a moment before it waits for the next restart.
    const waiting = () =>
      statuses().findLast(status => status?.state?.waiting !== undefined && (status.restartCount ?? 0) >= 3)
    await watching.until(() => waiting() !== undefined, 'three restarts')
    const restarts = statuses().map(status => status?.restartCount ?? 0)
    expect([...new Set(restarts)].slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(waiting()).toMatchObject({
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } }
    })
    await client.delete(`${shop.pods}/${pod!.name}`)
    await rolledOut(client, shop, 3)
  })

  test('a rollout replaces the pods and keeps the old ones in memory', async () => {
    await watching.caughtUp()
    const before = livePods().map(pod => pod.uid)
    await newImage(client, shop, '2')
    await rolledOut(client, shop, 3)
    const gone = () => before.every(uid => watching.state.byUid('Pod', uid)?.deletedMs != null)
    await watching.until(gone, 'the old pods are gone')
    await watching.caughtUp()
    const images = livePods().map(pod => pod.versions.at(-1)!.object.spec!.containers![0]!.image)
    expect(images).toEqual(Array(3).fill('registry.example/cart:2'))
    for (const uid of before)
      expect(watching.state.byUid('Pod', uid)).toMatchObject({ isDeletionApproximate: false, kind: 'Pod' })
  })

  test('scaled to zero: no pod, no endpoint, and the deployment says so', async () => {
    await client.patch(shop.deployment, { spec: { replicas: 0 } })
    await watching.until(() => livePods().length === 0, 'no pod')
    await rolledOut(client, shop, 0)
    await watching.caughtUp()
    const [deployment] = watching.state.named('Deployment', shop.namespace, 'cart')
    expect(deployment!.versions.at(-1)!.object.spec!.replicas).toBe(0)
    // Slices follow pods a moment later.
    const endpoints = () =>
      watching.state.slicesOf(shop.namespace, 'cart').flatMap(slice => slice.versions.at(-1)!.object.endpoints ?? [])
    await watching.until(() => endpoints().length === 0, 'no endpoint')
  })

  test('the record is in order, and says what it could not read', () => {
    const times = watching.events.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(watching.ofType('LIST_START')).toHaveLength(1)
    expect(watching.ofType('LIST_START')[0]!.unreadable).toEqual({
      Certificate: '404 the API /apis/cert-manager.io/v1 is not served',
      PodMetrics: '404 the API /apis/metrics.k8s.io/v1beta1 is not served'
    })
    expect(watching.ofType('GAP_START')).toEqual([])
  })
})
