import { answeredByNginx, changeIngress, noActiveEndpoint, scanners } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { at } from './times.ts'

const SERVICE = 'pay/api'
const BROKEN_FROM = at('10:07:00')

/** All pods report unready for one shared dependency: nobody is left, nginx answers 503 itself. */
export const readinessFailing: Incident = {
  name: 'readiness-failing',
  service: SERVICE,
  frame: 'cri',
  state: 'snapshot',
  spikes: { upstream_error: '10:07', no_endpoints: '10:07' },
  reasons: {
    no_endpoints: { rootCause: 'readiness_failing' },
    // Listed when it is over, a pod that is Ready again does not say that it was Ready before.
    upstream_error: { rootCause: 'app_error', shareMin: 0.05 },
    client_closed: { rootCause: 'client_abort', shareMin: 0.5 }
  },
  story:
    'The database of pay/api is gone from 10:07:00. For some seconds the application answers 500 itself; then the readiness probe, which asks the database too, fails on all three pods, the last leaves the endpoints at about 10:07:21, and nginx answers 503 without a pod while the controller warns at every sync. ' +
    'The pods come back one after another from 10:13:40.',
  simulate() {
    const simulation = new Simulation('readiness-failing', { startMs: at('10:00:00'), minutes: 22, controllers: 1 })
    const { random } = simulation
    const endpoints = simulation.endpoints.get(SERVICE)!
    const pods = [...endpoints.all]
    for (const [index, peer] of pods.entries()) {
      const unready = BROKEN_FROM + 13_000 + index * 3_400
      peer.facts.push({ at: unready, what: 'Ready False: readiness probe answers 503, container running' })
      endpoints.remove(unready + 1_300, peer)
    }
    for (const [index, peer] of pods.entries()) {
      const ready = at('10:13:38') + index * 3_700
      peer.facts.push({ at: ready, what: 'Ready True' })
      endpoints.add(ready + 1_200, peer)
    }
    simulation.load = service => (service.name === SERVICE ? 5.5 : 1)
    simulation.behaviour = ({ request, at: ms }) => {
      if (request.service.name !== SERVICE || ms < BROKEN_FROM || ms > BROKEN_FROM + 40_000 || random.chance(0.2))
        return null
      return { kind: 'answer', ms: random.integer(30, 2_100), status: 500, bytes: random.integer(88, 131) }
    }
    simulation.runTraffic()
    const recovered = at('10:13:38')
    for (let ms = BROKEN_FROM + 21_300; ms < recovered; ms += random.integer(3_400, 41_000))
      noActiveEndpoint(simulation, ms, SERVICE)
    scanners(simulation, 2.5)
    for (const clock of ['10:03:33', '10:11:02', '10:16:48'])
      answeredByNginx(simulation, at(clock) + 640, 'https_redirect')
    answeredByNginx(simulation, at('10:05:21') + 77, 'too_large')
    answeredByNginx(simulation, at('10:19:02') + 318, 'bad_line')
    changeIngress(simulation, at('10:09:58') + 10, 'shop/storefront')
    simulation.tell = shop => {
      shop.changeIngress(at('10:09:58') + 10, 'shop/storefront')
      for (const [index, peer] of pods.entries()) {
        const unready = BROKEN_FROM + 13_000 + index * 3_400
        const ready = recovered + index * 3_700
        shop.planEvents(unready - 10_000, ready - 2_000, 5_000, () => shop.pod(peer), {
          reason: 'Unhealthy',
          message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
          type: 'Warning',
          container: 'api'
        })
        shop.planReady(peer, unready, false)
        shop.planReady(peer, ready, true)
      }
    }
    return simulation
  }
}
