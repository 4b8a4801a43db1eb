import { answeredByNginx, changeIngress, scanners, streamSession } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { at } from './times.ts'

const SERVICE = 'account/portal'

/** The backend closes idle connections after 5 s, nginx keeps them for 60 s: now and then both move at once. */
export const keepaliveRace: Incident = {
  name: 'keepalive-race',
  service: SERVICE,
  frame: 'kubectl',
  state: 'snapshot',
  // It goes on from before the log until after it, at one rate.
  spikes: {},
  reasons: {
    premature_close: { rootCause: 'keepalive_mismatch' },
    connection_reset: { rootCause: 'keepalive_mismatch' }
  },
  story:
    'account/portal is one Node.js pod with its default keep-alive of 5 s behind nginx, which keeps idle connections for 60 s. A request that goes out just when the pod closes the idle connection finds it closed: premature close or reset within a millisecond. ' +
    'GET is tried again on the same address and succeeds (masked); POST is not, and fails with a single 502. It happens all the time, a little more the more seldom a worker talks to the pod, and no pod restarts.',
  simulate() {
    const simulation = new Simulation('keepalive-race', {
      startMs: at('10:00:00'),
      minutes: 30,
      controllers: 2,
      without: ['search/query'],
      replicas: { [SERVICE]: 1 }
    })
    const { random } = simulation
    simulation.endpoints.get(SERVICE)!.all[0]!.facts.push({
      at: simulation.startMs,
      what: 'Ready all the time, restart count 0, server.keepAliveTimeout 5000'
    })
    simulation.load = service => (service.name === SERVICE ? 4.6 : 0.75)
    simulation.behaviour = ({ request, peer, at: ms, worker, retried }) => {
      if (request.service.name !== SERVICE || retried) return null
      const idleMs = ms - (worker.idleSince.get(peer.address) ?? ms)
      if (idleMs < 4_900 || idleMs > 6_000 || random.chance(0.15)) return null
      return {
        kind: 'fault',
        ms: random.integer(0, 1),
        cause: random.chance(0.18) ? 'connection_reset' : 'premature_close',
        extraTry: true
      }
    }
    simulation.runTraffic()
    scanners(simulation, 1.8)
    for (const clock of ['10:04:09', '10:13:27', '10:22:58'])
      answeredByNginx(simulation, at(clock) + 377, 'https_redirect')
    for (let ms = simulation.startMs + 31_417; ms < simulation.endMs; ms += random.integer(40_000, 210_000))
      streamSession(simulation, ms)
    changeIngress(simulation, at('10:16:20') + 50, 'shop/storefront')
    simulation.tell = shop => shop.changeIngress(at('10:16:20') + 50, 'shop/storefront')
    return simulation
  }
}
