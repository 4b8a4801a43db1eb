import { describe, expect, test } from 'vitest'
import type { Shop, ShopOptions } from '../support/caseBuilder.ts'
import { APP, excluded, paths, verdictOn } from '../support/containerVerdict.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'
import { containerStatus, neverStart, setCondition } from '../support/podState.ts'

const ONE: ShopOptions = { ...APP, replicas: 1, podsCreated: -600 }
const NOT_READY = { ...APP, replicas: 1 }
const SAYS_503 = 'Readiness probe failed: HTTP probe failed with statuscode: 503'

/** An init container in some state, and nothing else started. */
function waitsForInit(shop: Shop, state: object, changes: object = {}): PodObject {
  const [pod] = shop.pods
  neverStart(pod, 'PodInitializing')
  pod.spec.initContainers = [{ name: 'migrate', image: 'x', ...changes }]
  const base = containerStatus(pod)
  pod.status.initContainerStatuses = [{ ...base, name: 'migrate', restartCount: 0, state, lastState: {} }]
  setCondition(pod, 'Initialized', 'False', shop.at(-600))
  return pod
}

const CASES: [name: string, cause: string, tell: (shop: Shop) => void, options?: ShopOptions][] = [
  [
    'an image of a tag that is not there',
    'image_pull_failed',
    shop => neverStart(shop.pods[0], 'ImagePullBackOff', 'Back-off pulling image "x": not found')
  ],
  [
    'a ConfigMap that is not there',
    'config_missing',
    shop => neverStart(shop.pods[0], 'CreateContainerConfigError', 'configmap "app-config" not found')
  ],
  [
    'a Secret to mount that is not there',
    'config_missing',
    shop => {
      neverStart(shop.pods[0], 'ContainerCreating')
      const message = 'MountVolume.SetUp failed for volume "tls" : secret "app-tls" not found'
      shop.addEvent(shop.pods[0], 'FailedMount', message, { first: -590, last: 30 })
    }
  ],
  [
    'an entrypoint that is not there',
    'container_start_failed',
    shop => neverStart(shop.pods[0], 'RunContainerError', 'exec: "/srv": no such file or directory')
  ],
  [
    'an init container that goes on and on',
    'init_container_stuck',
    shop => waitsForInit(shop, { running: { startedAt: shop.at(-590) } })
  ],
  [
    'an init container that keeps failing',
    'init_container_stuck',
    shop => waitsForInit(shop, { waiting: { reason: 'CrashLoopBackOff' } })
  ],
  [
    'read backwards: the init container came to its end after T',
    'init_container_stuck',
    shop => {
      const pod = waitsForInit(shop, {
        terminated: { reason: 'Completed', exitCode: 0, startedAt: shop.at(-590), finishedAt: shop.at(30) }
      })
      containerStatus(pod).state = { running: { startedAt: shop.at(32) } }
      setCondition(pod, 'Initialized', 'True', shop.at(31))
      setCondition(pod, 'Ready', 'True', shop.at(45))
    }
  ],
  [
    'the image of an init container: deeper than that it does not end',
    'image_pull_failed',
    shop => waitsForInit(shop, { waiting: { reason: 'ErrImagePull', message: 'unauthorized' } })
  ],
  [
    'the readiness probe says 503',
    'readiness_failing',
    shop => {
      shop.unready(shop.pods[0], -240)
      shop.addEvent(shop.pods[0], 'Unhealthy', SAYS_503, { first: -270, last: 8, container: 'app' })
    }
  ],
  ['no Event of the probe is left', 'readiness_failing', shop => shop.unready(shop.pods[0], -7200)],
  [
    'read backwards: Ready again after T',
    'readiness_failing',
    shop => {
      const [pod] = shop.pods
      setCondition(pod, 'Ready', 'True', shop.at(40))
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -270, last: 30, container: 'app' })
    },
    NOT_READY
  ],
  [
    'the sidecar is not ready, the app is',
    'readiness_failing',
    shop => shop.unready(shop.pods[0], -240, 'istio-proxy'),
    { containers: [webContainer('app'), webContainer('istio-proxy', { ports: [] })], replicas: 1 }
  ],
  [
    'a readiness gate that a load balancer has not met',
    'readiness_failing',
    shop => {
      const [pod] = shop.pods
      pod.spec.readinessGates = [{ conditionType: 'lb.example.com/ready' }]
      setCondition(pod, 'Ready', 'False', shop.at(-590), { reason: 'ReadinessGatesNotReady' })
    }
  ],
  [
    'the readiness probe asks a path that is not there',
    'readiness_probe_misconfigured',
    shop => {
      shop.unready(shop.pods[0], -590)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 404'
      shop.addEvent(shop.pods[0], 'Unhealthy', message, { first: -580, last: 8, container: 'app' })
    }
  ],
  [
    'the readiness probe asks a port that nobody declares',
    'readiness_probe_misconfigured',
    shop => {
      shop.unready(shop.pods[0], -590)
      const message = 'Readiness probe failed: Get "http://10.0.0.1:9090/ready": dial tcp: connect: connection refused'
      shop.addEvent(shop.pods[0], 'Unhealthy', message, { first: -580, last: 8, container: 'app' })
    },
    { ...ONE, web: {}, containers: [webContainer('app', { readinessProbe: { httpGet: { path: '/', port: 9090 } } })] }
  ],
  [
    'refused on the declared port: the app is not ready, the probe is right',
    'readiness_failing',
    shop => {
      shop.unready(shop.pods[0], -590)
      const message = 'Readiness probe failed: Get "http://10.0.0.1:8080/ready": dial tcp: connect: connection refused'
      shop.addEvent(shop.pods[0], 'Unhealthy', message, { first: -580, last: 8, container: 'app' })
    }
  ],
  [
    'a liveness probe that gets 404 says nothing of readiness',
    'readiness_failing',
    shop => {
      shop.unready(shop.pods[0], -590)
      const message = 'Liveness probe failed: HTTP probe failed with statuscode: 404'
      shop.addEvent(shop.pods[0], 'Unhealthy', message, { first: -580, last: 8, container: 'app' })
    }
  ]
]

describe('why no pod of a Service is ready', () => {
  test.each(CASES)('%s: %s', (_name, cause, tell, options) => {
    const verdict = verdictOn(shop => {
      tell(shop)
      shop.fails('no_endpoints', null)
    }, options ?? ONE)
    expect(verdict).toMatchObject({ root_cause: cause })
  })

  test.each([
    ['rate_limit', 'toomanyrequests: You have reached your pull rate limit'],
    ['auth', 'pull access denied, repository does not exist or may require authorization'],
    ['not_found', 'failed to resolve reference "x": not found'],
    ['network', 'dial tcp: lookup registry.example.com: no such host']
  ])('an image that cannot be pulled: %s', (variant, message) => {
    const verdict = verdictOn(shop => {
      neverStart(shop.pods[0], 'ErrImagePull', message)
      shop.fails('no_endpoints', null)
    }, ONE)
    expect(verdict).toMatchObject({ root_cause: 'image_pull_failed', variant })
  })

  test('with another Ready pod an image is only a stuck rollout', () => {
    const verdict = verdictOn(
      shop => {
        neverStart(shop.pods[0], 'ErrImagePull', 'not found')
        shop.fails('no_endpoints', null)
      },
      { ...ONE, replicas: 2 }
    )
    expect(verdict.root_cause).not.toBe('image_pull_failed')
    expect(excluded(verdict)).toContain('image_pull_failed')
  })

  test('a missing ConfigMap is cited with who refers to it, and as absent only where ConfigMaps are known', () => {
    const tell = (shop: Shop): void => {
      const [pod] = shop.pods
      neverStart(pod, 'CreateContainerConfigError', 'configmap "app-config" not found')
      pod.spec.containers[0]!.envFrom = [{ configMapRef: { name: 'app-config' } }]
      shop.fails('no_endpoints', null)
    }
    const known = verdictOn(tell, ONE)
    expect(known.evidence.map(({ cite }) => cite)).toContainEqual(
      expect.stringMatching(/^ConfigMap .*app-config absent$/)
    )
    expect(paths(known)).toContain('spec.containers[app].envFrom[app-config].configMapRef.name=app-config')
    const unknown = verdictOn(tell, ONE, ['ConfigMap'])
    expect(unknown.root_cause).toBe('config_missing')
    expect(unknown.evidence.map(({ cite }) => cite)).not.toContainEqual(expect.stringMatching(/absent$/))
  })

  test('most pods decide', () => {
    const verdict = verdictOn(
      shop => {
        const [first, ...others] = shop.pods
        shop.backsOff(first, { reason: 'OOMKilled', exitCode: 137, at: -30, restarts: 4, unready: -300 })
        for (const pod of others) shop.unready(pod, -240)
        shop.fails('no_endpoints', null)
      },
      { ...ONE, replicas: 3 }
    )
    expect(verdict.root_cause).toBe('readiness_failing')
    expect(verdict.alternatives).toMatchObject([{ root_cause: 'oom_killed' }])
    expect(verdict.alternatives[0]!.confidence).toBeLessThan(0.85)
  })

  test('unready without an Event of the probe: nothing says why, so it is less sure', () => {
    const tell = (hasEvent: boolean) => (shop: Shop) => {
      shop.unready(shop.pods[0], -240)
      if (hasEvent) shop.addEvent(shop.pods[0], 'Unhealthy', SAYS_503, { first: -270, last: 8, container: 'app' })
      shop.fails('no_endpoints', null)
    }
    expect(verdictOn(tell(true), ONE).confidence).toBeGreaterThanOrEqual(0.85)
    expect(verdictOn(tell(false), ONE).confidence).toBeLessThan(0.85)
  })

  test('a native sidecar keeps the pod out as well', () => {
    const verdict = verdictOn(shop => {
      const [pod] = shop.pods
      shop.unready(pod, -300, 'app')
      const app = containerStatus(pod)
      app.ready = true
      pod.spec.initContainers = [{ name: 'mesh', image: 'mesh:1', restartPolicy: 'Always' }]
      const terminated = { reason: 'OOMKilled', exitCode: 137, startedAt: shop.at(-90), finishedAt: shop.at(-30) }
      const state = { waiting: { reason: 'CrashLoopBackOff' } }
      pod.status.initContainerStatuses = [
        { ...app, name: 'mesh', ready: false, restartCount: 5, state, lastState: { terminated } }
      ]
      shop.fails('no_endpoints', null)
    }, ONE)
    expect(verdict.root_cause).toBe('oom_killed')
    expect(paths(verdict)).toContain('status.initContainerStatuses[mesh].lastState.terminated.reason=OOMKilled')
  })
})
