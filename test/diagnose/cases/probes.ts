/** `probe_restart`, `readiness_failing`, `readiness_probe_misconfigured`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { uidOf } from '../support/identity.ts'
import { HOUR } from '../support/moment.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const MESH = { containers: [webContainer('app'), webContainer('istio-proxy', { ports: [{ containerPort: 15021 }] })] }
const KILLED = { reason: 'Error', exitCode: 137 }
const LIVENESS = 'Container app failed liveness probe, will be restarted'
const STARTUP = 'Container app failed startup probe, will be restarted'
const SAYS_503 = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
const GATE = 'target-health.elbv2.k8s.aws/k8s-shop-cart'

export const CASES: DiagnosisCase[] = [
  shopCase(
    'probe-liveness',
    'killed by its liveness probe in the middle of a response',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', LIVENESS, { first: -31, container: 'app', type: 'Normal' })
      shop.restarts(pod, { ...KILLED, at: -1, up: 1, ready: 12 })
      shop.fails('premature_close', pod, { detail: { upstream_response_time: '28.400' } })
      return {
        root_cause: 'probe_restart',
        variant: 'liveness',
        must_cite: [`Event ${ref(pod)} message~failed liveness probe`],
        must_not: ['app_crash', 'oom_killed', 'keepalive_mismatch', 'termination_race']
      }
    },
    APP
  ),

  shopCase(
    'probe-liveness-refused',
    'refused while it boots after a kill of the liveness probe',
    shop => {
      const pod = shop.pods[1]!
      shop.addEvent(pod, 'Killing', LIVENESS, { first: -HOUR, last: -20, container: 'app', type: 'Normal' })
      shop.restarts(pod, { reason: 'Error', exitCode: 143, at: -12, up: -9, ready: 25 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'probe_restart',
        variant: 'liveness',
        must_cite: [`Event ${ref(pod)} message~failed liveness probe`],
        must_not: ['app_crash', 'readiness_failing', 'app_not_listening']
      }
    },
    { ...APP, replicas: 3 }
  ),

  shopCase(
    'probe-startup',
    'the startup probe ends every instance before it is up',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', STARTUP, { first: -1500, last: -75, container: 'app', type: 'Normal' })
      shop.backsOff(pod, { ...KILLED, startedAt: -140, at: -70, restarts: 9, unready: -1600 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'probe_restart',
        variant: 'startup',
        must_cite: [`Event ${ref(pod)} message~failed startup probe`],
        must_not: ['oom_killed', 'app_crash', 'readiness_failing']
      }
    },
    { ...APP, replicas: 1, podsCreated: -1700 }
  ),

  shopCase(
    'probe-of-sidecar',
    'the sidecar was killed by its probe; the server crashed by itself',
    shop => {
      const [pod] = shop.pods
      const message = 'Container istio-proxy failed liveness probe, will be restarted'
      shop.addEvent(pod, 'Killing', message, { first: -50, container: 'istio-proxy', type: 'Normal' })
      shop.restarts(pod, { reason: 'Error', exitCode: 134, container: 'app', at: -2, up: 1, ready: 9 })
      shop.fails('connection_reset', pod, { detail: { upstream_response_time: '0.620' } })
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} containerStatuses[app].lastState.terminated.exitCode=134`],
        must_not: ['probe_restart']
      }
    },
    MESH
  ),

  shopCase(
    'probe-hour-ago',
    'killed by its probe an hour ago, now it crashed',
    shop => {
      const [pod] = shop.pods
      shop.addEvent(pod, 'Killing', LIVENESS, { first: -HOUR, container: 'app', type: 'Normal' })
      shop.restarts(pod, { reason: 'Error', exitCode: 139, startedAt: -HOUR + 40, at: -3, up: 0, ready: 11 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=139`],
        must_not: ['probe_restart', 'oom_killed']
      }
    },
    APP
  ),

  shopCase(
    'probe-of-predecessor',
    'the pod that had the name before was killed by its probe',
    shop => {
      const [pod] = shop.pods
      const uid = uidOf(`${shop.id}/before`)
      shop.addEvent(pod, 'Killing', LIVENESS, { first: -115, container: 'app', type: 'Normal', uid })
      shop.restarts(pod, { reason: 'Error', exitCode: 1, at: -2, up: 1, ready: 12 })
      shop.fails('premature_close', pod, { detail: { upstream_response_time: '0.200' } })
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=1`],
        must_not: ['probe_restart', `cite:Event ${ref(pod)} message~liveness`]
      }
    },
    { ...APP, kind: 'StatefulSet', replicas: 1, podsCreated: -100 }
  ),

  shopCase(
    'ready-503',
    'all pods run and say that they are not ready',
    shop => {
      for (const pod of shop.pods) {
        shop.says503(pod, -240)
      }
      shop.fails('no_endpoints', null)
      const [pod] = shop.pods
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} message~statuscode: 503`],
        must_not: ['readiness_probe_misconfigured', 'crash_loop', 'selector_mismatch', 'rollout_gap']
      }
    },
    APP
  ),

  shopCase(
    'ready-watched',
    'unready for a minute only, as the watch saw it; Ready again when it was read',
    shop => {
      const [pod] = shop.pods
      shop.saw('ADDED', pod, -HOUR)
      shop.unready(pod, -40)
      shop.saw('MODIFIED', pod, -40)
      shop.ready(pod, 20)
      shop.saw('MODIFIED', pod, 20)
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -70, last: 10, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['stale_endpoints', 'rollout_gap', 'ingress_annotation_denied']
      }
    },
    { ...APP, replicas: 1, now: 600 }
  ),

  shopCase(
    'ready-backwards',
    'the same from a snapshot alone: Ready True came after the failure',
    shop => {
      const [pod] = shop.pods
      shop.ready(pod, 20)
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -70, last: 10, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        confidence_max: 0.84,
        must_cite: [`Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['stale_endpoints', 'selector_mismatch']
      }
    },
    { ...APP, replicas: 1, now: 600 }
  ),

  shopCase(
    'ready-mesh',
    'the server is ready, its mesh sidecar is not',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -500, 'istio-proxy')
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -530, last: 4, container: 'istio-proxy' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [
          `${ref(pod)} containerStatuses[istio-proxy].ready=false`,
          `Event ${ref(pod)} message~statuscode: 503`
        ],
        must_not: ['crash_loop', 'selector_mismatch']
      }
    },
    { ...MESH, replicas: 1 }
  ),

  shopCase(
    'ready-gate',
    'a readiness gate of the load balancer is not met',
    shop => {
      const [pod] = shop.pods
      pod.spec.readinessGates = [{ conditionType: GATE }]
      shop.tell(pod, GATE, 'False', -600, 'Target.ResponseCodeMismatch', 'Health checks failed with these codes: [404]')
      shop.tell(pod, 'Ready', 'False', -600, 'ReadinessGatesNotReady', 'the status of pod readiness gate is not "True"')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[${GATE}].status=False`],
        must_not: ['readiness_probe_misconfigured', 'stale_endpoints', 'rollout_gap']
      }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase(
    'ready-just-now',
    'it stopped to answer; the proxy has not heard of it yet',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -4)
      const message = `Readiness probe failed: Get "http://${pod.status.podIP}:8080/ready": dial tcp ${pod.status.podIP}:8080: connect: connection refused`
      shop.addEvent(pod, 'Unhealthy', message, { first: -24, last: 6, container: 'app' })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['stale_endpoints', 'app_not_listening', 'publish_not_ready', 'readiness_probe_misconfigured']
      }
    },
    APP
  ),

  shopCase(
    'ready-again',
    'probes failed ten minutes ago; the handler is slow now',
    shop => {
      const [pod] = shop.pods
      shop.ready(pod, -560)
      shop.addEvent(pod, 'Unhealthy', SAYS_503, { first: -640, last: -600, container: 'app' })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.002' } })
      return {
        root_cause: 'app_slow',
        must_cite: [ref(shop.ingress), `${ref(pod)} conditions[Ready].status=True`],
        must_not: ['readiness_failing']
      }
    },
    APP
  ),

  ...[404, 403, 401, 405].map((status, i) =>
    shopCase(
      `probe-path-${status}`,
      `the readiness probe gets ${status}: it asks for the wrong thing`,
      shop => {
        const message = `Readiness probe failed: HTTP probe failed with statuscode: ${status}`
        for (const pod of shop.pods) {
          shop.unready(pod, -1200)
          shop.addEvent(pod, 'Unhealthy', message, { first: -1190, last: 7, container: 'app' })
        }
        shop.fails('no_endpoints', null)
        return {
          root_cause: 'readiness_probe_misconfigured',
          must_cite: [`Event ${ref(shop.pods[0])} message~statuscode: ${status}`],
          must_not: ['readiness_failing', 'selector_mismatch', 'rollout_gap']
        }
      },
      { ...APP, replicas: i + 1, kind: i === 1 ? 'StatefulSet' : 'Deployment', podsCreated: -1200 }
    )
  ),

  shopCase(
    'probe-port',
    'the readiness probe asks a port that no container has',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -1200)
      const message = `Readiness probe failed: Get "http://${pod.status.podIP}:9999/ready": dial tcp ${pod.status.podIP}:9999: connect: connection refused`
      shop.addEvent(pod, 'Unhealthy', message, { first: -1190, last: 7, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_probe_misconfigured',
        must_cite: [`Event ${ref(pod)} message~connection refused`, `${ref(pod)} readinessProbe.httpGet.port=9999`],
        must_not: ['readiness_failing', 'app_not_listening', 'target_port_mismatch']
      }
    },
    {
      replicas: 1,
      podsCreated: -1200,
      containers: [
        webContainer('app', {
          readinessProbe: { httpGet: { path: '/ready', port: 9999, scheme: 'HTTP' }, periodSeconds: 10 },
          livenessProbe: { httpGet: { path: '/live', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 }
        })
      ]
    }
  ),

  shopCase(
    'probe-port-declared',
    'refused on the declared port: the probe is right, the server does not listen',
    shop => {
      const [pod] = shop.pods
      shop.unready(pod, -700)
      const message = `Readiness probe failed: dial tcp ${pod.status.podIP}:8080: connect: connection refused`
      shop.addEvent(pod, 'Unhealthy', message, { first: -690, last: 7, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} reason=Unhealthy`],
        must_not: ['readiness_probe_misconfigured', 'crash_loop']
      }
    },
    {
      replicas: 1,
      podsCreated: -9000,
      containers: [webContainer('app', { readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 10 } })]
    }
  )
]
