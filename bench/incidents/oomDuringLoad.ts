import { answeredByNginx, changeIngress, newLeader, scanners } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { type OomKill, oomKill } from './state/oomKill.ts'
import { at } from './times.ts'

const SERVICE = 'shop/cart'

/** Four carts under a sale: the survivors take over the load of the killed, and are killed next. */
export const oomDuringLoad: Incident = {
  name: 'oom-during-load',
  service: SERVICE,
  frame: 'kubectl',
  state: 'recording',
  spikes: { connection_refused: '10:03', premature_close: '10:03' },
  reasons: {
    connection_refused: { rootCause: 'oom_killed' },
    connection_reset: { rootCause: 'oom_killed' },
    premature_close: { rootCause: 'oom_killed' }
  },
  story:
    'A sale sends many times the usual traffic to shop/cart from 10:02; its four pods grow past their memory limit of 256Mi and the kernel kills them one after another, in three waves (10:03, 10:06, 10:09). ' +
    'At each kill the connections break (premature close or reset), then the address refuses for up to 16 s because the overloaded nodes report the dead container late, and the pod stays out until its container listens and is ready again. ' +
    'Retries on the other pods save most requests; POSTs that were in flight and requests that met only dead pods fail with 502.',
  simulate() {
    const simulation = new Simulation('oom-during-load', {
      startMs: at('10:00:00'),
      minutes: 20,
      controllers: 2,
      without: ['search/query']
    })
    const { random } = simulation
    const endpoints = simulation.endpoints.get(SERVICE)!
    const pods = [...endpoints.all]

    // When a pod is killed, how long nginx still knows it, how long until it is ready again (restart back-off grows).
    const kills = [
      { clock: '10:03:14', pod: 0, knownMs: 9_400, backMs: 22_500 },
      { clock: '10:03:17', pod: 1, knownMs: 8_100, backMs: 21_000 },
      { clock: '10:03:19', pod: 2, knownMs: 8_200, backMs: 20_500 },
      { clock: '10:03:24', pod: 3, knownMs: 15_700, backMs: 24_000 },
      { clock: '10:06:02', pod: 1, knownMs: 10_800, backMs: 27_000 },
      { clock: '10:06:05', pod: 3, knownMs: 10_900, backMs: 28_500 },
      { clock: '10:06:08', pod: 0, knownMs: 9_800, backMs: 27_500 },
      { clock: '10:09:31', pod: 2, knownMs: 10_200, backMs: 31_000 },
      { clock: '10:09:34', pod: 3, knownMs: 9_500, backMs: 38_000 }
    ]
    const changes: { at: number; apply: () => void }[] = []
    const restarts = [0, 0, 0, 0]
    const told: OomKill[] = []
    for (const kill of kills) {
      const peer = pods[kill.pod]!
      const killedAt = at(kill.clock) + random.integer(0, 900)
      const listensAt = killedAt + kill.backMs
      restarts[kill.pod]! += 1
      // The first restart comes at once, then kubelet waits 10 s and 20 s.
      const startedAt = killedAt + [2_100, 11_300, 21_500][restarts[kill.pod]! - 1]!
      peer.breaks.push({ at: killedAt, resets: 0.35 })
      peer.downs.push({ from: killedAt, to: listensAt, kind: 'refused' })
      const readyAt = listensAt + random.integer(400, 2_500)
      const unreadyAt = killedAt + kill.knownMs - 700
      told.push({ peer, killedAt, unreadyAt, startedAt, listensAt, readyAt, restart: restarts[kill.pod]! })
      peer.facts.push({ at: killedAt, what: 'container cart terminated: OOMKilled, exit code 137' })
      peer.facts.push({ at: unreadyAt, what: 'Ready False, out of the EndpointSlice' })
      peer.facts.push({ at: startedAt, what: `container cart running, restart ${restarts[kill.pod]}` })
      peer.facts.push({ at: listensAt, what: 'listens on 8080' })
      peer.facts.push({ at: readyAt, what: 'Ready True' })
      changes.push({ at: killedAt + kill.knownMs, apply: () => endpoints.remove(killedAt + kill.knownMs, peer) })
      changes.push({ at: readyAt + 900, apply: () => endpoints.add(readyAt + 900, peer) })
    }
    for (const peer of pods) peer.facts.sort((a, b) => a.at - b.at)
    for (const change of changes.sort((a, b) => a.at - b.at)) change.apply()

    simulation.load = (service, ms) => {
      if (service.name !== SERVICE)
        return service.host === 'shop.example.com' && ms > at('10:02:00') && ms < at('10:11:00') ? 1.3 : 0.85
      if (ms < at('10:02:00')) return 1.5
      // People who see an error page try again.
      const isOutage = kills.some(kill => at(kill.clock) <= ms && ms < at(kill.clock) + 14_000)
      if (ms < at('10:10:20')) return isOutage ? 21 : 8
      return ms < at('10:11:30') ? 5 : 1.5
    }
    // Close to the limit the garbage collector runs without pause.
    simulation.slowness = (peer, ms) => {
      const next = peer.breaks.find(moment => moment.at >= ms)
      if (next === undefined || peer.service !== SERVICE) return 1
      const leftMs = next.at - ms
      return leftMs > 60_000 ? 1 : leftMs > 20_000 ? 2.5 : leftMs > 6_000 ? 9 : 24
    }
    simulation.runTraffic()
    scanners(simulation, 2)
    for (const clock of ['10:00:41', '10:05:12', '10:08:03', '10:12:55', '10:17:30'])
      answeredByNginx(simulation, at(clock) + 311, 'https_redirect')
    answeredByNginx(simulation, at('10:07:19') + 120, 'too_large')
    newLeader(simulation, at('10:01:02') + 400)
    changeIngress(simulation, at('10:14:22') + 80, 'blog/web')
    simulation.tell = shop => {
      for (const kill of told) oomKill(shop, kill)
      shop.changeIngress(at('10:14:22') + 80, 'blog/web')
    }
    return simulation
  }
}
