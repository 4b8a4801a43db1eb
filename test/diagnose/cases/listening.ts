/** Nobody takes the connection: `readiness_probe_missing`, `publish_not_ready`, `app_not_listening`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import type { Container } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

/** A server that nobody asks whether it is ready. */
function unprobed(changes: Partial<Container> = {}): Container {
  const { readinessProbe: _, ...container } = webContainer('app')
  return { ...container, ...changes }
}

const EXEC_PROBE = { readinessProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 10 } }

export const CASES: DiagnosisCase[] = [
  shopCase(
    'fresh-refused',
    'a new pod gets traffic before it listens',
    shop => {
      const fresh = shop.addPod(shop.replicaSet!, { created: -9, ready: -5 })
      shop.workload.spec.replicas = 3
      shop.replicaSet!.spec.replicas = 3
      shop.fails('connection_refused', fresh)
      return {
        root_cause: 'readiness_probe_missing',
        must_cite: [`${ref(fresh)} readinessProbe=absent`, `${ref(fresh)} state.running.startedAt=${shop.at(-5)}`],
        must_not: ['app_not_listening', 'app_crash', 'target_port_mismatch', 'stale_endpoints']
      }
    },
    { containers: [unprobed()] }
  ),

  shopCase(
    'fresh-closed',
    'half a minute after its start it still drops connections',
    shop => {
      const fresh = shop.addPod(shop.workload, { created: -34, ready: -30 })
      shop.workload.spec.replicas = 3
      shop.fails('connection_reset', fresh, { detail: { upstream_response_time: '0.400' } })
      return {
        root_cause: 'readiness_probe_missing',
        must_cite: [`${ref(fresh)} readinessProbe=absent`, `${ref(fresh)} state.running.startedAt`],
        must_not: ['keepalive_mismatch', 'app_crash']
      }
    },
    { kind: 'StatefulSet', containers: [unprobed()] }
  ),

  shopCase(
    'fresh-second',
    'no probe, but it is the second instance: the first one crashed',
    shop => {
      const [pod] = shop.pods
      shop.restarts(pod, { reason: 'Error', exitCode: 1, at: -4, up: -1, ready: 0 })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_crash',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=1`],
        must_not: ['readiness_probe_missing', 'app_not_listening']
      }
    },
    { containers: [unprobed()] }
  ),

  shopCase(
    'published',
    'the headless Service publishes a pod that is not ready',
    shop => {
      const pod = shop.pods[1]!
      shop.unready(pod, -300)
      const message = `Readiness probe failed: dial tcp ${pod.status.podIP}:8080: connect: connection refused`
      shop.addEvent(pod, 'Unhealthy', message, { first: -290, last: 4, container: 'app' })
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'publish_not_ready',
        must_cite: [
          `${ref(shop.service)} spec.publishNotReadyAddresses=true`,
          `${ref(pod)} conditions[Ready].status=False`
        ],
        must_not: ['stale_endpoints', 'readiness_failing', 'app_not_listening']
      }
    },
    {
      kind: 'StatefulSet',
      containers: [webContainer('app')],
      podsCreated: -320,
      service: { publishNotReadyAddresses: true, clusterIP: 'None', clusterIPs: ['None'] }
    }
  ),

  shopCase(
    'published-but-ready',
    'the flag is set, but the pod is ready: the port is wrong',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=9000`, `${ref(pod)} containerPort=8080`],
        must_not: ['publish_not_ready', 'app_not_listening']
      }
    },
    {
      kind: 'StatefulSet',
      service: {
        publishNotReadyAddresses: true,
        ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9000 }]
      }
    }
  ),

  shopCase(
    'deaf',
    'ready by an exec probe for days, and nothing accepts on the port',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_not_listening',
        confidence_max: 0.84,
        must_cite: [`${ref(shop.service)} targetPort=8080`, `${ref(pod)} conditions[Ready].status=True`],
        must_not: ['target_port_mismatch', 'readiness_probe_missing', 'network_policy_block', 'app_crash']
      }
    },
    { web: EXEC_PROBE }
  ),

  shopCase(
    'deaf-loopback',
    'it is told to listen on 127.0.0.1',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_not_listening',
        confidence_min: 0.85,
        must_cite: [`${ref(pod)} spec.containers[app].args~127.0.0.1`],
        must_not: ['target_port_mismatch', 'network_policy_block', 'readiness_probe_missing']
      }
    },
    { containers: [unprobed({ args: ['--bind=127.0.0.1:8080', '--workers=4'] })] }
  ),

  shopCase(
    'deaf-undeclared',
    'it declares no port, and its host is localhost',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'app_not_listening',
        confidence_min: 0.85,
        must_cite: [`${ref(pod)} spec.containers[app].env[HOST]`],
        must_not: ['target_port_mismatch', 'readiness_probe_missing']
      }
    },
    {
      kind: 'DaemonSet',
      replicas: 3,
      containers: [
        unprobed({
          ports: [],
          env: [
            { name: 'HOST', value: 'localhost' },
            { name: 'PORT', value: '8080' }
          ]
        })
      ]
    }
  ),

  shopCase(
    'deaf-but-probed',
    'its probe on that very port passes, and yet a connection was refused',
    shop => {
      const [pod] = shop.pods
      shop.fails('connection_refused', pod)
      return {
        root_cause: 'undetermined',
        must_not: ['app_not_listening', 'target_port_mismatch', 'readiness_probe_missing']
      }
    },
    { web: { readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 5 } } }
  )
]
