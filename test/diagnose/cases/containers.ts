/** Which container it is about: the serving one, a sidecar, an init container. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import type { Container } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const OOM = { reason: 'OOMKilled', exitCode: 137 }
const SHIPPER = webContainer('log-shipper', { ports: [{ containerPort: 2020 }] })
const YOUNG = { podsCreated: -900, replicas: 1 }

/** A container that tells nothing of its port and its readiness. */
function bare(name: string): Container {
  const { readinessProbe: _readiness, ports: _ports, ...container } = webContainer(name)
  return container
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'serving-second',
    'the serving container is the second one: it declares the port',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...OOM, container: 'app', at: -2, up: 1, ready: 12 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} status.containerStatuses[app].lastState.terminated.reason=OOMKilled`],
        must_not: ['target_port_mismatch', 'app_not_listening']
      }
    },
    { containers: [SHIPPER, webContainer('app')] }
  ),

  shopCase(
    'serving-not-first',
    'the first container crashed, which serves another port; ours answers 500',
    shop => {
      const [pod] = shop.pods
      shop.ends(pod, { reason: 'Error', exitCode: 1, container: 'log-shipper', at: 1 })
      shop.fails('upstream_error', pod, { detail: { upstream_status: '500', upstream_response_time: '0.030' } })
      return { root_cause: 'app_error', must_not: ['app_crash', 'crash_loop', 'dependency_down'] }
    },
    { containers: [SHIPPER, webContainer('app')], now: 4 }
  ),

  shopCase(
    'serving-by-name',
    'no port is declared at all: it is the one that is not named like a sidecar',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { ...OOM, container: 'api', at: -2, up: 0, ready: 1 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(pod)} status.containerStatuses[api].lastState.terminated.reason=OOMKilled`],
        must_not: ['app_not_listening', 'readiness_probe_missing']
      }
    },
    { containers: [bare('linkerd-proxy'), bare('statsd-exporter'), bare('api')] }
  ),

  shopCase(
    'serving-by-probe',
    'no port is declared, but one container has a probe on it',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { reason: 'Error', exitCode: 139, container: 'api', at: -3, up: 0, ready: 9 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} status.containerStatuses[api].lastState.terminated.exitCode=139`],
        must_not: ['app_not_listening', 'oom_killed']
      }
    },
    {
      containers: [bare('worker'), { ...bare('api'), readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10 } }]
    }
  ),

  shopCase(
    'init-memory',
    'the init container runs out of memory, again and again',
    shop => {
      shop.waitsInInit(shop.pods[0], 'prepare', {
        reason: 'CrashLoopBackOff',
        message: 'back-off 5m0s restarting failed container=prepare'
      })
      const [pod] = shop.pods
      const terminated = { ...OOM, startedAt: shop.at(-100), finishedAt: shop.at(-90) }
      Object.assign(pod.status.initContainerStatuses![0]!, { restartCount: 8, lastState: { terminated } })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'init_container_stuck',
        must_cite: [
          `${ref(pod)} conditions[Initialized].status=False`,
          `${ref(pod)} initContainerStatuses[prepare].state.waiting.reason=CrashLoopBackOff`
        ],
        must_not: ['oom_killed', 'crash_loop', 'readiness_failing']
      }
    },
    YOUNG
  ),

  shopCase(
    'init-image',
    'the image of the init container cannot be pulled',
    shop => {
      shop.waitsInInit(shop.pods[0], 'prepare', {
        reason: 'ImagePullBackOff',
        message: 'Back-off pulling image "registry.example.com/prepare:9": not found'
      })
      const [pod] = shop.pods
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'image_pull_failed',
        must_cite: [`${ref(pod)} initContainerStatuses[prepare].state.waiting.reason=ImagePullBackOff`],
        must_not: ['init_container_stuck', 'readiness_failing']
      }
    },
    YOUNG
  ),

  shopCase(
    'init-config',
    'the init container lacks a Secret',
    shop => {
      shop.waitsInInit(shop.pods[0], 'prepare', {
        reason: 'CreateContainerConfigError',
        message: 'secret "migration" not found'
      })
      const [pod] = shop.pods
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`${ref(pod)} initContainerStatuses[prepare].state.waiting.reason=CreateContainerConfigError`],
        must_not: ['init_container_stuck', 'container_start_failed']
      }
    },
    YOUNG
  ),

  shopCase(
    'sidecar-image',
    'the image of the mesh sidecar cannot be pulled',
    shop => {
      const [pod] = shop.pods
      const status = pod.status.containerStatuses[1]!
      Object.assign(status, {
        state: { waiting: { reason: 'ErrImagePull', message: '401 Unauthorized' } },
        started: false
      })
      shop.unready(pod, -900, 'istio-proxy')
      pod.status.phase = 'Pending'
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'image_pull_failed',
        variant: 'auth',
        must_cite: [`${ref(pod)} containerStatuses[istio-proxy].state.waiting.reason=ErrImagePull`],
        must_not: ['readiness_failing', 'config_missing']
      }
    },
    { ...YOUNG, containers: [webContainer('app'), webContainer('istio-proxy', { ports: [] })] }
  ),

  shopCase(
    'sidecar-start',
    'the sidecar cannot be started: its command is missing',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'ContainerCannotRun', exitCode: 127, message: 'exec: "/usr/bin/envoy": no such file' }
      shop.backsOff(pod, { ...exit, container: 'envoy', startedAt: -61, at: -61, restarts: 7, unready: -895 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'container_start_failed',
        must_cite: [`${ref(pod)} containerStatuses[envoy].lastState.terminated.reason=ContainerCannotRun`],
        must_not: ['readiness_failing', 'oom_killed']
      }
    },
    { ...YOUNG, containers: [webContainer('app'), webContainer('envoy', { ports: [] })] }
  ),

  shopCase(
    'probe-of-life',
    'a liveness probe gets 404; what keeps the pod out is a readiness probe that gets 503',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -60)
      const life = 'Liveness probe failed: HTTP probe failed with statuscode: 404'
      const readiness = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
      shop.addEvent(pod, 'Unhealthy', life, { first: -20, last: 2, container: 'app' })
      shop.addEvent(pod, 'Unhealthy', readiness, { first: -90, last: 9, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} message~statuscode: 503`],
        must_not: ['readiness_probe_misconfigured', 'probe_restart']
      }
    },
    { replicas: 1, containers: [webContainer('app')] }
  ),

  shopCase(
    'probe-port-silent',
    'the probe asks an undeclared port and waits in vain',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -900)
      const address = pod.status.podIP
      const message = `Readiness probe failed: Get "http://${address}:8081/ready": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
      shop.addEvent(pod, 'Unhealthy', message, { first: -880, last: 9, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_probe_misconfigured',
        must_cite: [`Event ${ref(pod)} message~:8081/ready`, `${ref(pod)} readinessProbe.httpGet.port=8081`],
        must_not: ['readiness_failing', 'target_port_mismatch']
      }
    },
    {
      ...YOUNG,
      containers: [
        webContainer('app', { readinessProbe: { httpGet: { path: '/ready', port: 8081 }, periodSeconds: 10 } })
      ]
    }
  )
]
