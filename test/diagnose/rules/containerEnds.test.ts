import { describe, expect, test } from 'vitest'
import type { Shop, ShopOptions } from '../support/caseBuilder.ts'
import { APP, excluded, paths, verdictOn } from '../support/containerVerdict.ts'
import { webContainer } from '../support/podMaker.ts'
import { becomeReady, containerStatus, setCondition } from '../support/podState.ts'

const ONE: ShopOptions = { ...APP, replicas: 1 }
const OOM = { reason: 'OOMKilled', exitCode: 137 }
const ERROR = { reason: 'Error', exitCode: 1 }
const LIVENESS = 'Container app failed liveness probe, will be restarted'
const MESH: ShopOptions = { containers: [webContainer('app'), webContainer('istio-proxy', { ports: [] })], replicas: 1 }

/** A snapshot two minutes later tells only of an end after T, in a loop that goes on since long before. */
function loopSeenLater(shop: Shop, exit: { reason: string; exitCode: number }): void {
  const [pod] = shop.pods
  shop.backsOff(pod, { ...exit, startedAt: 30, at: 35, restarts: 9, unready: -1200 })
  shop.addEvent(pod, 'BackOff', 'Back-off restarting failed container app in pod x', { first: -1190, last: 90 })
}

const CASES: [name: string, cause: string, tell: (shop: Shop) => void, options?: ShopOptions][] = [
  [
    'an OOM kill just before',
    'oom_killed',
    shop => {
      shop.restarts(shop.pods[0], { ...OOM, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', shop.pods[0])
    }
  ],
  [
    'a loop of OOM kills, seen later: deeper than the loop',
    'oom_killed',
    shop => {
      loopSeenLater(shop, OOM)
      shop.fails('no_endpoints', null)
    },
    ONE
  ],
  [
    'exit code 143 is SIGTERM, whatever the count of OOM kills says',
    'app_crash',
    shop => {
      shop.restarts(shop.pods[0], { reason: 'OOMKilled', exitCode: 143, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', shop.pods[0])
    }
  ],
  [
    'the sidecar was OOM-killed and is back; the app is not ready',
    'readiness_failing',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...OOM, container: 'istio-proxy', at: -60, up: -57, ready: -50 })
      shop.unready(pod, -300, 'app')
      shop.fails('no_endpoints', null)
    },
    MESH
  ],
  [
    'an OOM kill after the failure is none of its business',
    'app_crash',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...ERROR, at: -2, up: 1, ready: 10 })
      shop.saw('ADDED', pod, 15)
      shop.restarts(pod, { ...OOM, at: 60, up: 62, ready: 70 })
      shop.fails('premature_close', pod)
    }
  ],
  [
    'a loop that the snapshot tells of an end after T',
    'crash_loop',
    shop => {
      loopSeenLater(shop, ERROR)
      shop.fails('no_endpoints', null)
    },
    ONE
  ],
  [
    'the loop began when the pod became unready, seconds after the refusal',
    'crash_loop',
    shop => {
      const [pod] = shop.pods
      shop.backsOff(pod, { ...ERROR, startedAt: 30, at: 35, restarts: 4, unready: 1 })
      shop.fails('connection_refused', pod)
    }
  ],
  [
    'one exit 0 of a server',
    'app_crash',
    shop => {
      shop.restarts(shop.pods[0], { reason: 'Completed', exitCode: 0, at: -1, up: 2, ready: 9 })
      shop.fails('connection_reset', shop.pods[0])
    }
  ],
  [
    'one exit where no endpoint is left: nothing better is known',
    'app_crash',
    shop => {
      shop.restarts(shop.pods[0], { ...ERROR, at: -3, up: 2, ready: 15 })
      shop.fails('no_endpoints', null)
    },
    ONE
  ],
  [
    'a kill by the liveness probe',
    'probe_restart',
    shop => {
      shop.addEvent(shop.pods[0], 'Killing', LIVENESS, { first: -31, container: 'app' })
      shop.restarts(shop.pods[0], { reason: 'Error', exitCode: 137, at: -1, up: 2, ready: 20 })
      shop.fails('premature_close', shop.pods[0])
    }
  ],
  [
    'kills before and after T, whose status tells only of the later',
    'probe_restart',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', LIVENESS, { first: -900, last: 70, container: 'app' })
      shop.restarts(pod, { reason: 'Error', exitCode: 137, startedAt: 10, at: 75, up: 78, ready: null })
      setCondition(pod, 'Ready', 'False', shop.at(-1000))
      shop.fails('no_endpoints', null)
    },
    ONE
  ],
  [
    'the probe killed the instance before; this one was OOM-killed',
    'oom_killed',
    shop => {
      shop.addEvent(shop.pods[0], 'Killing', LIVENESS, { first: -100, container: 'app' })
      shop.restarts(shop.pods[0], { ...OOM, startedAt: -60, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', shop.pods[0])
    }
  ],
  [
    'the probe of another container',
    'app_crash',
    shop => {
      shop.addEvent(shop.pods[0], 'Killing', LIVENESS.replace('app', 'istio-proxy'), { first: -5 })
      shop.restarts(shop.pods[0], { ...ERROR, container: 'app', at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', shop.pods[0])
    },
    MESH
  ],
  [
    'no such file: a start that fails, in a loop',
    'container_start_failed',
    shop => {
      const [pod] = shop.pods
      shop.backsOff(pod, { reason: 'Error', exitCode: 127, at: -40, restarts: 5, unready: -400 })
      shop.fails('no_endpoints', null)
    },
    ONE
  ],
  [
    'a process that never began has the epoch as its start',
    'container_start_failed',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'StartError', exitCode: 128, at: -40 }
      shop.backsOff(pod, { ...exit, restarts: 5, unready: -400 })
      containerStatus(pod).lastState.terminated!.startedAt = '1970-01-01T00:00:00Z'
      shop.fails('no_endpoints', null)
    },
    ONE
  ]
]

describe('why a container ended', () => {
  test.each(CASES)('%s: %s', (_name, cause, tell, options) => {
    expect(verdictOn(tell, options ?? APP)).toMatchObject({ root_cause: cause })
  })

  test('a loop that ends by OOM has the loop in its chain, and is less sure where T is read backwards', () => {
    const verdict = verdictOn(shop => {
      loopSeenLater(shop, OOM)
      shop.fails('no_endpoints', null)
    }, ONE)
    expect(verdict.chain).toEqual(['no_endpoints', 'crash_loop', 'oom_killed'])
    expect(verdict.confidence).toBeLessThan(0.85)
  })

  test('a pod that was Ready throughout is in no loop', () => {
    const verdict = verdictOn(shop => {
      const [pod] = shop.pods
      shop.backsOff(pod, { ...ERROR, startedAt: 80, at: 90, restarts: 4, unready: 60 })
      shop.fails('connection_refused', pod)
    })
    expect(verdict.root_cause).not.toBe('crash_loop')
    expect(excluded(verdict)).toContain('crash_loop')
  })

  test('an old OOM kill is told as excluded', () => {
    const verdict = verdictOn(shop => {
      shop.restarts(shop.pods[0], { ...OOM, at: -7200, up: -7198, ready: -7180 })
      shop.fails('connection_reset', shop.pods[0])
    })
    expect(verdict.root_cause).toBe('undetermined')
    expect(excluded(verdict)).toContain('oom_killed')
  })

  test('an end is cited wherever a version tells it', () => {
    const verdict = verdictOn(shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -3600)
      shop.ends(pod, { ...ERROR, message: 'panic', at: -2 })
      shop.saw('MODIFIED', pod, -1)
      const status = containerStatus(pod)
      status.lastState = status.state
      status.state = { running: { startedAt: shop.at(3) } }
      becomeReady(pod, shop.at(9))
      shop.fails('connection_refused', pod)
    })
    expect(verdict.root_cause).toBe('app_crash')
    expect(paths(verdict)).toEqual(
      expect.arrayContaining([
        'status.containerStatuses[app].lastState.terminated.exitCode=1',
        'status.containerStatuses[app].state.terminated.exitCode=1',
        'status.containerStatuses[app].lastState.terminated.message=panic'
      ])
    )
  })

  test('a SIGKILL of a container with a liveness probe may have been the probe: less sure without its Event', () => {
    const probed: ShopOptions = { containers: [webContainer('app', { livenessProbe: { tcpSocket: { port: 8080 } } })] }
    const tell = (exitCode: number) => (shop: Shop) => {
      shop.restarts(shop.pods[0], { reason: 'Error', exitCode, at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', shop.pods[0])
    }
    const killed = verdictOn(tell(137), probed)
    expect(killed.root_cause).toBe('app_crash')
    expect(killed.confidence).toBeLessThan(0.85)
    expect(verdictOn(tell(139), probed).confidence).toBeGreaterThanOrEqual(0.85)
    expect(verdictOn(tell(137), APP).confidence).toBeGreaterThanOrEqual(0.85)
  })
})
