import { answeredByNginx, changeIngress, scanners } from './background.ts'
import type { Peer } from './cluster.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { at } from './times.ts'

const SERVICE = 'blog/web'

/** The Service points at a port nobody listens on: every try at every address is refused. */
export const wrongTargetPort: Incident = {
  name: 'wrong-target-port',
  service: SERVICE,
  frame: 'plain',
  state: 'recording',
  // In the two seconds before the port is corrected the state may already be the later one.
  spikes: { connection_refused: '10:08' },
  reasons: { connection_refused: { rootCause: 'target_port_mismatch', shareMin: 0.98 } },
  story:
    'A release of blog/web at 10:08:02 sets targetPort to 8081 while the container listens on 8080. Every request is refused three times, alternating between the two pods, and by one and the same address after somebody scales down to one pod at 10:12:30. ' +
    'The port is corrected at 10:15:40 and a second pod follows half a minute later.',
  simulate() {
    const simulation = new Simulation('wrong-target-port', { startMs: at('10:00:00'), minutes: 24, controllers: 1 })
    const endpoints = simulation.endpoints.get(SERVICE)!
    const [first, second] = endpoints.all as [Peer, Peer]
    const elsewhere = (peer: Peer): Peer => ({
      ...peer,
      address: peer.address.replace(':8080', ':8081'),
      downs: [{ from: 0, to: Number.POSITIVE_INFINITY, kind: 'refused' }],
      facts: [{ at: at('10:08:02'), what: 'Service targetPort 8081; the container listens on 8080 only' }]
    })
    const [firstWrong, secondWrong] = [elsewhere(first), elsewhere(second)]
    second.to = at('10:12:30')
    secondWrong.to = second.to
    const third = simulation.newPod(SERVICE, first.pod.split('-')[1]!, at('10:15:52'), [first, second])
    endpoints.set(at('10:08:02') + 640, [firstWrong, secondWrong])
    endpoints.set(at('10:12:30') + 710, [firstWrong])
    endpoints.set(at('10:15:40') + 530, [first])
    endpoints.set(at('10:16:11') + 120, [first, third])

    simulation.load = service => (service.name === SERVICE ? 4.5 : 1)
    simulation.runTraffic()
    scanners(simulation, 2.5)
    for (const clock of ['10:01:09', '10:09:31', '10:10:40', '10:21:12'])
      answeredByNginx(simulation, at(clock) + 402, 'https_redirect')
    answeredByNginx(simulation, at('10:18:33') + 81, 'header_timeout')
    changeIngress(simulation, at('10:07:59') + 300, 'blog/web')
    changeIngress(simulation, at('10:15:37') + 120, 'blog/web')
    simulation.tell = shop => {
      const app = shop.app(SERVICE)
      const setPort = (ms: number, targetPort: number): void => {
        shop.api.plan(ms, () => {
          app.service.spec!.ports![0]!.targetPort = targetPort
          shop.api.changed(app.service)
        })
        shop.planSettle(SERVICE, ms + 140)
      }
      shop.changeIngress(at('10:07:59') + 300, SERVICE)
      setPort(at('10:08:02'), 8081)
      shop.planScale(SERVICE, at('10:12:30'), 1)
      shop.planStop(second, at('10:12:30'), at('10:12:30') + 400)
      shop.changeIngress(at('10:15:37') + 120, SERVICE)
      setPort(at('10:15:40'), 8080)
      shop.planScale(SERVICE, at('10:15:51') + 900, 2)
      shop.planStart(third, at('10:15:52'), at('10:16:10'))
    }
    return simulation
  }
}
