/** Who held which address when, against the test's own record of what it did. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Tenure } from '../../../src/cluster/state.ts'
import { KubernetesClient } from '../../services/kubernetesClient.ts'
import { Watching } from './watching.ts'
import { newImage, openShop, rolledOut } from './workloads.ts'

const kubernetes = inject('kubernetes')
/** From the server's answer to the arrival of the event, on a busy machine. */
const ARRIVAL_MS = 2_000

/** What the test knows: it held the address at the latest from `sureFrom`, and had not got it before `from`. */
interface Held {
  uid: string
  from: number
  sureFrom: number
  sureTo: number
  to: number
}

describe.skipIf(kubernetes === null)('addresses', () => {
  let client: KubernetesClient
  let watching: Watching

  beforeAll(async () => {
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    watching = await Watching.start(kubernetes!.kubeconfig)
  })
  afterAll(() => watching?.stop())

  test('one address passes from pod to pod, and every tenure is the right one', async () => {
    const namespace = await client.makeNamespace(`chosen-${process.pid}`)
    const truth = new Map<string, Held[]>()
    const addresses = ['10.99.0.1', '10.99.0.2', 'fd00::a']
    for (let round = 0; round < 8; round++)
      for (const address of addresses) {
        const held = await holdAddress(client, namespace, `pod-${round}`, address)
        truth.set(address, [...(truth.get(address) ?? []), held])
      }
    await watching.caughtUp()

    for (const address of addresses) {
      const tenures = watching.state.tenures(address).filter(({ pod }) => pod.namespace === namespace)
      const known = truth.get(address)!
      expect(tenures.map(({ pod }) => pod.uid)).toEqual(known.map(({ uid }) => uid))
      for (const [i, tenure] of tenures.entries()) expectTenure(tenure, known[i]!)
    }
  })

  test('churn: nobody else is named at any moment at which the server named a pod', async () => {
    const shop = await openShop(client, `churn-${process.pid}`, 6)
    const seen: { at: number; uid: string; address: string }[] = []
    let isOver = false
    const polling = (async () => {
      while (!isOver) {
        const askedMs = Date.now()
        const pods = await client.list(shop.pods)
        const at = (askedMs + Date.now()) / 2
        for (const { metadata, status } of pods)
          if (status?.podIP) seen.push({ at, uid: metadata.uid!, address: status.podIP })
      }
    })()
    for (let round = 1; round <= 4; round++) {
      await newImage(client, shop, `round-${round}`)
      await rolledOut(client, shop, 6)
    }
    await client.patch(shop.deployment, { spec: { replicas: 0 } })
    await rolledOut(client, shop, 0)
    isOver = true
    await polling
    await watching.caughtUp()

    const pods = new Set(seen.map(({ uid }) => uid))
    const addresses = new Map<string, Set<string>>()
    for (const { uid, address } of seen) addresses.set(address, (addresses.get(address) ?? new Set()).add(uid))
    expect(pods.size).toBeGreaterThanOrEqual(30)
    // Addresses do go from one to the next, or this shows nothing.
    expect([...addresses.values()].some(holders => holders.size > 1)).toBe(true)
    const wrong = seen.filter(({ at, uid, address }) => {
      const own = watching.state.tenures(address).filter(({ pod }) => pod.uid === uid)
      return !own.some(({ fromMs, toMs }) => fromMs - ARRIVAL_MS <= at && at <= (toMs ?? Infinity) + ARRIVAL_MS)
    })
    expect(wrong).toEqual([])
    // And in the order in which the server handed them out.
    for (const [address, holders] of addresses)
      expect(
        watching.state
          .tenures(address)
          .map(({ pod }) => pod.uid)
          .filter(uid => holders.has(uid))
      ).toEqual([...holders])
  })
})

/** A pod that nobody schedules says of itself that it runs with this address, then it is deleted. */
async function holdAddress(client: KubernetesClient, namespace: string, name: string, address: string): Promise<Held> {
  const pods = `/api/v1/namespaces/${namespace}/pods`
  const pod = await client.create(pods, {
    metadata: { name },
    spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'app' }] }
  })
  const from = Date.now()
  await client.patch(`${pods}/${name}/status`, {
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] }
  })
  const sureFrom = Date.now()
  await client.get(`${pods}/${name}`)
  const sureTo = Date.now()
  await client.delete(`${pods}/${name}?gracePeriodSeconds=0`)
  return { uid: pod.metadata.uid!, from, sureFrom, sureTo, to: Date.now() }
}

function expectTenure(tenure: Tenure, held: Held): void {
  expect(tenure).toMatchObject({ isFromObserved: true, isToObserved: true, hostNetwork: false })
  expect(tenure.fromMs).toBeGreaterThanOrEqual(held.from)
  expect(tenure.fromMs).toBeLessThanOrEqual(held.sureFrom + ARRIVAL_MS)
  expect(tenure.toMs).toBeGreaterThanOrEqual(held.sureTo)
  expect(tenure.toMs).toBeLessThanOrEqual(held.to + ARRIVAL_MS)
}
