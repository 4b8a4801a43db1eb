import type { Peer } from '../cluster.ts'
import { ended, restarted, setReady } from './pods.ts'
import type { Shop } from './shop.ts'

/** One end of a container at its memory limit; times in Unix ms. */
export interface OomKill {
  peer: Peer
  killedAt: number
  /** When the kubelet of an overloaded node said so. */
  unreadyAt: number
  startedAt: number
  listensAt: number
  readyAt: number
  /** Which restart follows, from 1. */
  restart: number
}

/** What the kubelet tells of it, late at first, and then of the restart. */
export function oomKill(shop: Shop, kill: OomKill): void {
  const { peer, killedAt, unreadyAt, startedAt, listensAt, readyAt, restart } = kill
  const name = peer.service.split('/')[1]!
  const end = { reason: 'OOMKilled', exitCode: 137, atMs: killedAt }
  const runs = (): void => {
    restarted(shop.pod(peer), startedAt, restart)
  }
  shop.planPod(peer, unreadyAt, pod => {
    const seconds = 10 * 2 ** (restart - 2)
    const message = `back-off ${seconds}s restarting failed container=${name} pod=${peer.pod}_shop`
    ended(pod, end, { waiting: { reason: 'CrashLoopBackOff', message } })
    if (startedAt < unreadyAt) runs()
    setReady(pod, false, unreadyAt)
  })
  if (startedAt >= unreadyAt) {
    shop.api.plan(unreadyAt + 10, () => {
      shop.event(shop.pod(peer), {
        reason: 'BackOff',
        message: `Back-off restarting failed container ${name} in pod ${peer.pod}_shop`,
        type: 'Warning',
        container: name
      })
    })
    shop.planPod(peer, startedAt + 600, runs)
  }
  shop.api.plan(Math.max(startedAt, unreadyAt) + 3_000, atMs => {
    if (atMs > listensAt) return
    const { podIP } = shop.pod(peer).status!
    shop.event(shop.pod(peer), {
      reason: 'Unhealthy',
      message: `Readiness probe failed: Get "http://${podIP}:8080/healthz": dial tcp ${podIP}:8080: connect: connection refused`,
      type: 'Warning',
      container: name
    })
  })
  shop.planReady(peer, readyAt, true)
}
