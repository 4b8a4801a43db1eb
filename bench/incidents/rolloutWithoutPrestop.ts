import { answeredByNginx, changeIngress, scanners } from './background.ts'
import type { Incident } from './incident.ts'
import { Simulation } from './simulation.ts'
import { type Replaced, replace } from './state/rollout.ts'
import { at } from './times.ts'

const SERVICE = 'shop/checkout'

const isBusy = (ms: number): boolean =>
  (ms > at('10:04:40') && ms < at('10:07:40')) || (ms > at('10:15:40') && ms < at('10:18:40'))

/** Pods leave faster than nginx hears of it: listener closed, then address gone, while still in the balancer. */
export const rolloutWithoutPrestop: Incident = {
  name: 'rollout-without-prestop',
  service: SERVICE,
  frame: 'kubectl',
  state: 'recording',
  // Of connections that break there are too few; so there are when it is rolled back.
  spikes: { connect_timeout: '10:05', host_unreachable: '10:05', connection_refused: '10:05' },
  reasons: {
    connection_refused: { rootCause: 'termination_race' },
    connection_reset: { rootCause: 'termination_race' },
    premature_close: { rootCause: 'termination_race' },
    // Told only when the try is given up after three or five seconds: by then the news should have arrived.
    host_unreachable: { rootCause: 'termination_race', shareMin: 0.5 },
    connect_timeout: { rootCause: 'termination_race', shareMin: 0 }
  },
  story:
    'shop/checkout is rolled out at 10:05 and rolled back at 10:16, six pods each time, one after another, without a preStop hook. ' +
    'On SIGTERM an old pod closes its listener and its connections at once (premature close, reset, then connection refused); seconds later its address is gone (host unreachable after about 3 s on some nodes, connect timeouts of 5 s on others), while nginx knows it 5 to 9 s longer than it lives. ' +
    'Retries on other pods mask nearly all of it; POSTs that were in flight fail.',
  simulate() {
    const simulation = new Simulation('rollout-without-prestop', {
      startMs: at('10:00:00'),
      minutes: 25,
      controllers: 2,
      without: ['search/query', 'account/portal']
    })
    const { random } = simulation
    const endpoints = simulation.endpoints.get(SERVICE)!
    let serving = [...endpoints.all]
    const changes: { at: number; apply: () => void }[] = []
    const replaced: Replaced[] = []
    for (const clock of ['10:05:04', '10:16:11']) {
      const template = random.hex(10)
      const next: typeof serving = []
      let now = at(clock)
      for (const old of serving) {
        const readyAt = now + random.integer(12_000, 17_000)
        const fresh = simulation.newPod(SERVICE, template, now + 1_400, [...serving, ...next])
        fresh.facts.push({ at: readyAt, what: 'Ready True' })
        next.push(fresh)
        changes.push({ at: readyAt + 1_100, apply: () => endpoints.add(readyAt + 1_100, fresh) })

        const toldToStop = readyAt + random.integer(300, 900)
        const goneAt = toldToStop + random.integer(1_600, 3_600)
        const forgottenAt = toldToStop + random.integer(5_200, 9_000)
        old.to = goneAt
        old.breaks.push({ at: toldToStop + 150, resets: 0.4 })
        old.downs.push({ from: toldToStop + 150, to: goneAt, kind: 'refused' })
        old.downs.push({
          from: goneAt,
          to: Number.POSITIVE_INFINITY,
          kind: old.node < 'worker-3' ? 'unreachable' : 'lost'
        })
        old.facts.push({ at: toldToStop, what: 'deleted by the rollout: SIGTERM, listener closed, no preStop hook' })
        old.facts.push({ at: goneAt, what: 'container exited, address released' })
        old.facts.push({ at: forgottenAt, what: 'out of the balancers' })
        changes.push({ at: forgottenAt, apply: () => endpoints.remove(forgottenAt, old) })
        replaced.push({ old, fresh, createdAt: now, readyAt, toldToStop, goneAt, forgottenAt })
        now = toldToStop + random.integer(500, 1_500)
      }
      serving = next
    }
    for (const change of changes.sort((a, b) => a.at - b.at)) change.apply()

    simulation.load = (service, ms) => {
      if (service.name !== SERVICE) return 0.8
      return isBusy(ms) ? 30 : 3
    }
    // Fresh pods are slow, and the old ones carry their load.
    simulation.slowness = (peer, ms) => (peer.service !== SERVICE ? 1 : isBusy(ms) ? 15 : 1.5)
    simulation.runTraffic()
    scanners(simulation, 2)
    for (const clock of ['10:02:17', '10:09:44', '10:19:08'])
      answeredByNginx(simulation, at(clock) + 93, 'https_redirect')
    answeredByNginx(simulation, at('10:12:40') + 512, 'bad_line')
    changeIngress(simulation, at('10:11:51') + 220, 'media/img')
    simulation.tell = shop => {
      for (const one of replaced) replace(shop, one)
      shop.changeIngress(at('10:11:51') + 220, 'media/img')
    }
    return simulation
  }
}
