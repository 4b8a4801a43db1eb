import { answeredByNginx, changeIngress, scanners } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { at } from './times.ts'

const SERVICE = 'account/portal'

/** nginx speaks TLS to a port that speaks plain HTTP, from one reload to the next. */
export const upstreamTls: Incident = {
  name: 'upstream-tls',
  service: SERVICE,
  frame: 'docker',
  state: 'recording',
  // In the two seconds before the annotation is taken back the state may already be the later one.
  spikes: { upstream_tls_handshake: '10:06' },
  reasons: { upstream_tls_handshake: { rootCause: 'backend_protocol_mismatch', shareMin: 0.97 } },
  story:
    'At 10:06:30 somebody sets backend-protocol: HTTPS on the Ingress of account/portal, whose pods speak plain HTTP on 3000. From the reload on every handshake fails with "wrong version number", three tries a request, POST included because nothing was sent yet. ' +
    'The annotation is taken back at 10:14:05.',
  simulate() {
    const simulation = new Simulation('upstream-tls', {
      startMs: at('10:00:00'),
      minutes: 20,
      controllers: 1,
      without: ['search/query']
    })
    const { random } = simulation
    const controller = simulation.controllers[0]!
    const from = changeIngress(simulation, at('10:06:30') + 210, SERVICE).get(controller)!
    const to = changeIngress(simulation, at('10:14:05') + 480, SERVICE).get(controller)!
    const isTls = (ms: number): boolean => from <= ms && ms < to
    for (const peer of simulation.endpoints.get(SERVICE)!.all) {
      peer.facts.push(
        { at: from, what: 'nginx speaks HTTPS to it; it speaks HTTP' },
        { at: to, what: 'nginx speaks HTTP again' }
      )
    }
    simulation.load = service => (service.name === SERVICE ? 3.6 : 0.9)
    simulation.scheme = (service, ms) => (service.name === SERVICE && isTls(ms) ? 'https' : 'http')
    simulation.behaviour = ({ request, at: ms }) =>
      request.service.name === SERVICE && isTls(ms)
        ? { kind: 'fault', ms: random.integer(1, 4), cause: 'upstream_tls_handshake' }
        : null
    simulation.runTraffic()
    scanners(simulation, 2.5)
    for (const clock of ['10:02:51', '10:08:20', '10:17:03'])
      answeredByNginx(simulation, at(clock) + 55, 'https_redirect')
    answeredByNginx(simulation, at('10:11:10') + 913, 'too_large')
    simulation.tell = shop => {
      shop.changeIngress(at('10:06:30') + 210, SERVICE, { 'backend-protocol': 'HTTPS' })
      shop.changeIngress(at('10:14:05') + 480, SERVICE, { 'backend-protocol': null })
    }
    return simulation
  }
}
