import { describe, expect, test } from 'vitest'
import type { Shop, ShopOptions } from '../support/caseBuilder.ts'
import { APP, excluded, paths, verdictOn } from '../support/containerVerdict.ts'
import { podMetrics } from '../support/extraObjects.ts'
import { webContainer } from '../support/podMaker.ts'
import { containerStatus, setCondition } from '../support/podState.ts'

const BARE: ShopOptions = { containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 8080 }] }] }
const PROBED = 'nginx.ingress.kubernetes.io/'
const CPU: ShopOptions = { containers: [webContainer('app', { resources: { limits: { cpu: '500m' } } })] }
const SLOW = { detail: { upstream_response_time: '60.001' } }

/** `app` without a probe on its port, told something on its command line or in its environment. */
function told(changes: object): ShopOptions {
  return { containers: [{ name: 'app', image: 'app:1', ports: [{ containerPort: 8080 }], ...changes }] }
}

function refused(shop: Shop): void {
  shop.fails('connection_refused', shop.pods[0])
}

const REFUSED: [name: string, cause: string, tell: (shop: Shop) => void, options: ShopOptions][] = [
  ['nothing accepts on the declared port', 'app_not_listening', refused, BARE],
  ['bound to the loopback address', 'app_not_listening', refused, told({ args: ['--bind', '127.0.0.1:8080'] })],
  ['a passing probe on that very port rules it out', 'undetermined', refused, APP],
  ['fresh, without a probe', 'readiness_probe_missing', refused, { ...BARE, podsCreated: -9 }],
  [
    'fresh, with a startup probe',
    'undetermined',
    refused,
    { ...told({ startupProbe: { tcpSocket: { port: 8080 } } }), podsCreated: -14 }
  ],
  [
    'started twice: nothing fresh',
    'app_crash',
    shop => {
      shop.restarts(shop.pods[0], { reason: 'Error', exitCode: 1, at: -4, up: -2, ready: -1 })
      refused(shop)
    },
    BARE
  ],
  [
    'the Service publishes a pod that is not ready',
    'publish_not_ready',
    shop => {
      shop.service.spec.publishNotReadyAddresses = true
      shop.unready(shop.pods[0], -300)
      refused(shop)
    },
    APP
  ],
  [
    'the Service publishes unready pods, and this one was Ready',
    'undetermined',
    shop => {
      shop.service.spec.publishNotReadyAddresses = true
      refused(shop)
    },
    APP
  ],
  [
    'unready for five seconds: the proxy does not know yet',
    'readiness_failing',
    shop => {
      shop.unready(shop.pods[0], -5)
      refused(shop)
    },
    APP
  ]
]

describe('why a pod refuses', () => {
  test.each(REFUSED)('%s: %s', (_name, cause, tell, options) => {
    expect(verdictOn(tell, options)).toMatchObject({ root_cause: cause })
  })

  test.each([
    ['an argument', { args: ['--bind', '127.0.0.1:8080'] }, 0.9],
    ['a variable', { env: [{ name: 'HOST', value: 'localhost' }] }, 0.9],
    ['a database on the loopback address', { env: [{ name: 'DB_HOST', value: 'localhost' }] }, 0.75],
    ['another port on the loopback address', { args: ['--statsd', '127.0.0.1:8125'] }, 0.75]
  ])('how sure it is that nothing listens: %s', (_name, changes, confidence) => {
    const supports = 0.03
    expect(verdictOn(refused, told(changes))).toMatchObject({
      root_cause: 'app_not_listening',
      confidence: confidence + supports
    })
  })
})

describe('why a pod is slow', () => {
  test('the timeout of the Ingress ran out', () => {
    const verdict = verdictOn(shop => {
      shop.ingress.metadata.annotations = { [`${PROBED}proxy-read-timeout`]: '20' }
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '20.002' } })
    })
    expect(verdict.root_cause).toBe('app_slow')
    expect(paths(verdict)).toContain(`metadata.annotations[${PROBED}proxy-read-timeout]=20`)
  })

  test('not the timeout ended it', () => {
    const verdict = verdictOn(shop =>
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '20.002' } })
    )
    expect(verdict.root_cause).toBe('undetermined')
    expect(excluded(verdict)).toContain('app_slow')
  })

  test.each([
    ['480m', -20, 'cpu_saturated'],
    ['480m', -300, 'app_slow'],
    ['200m', -20, 'app_slow']
  ])('%s of 500m, measured at %i s: %s', (cpu, at, cause) => {
    const verdict = verdictOn(shop => {
      shop.add(podMetrics(shop.pods[0], { app: cpu }, shop.at(at)))
      shop.fails('read_timeout', shop.pods[0], SLOW)
    }, CPU)
    expect(verdict.root_cause).toBe(cause)
  })

  test('a database without a ready pod is deeper than the wait for it, and its own cause is in the chain', () => {
    const verdict = verdictOn(
      shop => {
        const owner = shop.addWorkload('StatefulSet', 'orders-db')
        shop.addService('orders-db', { app: 'orders-db' })
        const database = shop.addPod(owner)
        shop.backsOff(database, { reason: 'OOMKilled', exitCode: 137, at: -30, restarts: 4, unready: -300 })
        shop.fails('read_timeout', shop.pods[0], SLOW)
      },
      { containers: [webContainer('app', { env: [{ name: 'DATABASE_HOST', value: 'orders-db:5432' }] })] }
    )
    expect(verdict).toMatchObject({ root_cause: 'dependency_down', ref: expect.stringContaining('orders-db') })
    expect(verdict.chain).toEqual(expect.arrayContaining(['read_timeout', 'app_slow', 'oom_killed', 'dependency_down']))
    expect(paths(verdict)).toContain('spec.containers[app].env[DATABASE_HOST].value=orders-db:5432')
  })

  test('a database that is ready is no cause', () => {
    const verdict = verdictOn(
      shop => {
        shop.addService('orders-db', { app: 'orders-db' })
        shop.addPod(shop.addWorkload('StatefulSet', 'orders-db'))
        shop.fails('read_timeout', shop.pods[0], SLOW)
      },
      { containers: [webContainer('app', { env: [{ name: 'DATABASE_HOST', value: 'orders-db' }] })] }
    )
    expect(verdict.root_cause).toBe('app_slow')
    expect(excluded(verdict)).toContain('dependency_down')
  })

  test('two dependencies that need each other are asked once', () => {
    const needs = (name: string) => [webContainer('app', { env: [{ name: 'PEER', value: name }] })]
    const verdict = verdictOn(
      shop => {
        shop.addService('peer', { app: 'peer' })
        const peer = shop.addPod(shop.addWorkload('Deployment', 'peer', { containers: needs(shop.app) }))
        shop.unready(peer, -300)
        for (const pod of shop.pods) shop.unready(pod, -300)
        shop.fails('no_endpoints', null)
      },
      { containers: needs('peer') }
    )
    expect(verdict.root_cause).toBe('dependency_down')
    expect(verdict.chain).toContain('readiness_failing')
  })
})

describe('what a pod answers', () => {
  const failed = { detail: { upstream_status: '500', upstream_response_time: '0.030' } }

  test('its own 5xx', () => {
    const verdict = verdictOn(shop => shop.fails('upstream_error', shop.pods[0], failed))
    expect(verdict).toMatchObject({ root_cause: 'app_error', confidence: 0.55, variant: null })
  })

  test('its own 5xx, soon after a rollout', () => {
    const verdict = verdictOn(shop => {
      const { metadata } = shop.replicaSet!
      metadata.creationTimestamp = shop.at(-600)
      shop.fails('upstream_error', shop.pods[0], failed)
    })
    expect(verdict).toMatchObject({ root_cause: 'app_error', variant: 'after_rollout', confidence: 0.7 })
    expect(paths(verdict)).toContainEqual(expect.stringContaining('[deployment.kubernetes.io/revision]='))
  })

  test('no HTTP', () => {
    const error = 'upstream sent invalid header while reading response header from upstream'
    const verdict = verdictOn(shop => shop.fails('invalid_response', shop.pods[0], { detail: { error } }))
    expect(verdict.root_cause).toBe('app_invalid_response')
  })

  test('headers larger than the buffer', () => {
    const verdict = verdictOn(shop => {
      shop.ingress.metadata.annotations = { [`${PROBED}proxy-buffer-size`]: '8k' }
      shop.fails('header_too_big', shop.pods[0])
    })
    expect(verdict.root_cause).toBe('proxy_buffer_too_small')
    expect(paths(verdict)).toContain(`metadata.annotations[${PROBED}proxy-buffer-size]=8k`)
  })

  test.each([
    ['uvicorn', { args: ['--timeout-keep-alive', '5'] }, '0.001', 'keepalive_mismatch'],
    ['milliseconds', { env: [{ name: 'KEEP_ALIVE_TIMEOUT_MS', value: '65000' }] }, '0.001', 'undetermined'],
    ['as thousands', { env: [{ name: 'KEEPALIVE_TIMEOUT', value: '5000' }] }, '0.001', 'keepalive_mismatch'],
    ['a default', { command: ['gunicorn', 'app:app'] }, '0.001', 'keepalive_mismatch'],
    ['longer than nginx', { args: ['--keep-alive', '75'] }, '0.001', 'undetermined'],
    ['an answer that took a while', { args: ['--timeout-keep-alive', '5'] }, '0.300', 'undetermined'],
    ['of TCP', { args: ['--tcp-keepalive', '5'] }, '0.001', 'undetermined']
  ])('closes idle connections: %s', (_name, changes, took, cause) => {
    const verdict = verdictOn(
      shop => shop.fails('premature_close', shop.pods[0], { detail: { method: 'POST', upstream_response_time: took } }),
      { containers: [webContainer('app', { image: 'app:1', ...changes })] }
    )
    expect(verdict.root_cause).toBe(cause)
  })

  test('an idle timeout explains nothing while the pod goes away', () => {
    const verdict = verdictOn(
      shop => {
        const [pod] = shop.pods
        setCondition(pod, 'Ready', 'True', shop.at(-3600))
        containerStatus(pod).restartCount = 1
        shop.restarts(pod, { reason: 'Error', exitCode: 1, at: -1, up: 2, ready: 9 })
        shop.fails('premature_close', pod, { detail: { upstream_response_time: '0.001' } })
      },
      { containers: [webContainer('app', { args: ['--timeout-keep-alive', '5'] })] }
    )
    expect(verdict.root_cause).toBe('app_crash')
    expect(excluded(verdict)).toContain('keepalive_mismatch')
  })
})
