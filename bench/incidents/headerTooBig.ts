import { answeredByNginx, changeIngress, metricsSocketGone, newLeader, scanners, streamSession } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { at } from './times.ts'

const SERVICE = 'account/portal'

/** One route sends more header than nginx's 4k buffer takes. */
export const headerTooBig: Incident = {
  name: 'header-too-big',
  service: SERVICE,
  frame: 'kubectl',
  state: 'recording',
  spikes: { header_too_big: '10:05' },
  reasons: { header_too_big: { rootCause: 'proxy_buffer_too_small' } },
  story:
    'A release of account/portal at 10:05 writes all groups of a user into the session cookie. People in many groups cannot sign in: the answer to /sso/callback has a header above the 4k of proxy-buffer-size, one try, 502; everything else works. ' +
    'proxy-buffer-size: 16k on the Ingress ends it at 10:21. Noise: a Lua traceback of the metrics timer, TCP sessions, a change of leader.',
  simulate() {
    const simulation = new Simulation('header-too-big', {
      startMs: at('10:00:00'),
      minutes: 28,
      controllers: 2,
      without: ['blog/web']
    })
    const { random } = simulation
    const fixed = changeIngress(simulation, at('10:21:03') + 330, SERVICE)
    const until = Math.min(...fixed.values())
    const settled = Math.max(...fixed.values())
    for (const peer of simulation.endpoints.get(SERVICE)!.all) {
      peer.facts.push(
        { at: at('10:05:00'), what: 'writes all groups into the session cookie' },
        { at: settled, what: 'proxy-buffer-size 16k in force' }
      )
    }
    simulation.load = service => (service.name === SERVICE ? 5.5 : 0.7)
    simulation.behaviour = ({ request, at: ms }) => {
      if (!request.uri.startsWith('/sso/callback') || ms < at('10:05:00') || ms >= until || random.chance(0.4))
        return null
      return { kind: 'fault', ms: random.integer(38, 140), cause: 'header_too_big' }
    }
    simulation.runTraffic()
    scanners(simulation, 1.8)
    for (const clock of ['10:07:41', '10:15:30']) answeredByNginx(simulation, at(clock) + 28, 'https_redirect')
    answeredByNginx(simulation, at('10:10:10') + 650, 'too_large')
    answeredByNginx(simulation, at('10:19:44') + 204, 'header_timeout')
    for (let ms = simulation.startMs + 12_903; ms < simulation.endMs; ms += random.integer(60_000, 260_000))
      streamSession(simulation, ms)
    metricsSocketGone(simulation, at('10:12:58') + 301)
    metricsSocketGone(simulation, at('10:13:01') + 302)
    newLeader(simulation, at('10:09:17') + 800)
    simulation.tell = shop => shop.changeIngress(at('10:21:03') + 330, SERVICE, { 'proxy-buffer-size': '16k' })
    return simulation
  }
}
