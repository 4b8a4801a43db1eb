import { changeIngress, failReload, scanners } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { failingReload, starve } from './state/searchIndex.ts'
import { at } from './times.ts'

const SERVICE = 'search/query'

/** Multiples of the usual latency, between which it grows evenly (in powers). */
const SLOWNESS: readonly (readonly [clock: string, factor: number])[] = [
  ['10:04:30', 1],
  ['10:07:00', 30],
  ['10:09:00', 300],
  ['10:10:30', 800],
  ['10:16:00', 800],
  ['10:18:00', 60],
  ['10:19:00', 1]
]

function slownessAt(ms: number): number {
  const next = SLOWNESS.findIndex(([clock]) => at(clock) > ms)
  if (next < 1) return 1
  const [fromClock, from] = SLOWNESS[next - 1]!
  const [toClock, to] = SLOWNESS[next]!
  return from * (to / from) ** ((ms - at(fromClock)) / (at(toClock) - at(fromClock)))
}

/** Answers come later and later: clients leave at their own limits, nginx at 60 s a try. */
export const slowDependency: Incident = {
  name: 'slow-dependency',
  service: SERVICE,
  frame: 'kubectl',
  state: 'recording',
  spikes: { client_closed: '10:08', read_timeout: '10:10' },
  reasons: { read_timeout: { rootCause: 'dependency_down' } },
  story:
    'The index that search/query asks is starved from 10:04:30; its answers need seconds, then minutes, until 10:18. nginx gives up after 60 s a try: POST fails with one 504, GET after three tries and 180 s. ' +
    'Many clients leave earlier (people after some seconds, programs at 30, 60 or 100 s: 499, also in the middle of a second try), and some second tries succeed. ' +
    'Beside it another team ships an Ingress that nginx refuses at 10:12: reload errors of several lines that have nothing to do with it.',
  simulate() {
    const simulation = new Simulation('slow-dependency', {
      startMs: at('10:00:00'),
      minutes: 30,
      controllers: 2,
      without: ['blog/web']
    })
    const { random } = simulation
    for (const peer of simulation.endpoints.get(SERVICE)!.all) {
      peer.facts.push(
        { at: at('10:04:30'), what: 'waits for search/index:9300, which is starved of CPU' },
        { at: at('10:18:30'), what: 'answers in time again' }
      )
    }
    simulation.load = service => (service.name === SERVICE ? 2.6 : 0.8)
    simulation.slowness = (peer, ms) => (peer.service === SERVICE ? slownessAt(ms) : 1)
    simulation.patience = (service, _route, client) => {
      if (service.name !== SERVICE) return null
      if (client.browser)
        return random.chance(0.4) ? Math.round(random.logNormal(14_000, 0.6)) : Number.POSITIVE_INFINITY
      if (client.agent.startsWith('okhttp') || client.agent.startsWith('ShopApp')) return 30_000 - random.integer(8, 90)
      if (client.agent.startsWith('python')) return 60_000 - random.integer(8, 60)
      return client.agent.startsWith('Go') ? 100_000 - random.integer(8, 40) : Number.POSITIVE_INFINITY
    }
    simulation.runTraffic()
    scanners(simulation, 1.5)
    for (const clock of ['10:12:04', '10:12:15', '10:12:36']) failReload(simulation, at(clock) + 160, 'media/img')
    changeIngress(simulation, at('10:14:49') + 700, 'media/img')
    simulation.tell = shop => {
      starve(shop, at('10:07:04'), at('10:18:30'))
      for (const clock of ['10:12:04', '10:12:15', '10:12:36']) failingReload(shop, at(clock) + 900)
      shop.changeIngress(at('10:12:03') + 900, 'media/img', { 'custom-http-errors': '404' })
      shop.changeIngress(at('10:14:49') + 700, 'media/img', { 'custom-http-errors': null })
    }
    return simulation
  }
}
