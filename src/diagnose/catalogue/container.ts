/** The container: how it ends, starts, and is probed. */

import { aside, type Told } from '../told.ts'
import type { Entry } from './entry.ts'

const DESCRIBE = 'kubectl -n $NS describe pod $POD'
const PREVIOUS = 'kubectl -n $NS logs $POD -c $CTR --previous'
const EVENTS = 'kubectl -n $NS get events --field-selector involvedObject.name=$POD --sort-by=.lastTimestamp'

/** ` (exit code 1: config: unknown key)`. */
function exit(told: Told): string {
  const code = told.value('terminated.exitCode')
  const words = told.value('terminated.message')
  if (code === null) return aside(words)
  return aside(`exit code ${code}${words === null ? '' : `: ${words}`}`)
}

/** `container app of shop/a-1`. */
function container(told: Told): string {
  return `${told.container} of ${told.pod}`
}

export const CONTAINER_ENTRIES = {
  oom_killed: {
    title: 'the container was killed for memory',
    meaning:
      'The container used more memory than its limit, so the kernel killed it. Connections that were open broke, and new ones were refused until it had been started again and was Ready.',
    severity: 'S1',
    advice: 'raise the memory limit, or bound the heap',
    say: told => `${told.pod} was OOM-killed${told.at}${aside(told.value('resources.limits.memory'), 'limit ')}`,
    check: [DESCRIBE, 'kubectl -n $NS top pod $POD --containers', PREVIOUS],
    fix: [
      'Raise resources.limits.memory, and the request with it, above what the container really uses',
      'Bound the heap of the runtime below the limit (-XX:MaxRAMPercentage, GOMEMLIMIT, --max-old-space-size)',
      'Find the leak when usage only ever rises'
    ]
  },
  crash_loop: {
    title: 'the process keeps dying',
    meaning:
      'The container ends soon after each start, and kubelet waits longer and longer before the next one. In between nobody accepts connections, and the pod is no endpoint.',
    severity: 'S1',
    advice: 'read why the last instance ended, or roll back',
    say: told => {
      const restarts = told.value('restartCount')
      const times = restarts === null ? '' : `, restarted ${restarts} times`
      return `${container(told)} keeps dying${times}${exit(told)}`
    },
    check: [PREVIOUS, DESCRIBE, 'kubectl -n $NS rollout history $WORKLOAD'],
    fix: [
      'Mend what its last words name: an exception, a missing variable, a wrong value in a ConfigMap',
      'If it came with a rollout, take that back: kubectl rollout undo'
    ]
  },
  app_crash: {
    title: 'the process ended once',
    meaning:
      'The main process of the container ended by itself: a panic, a fault, an exit with an error, or a server that simply returned. Requests in flight were cut, and new ones refused until kubelet had started it again.',
    severity: 'S2',
    advice: 'find the crash in its previous log, run two replicas or more',
    say: told => `${container(told)} ended${told.at}${exit(told)}`,
    check: [PREVIOUS, DESCRIBE],
    fix: [
      'Look for a stack trace at that moment, and mend the bug or handle the exception',
      'Run at least two replicas, so that one crash is not an outage'
    ]
  },
  probe_restart: {
    title: 'a probe had the container killed',
    meaning:
      'kubelet killed the container because its liveness or startup probe failed too often. A process that was busy, or slow to start, is restarted that way, which makes it slower still.',
    severity: 'S1',
    advice: 'loosen the probe, and give it a cheap path of its own',
    say: told =>
      `kubelet killed ${container(told)}${told.at}: its ${told.diagnosis.variant ?? 'liveness'} probe had failed`,
    check: [
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.livenessProbe}{" "}{.startupProbe}{"\\n"}{end}\'',
      EVENTS,
      PREVIOUS
    ],
    fix: [
      'Give liveness a path that touches no database and no other service',
      'timeoutSeconds at least the 99th percentile of that path, failureThreshold at least 3',
      'For a slow start: a startupProbe with failureThreshold x periodSeconds longer than the boot'
    ]
  },
  container_start_failed: {
    title: 'the container cannot be started',
    meaning:
      'The entrypoint or command cannot run: the file is missing, may not be executed, lacks a library, or is built for another architecture. The pod never becomes Ready.',
    severity: 'S1',
    advice: 'mend the command or the image, or roll back',
    say: told =>
      `${container(told)} could not be started${aside(told.value('terminated.message') ?? told.value('waiting.message'))}`,
    check: [
      DESCRIBE,
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.image}{" "}{.command}{" "}{.args}{"\\n"}{end}\''
    ],
    fix: [
      'Compare command and args with what is in the image (ENTRYPOINT, CMD, file mode)',
      'Build the image for the platform of the nodes',
      'If it came with a rollout, take that back: kubectl rollout undo'
    ]
  },
  config_missing: {
    title: 'a ConfigMap or Secret is missing',
    meaning:
      'The pod refers to a ConfigMap or Secret, or to a key in one, that is not there. kubelet does not start the container until it is.',
    severity: 'S1',
    advice: 'create what is missing in that namespace',
    say: told => {
      const { missing } = told
      const what = missing === null ? told.message : `${missing.kind} ${missing.namespace}/${missing.name} is not there`
      return `${container(told)} cannot be made${aside(what)}`
    },
    check: ['kubectl -n $NS get configmap,secret', DESCRIBE, EVENTS],
    fix: [
      'Create the object or the key in the namespace of the pod, or correct the name in the pod template',
      'Mark the reference optional: true where the container can do without',
      'Then restart: kubectl rollout restart'
    ]
  },
  image_pull_failed: {
    title: 'the image cannot be pulled',
    meaning:
      'The registry does not give out the image: the name or tag does not exist, credentials are missing, the registry is not reached, or it limits pulls. No pod of the Service could become Ready.',
    severity: 'S1',
    advice: 'correct the tag or the pull secret, or roll back',
    say: told => {
      const image = told.value('image')
      return `the image of ${container(told)} could not be pulled${aside(image === null ? told.value('waiting.message') : image)}`
    },
    check: [
      DESCRIBE,
      EVENTS,
      "kubectl -n $NS get pod $POD -o jsonpath='{.spec.imagePullSecrets}'",
      'kubectl -n $NS get serviceaccount default -o yaml'
    ],
    fix: [
      'Correct the tag or the path of the registry',
      'Add imagePullSecrets to the pod or to its service account',
      'If it came with a rollout, take that back: kubectl rollout undo'
    ]
  },
  init_container_stuck: {
    title: 'an init container does not finish',
    meaning:
      'Containers of the pod start only when all its init containers have ended well. One of them still runs, or fails again and again.',
    severity: 'S1',
    advice: 'read the log of the init container',
    say: told => {
      const name =
        told.cited('lastTransitionTime') === null
          ? null
          : told.citations.find(({ fields }) => fields.includes('initContainer'))?.keys[0]
      const which = name === undefined || name === null ? 'an init container' : `init container ${name}`
      const isRunning = told.cited('state.running.startedAt') !== null
      return `${which} of ${told.pod} ${isRunning ? 'did not finish' : 'kept failing'}${exit(told)}`
    },
    check: ['kubectl -n $NS logs $POD -c $INIT', 'kubectl -n $NS logs $POD -c $INIT --previous', DESCRIBE],
    fix: [
      'Mend what it waits for, or the migration that it runs',
      'Bound its wait, so that it fails with a message instead of hanging'
    ]
  },
  readiness_failing: {
    title: 'the pod says that it is not ready',
    meaning:
      'The process runs, and its readiness probe fails, so the pod is taken out of the endpoints. With all pods out nobody is left to answer. Often every replica checks one shared dependency, and all leave together.',
    severity: 'S1',
    advice: 'mend what the readiness probe reports',
    say: told => `${told.pod} was not Ready${told.since}${aside(told.message)}`,
    check: [
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.readinessProbe}{"\\n"}{end}\'',
      EVENTS,
      'kubectl -n $NS logs $POD -c $CTR --tail=200'
    ],
    fix: [
      'Mend what the probe reports: a database, a warm-up, a queue',
      'Do not let all replicas fail readiness for one dependency that they share',
      'If a single pod is stuck, restart it'
    ]
  },
  readiness_probe_misconfigured: {
    title: 'the readiness probe asks the wrong thing',
    meaning:
      'The probe asks a path that answers 404, 401, 403 or 405, or a port that no container opens. The pod may be healthy, and never becomes an endpoint.',
    severity: 'S1',
    advice: 'correct path, port or scheme of the readiness probe',
    say: told => {
      const path = told.value('readinessProbe.httpGet.path')
      const port = told.value('readinessProbe.httpGet.port') ?? told.value('readinessProbe.tcpSocket.port')
      const asks = [path === null ? null : `path ${path}`, port === null ? null : `port ${port}`].filter(
        part => part !== null
      )
      const what = asks.length === 0 ? 'the wrong thing' : asks.join(' on ')
      return `the readiness probe of ${told.pod} asks ${what} and fails${aside(told.message)}`
    },
    check: [
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.ports}{" "}{.readinessProbe}{"\\n"}{end}\'',
      'kubectl -n $NS exec $POD -c $CTR -- ss -ltn',
      EVENTS
    ],
    fix: [
      'Set readinessProbe.httpGet.path, port and scheme to what the process serves',
      'Where it answers by host name, set httpHeaders with that Host'
    ]
  },
  readiness_probe_missing: {
    title: 'requests came before the process listened',
    meaning:
      'Without a readiness probe a pod is an endpoint as soon as its container runs. Requests of the seconds in which the process still started were refused.',
    severity: 'S2',
    advice: 'add a readiness probe on the serving port',
    say: told =>
      `${told.pod} got requests while it was starting${aside(told.at.trim(), 'started ')}: it has no readiness probe`,
    check: [
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.readinessProbe}{"\\n"}{end}\'',
      'kubectl -n $NS get $WORKLOAD -o yaml'
    ],
    fix: ['Add a readinessProbe on the serving port, and minReadySeconds', 'For slow boots add a startupProbe']
  },
  publish_not_ready: {
    title: 'the Service publishes pods that are not ready',
    meaning:
      'With publishNotReadyAddresses the Service hands out pods whatever their readiness, which peers of a database need and requests do not. nginx sent requests to a pod that could not answer yet.',
    severity: 'S2',
    advice: 'send traffic through a Service without that flag',
    say: told => `${told.service} publishes pods that are not Ready, and ${podCited(told)} was not`,
    check: ['kubectl -n $NS get service $SVC -o yaml', 'kubectl -n $NS get pod $POD -o wide'],
    fix: ['Make a second Service without publishNotReadyAddresses for traffic, and keep this one for the peers']
  }
} satisfies Record<string, Entry>

/** The pod that a cause cites when the object at fault is another. */
function podCited(told: Told): string {
  const pod = told.citations.find(({ kind }) => kind === 'Pod')
  return pod === undefined ? told.pod : `${pod.namespace}/${pod.name}`
}
