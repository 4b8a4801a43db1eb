import type { Pod } from '../../../src/cluster/objects.ts'
import type { Peer } from '../cluster.ts'
import { makePod, setReady } from './pods.ts'
import type { Shop } from './shop.ts'
import { suffix } from './texts.ts'

/** One pod takes the place of another; times in Unix ms. */
export interface Replaced {
  old: Peer
  fresh: Peer
  createdAt: number
  readyAt: number
  toldToStop: number
  goneAt: number
  /** When the last balancer has heard of it. */
  forgottenAt: number
}

export function replace(
  shop: Shop,
  { old, fresh, createdAt, readyAt, toldToStop, goneAt, forgottenAt }: Replaced
): void {
  shop.planStart(fresh, createdAt, readyAt)
  shop.planStop(old, toldToStop, goneAt)
  shop.api.plan(forgottenAt + 25_000, atMs => stranger(shop, old, atMs))
}

/** The address goes to a pod of somebody else, as addresses do: who looks later must not blame it. */
function stranger(shop: Shop, { address, node }: Peer, atMs: number): void {
  if (shop.random.chance(0.6)) return
  const owner = shop.app('media/img').deployment
  const pod: Pod = makePod(shop.random, {
    name: `thumbnails-${suffix(shop.random, 8)}`,
    namespace: 'media',
    address: address.split(':')[0]!,
    node,
    labels: { app: 'thumbnails' },
    owner: { ...owner, metadata: { ...owner.metadata, name: 'thumbnails', uid: shop.random.uuid() } },
    container: { name: 'thumbnails', image: 'registry.example.com/media/thumbnails:2.0.3' },
    createdMs: atMs
  })
  setReady(pod, true, atMs + 2_000)
  shop.api.add(pod)
}
