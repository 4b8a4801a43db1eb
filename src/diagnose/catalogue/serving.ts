/** The process at its work: listening, answering, waiting, and what it depends on. */

import { aside, shown } from '../told.ts'
import type { Entry } from './entry.ts'

const LOGS = 'kubectl -n $NS logs $POD -c $CTR --since=10m'
const PORTS = 'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.ports}{"\\n"}{end}\''
const INGRESS = 'kubectl -n $NS get ingress $ING -o yaml'
const CONFIG = 'kubectl -n $CTRLNS get configmap ingress-nginx-controller -o yaml'

export const SERVING_ENTRIES = {
  app_not_listening: {
    title: 'the process does not accept on the port',
    meaning:
      'The pod is Ready and declares the port, and connections to it are refused: the process listens on 127.0.0.1 only, on another port, or not yet.',
    severity: 'S1',
    advice: 'bind to 0.0.0.0, on the port that the Service leads to',
    say: told => {
      const port = told.value('targetPort') ?? told.value('ports.containerPort')
      const loopback = told.citations.find(
        ({ fields, value }) => /\.(?:args|command|env\.value)$/.test(fields) && value !== null
      )
      const shownText = loopback === undefined ? null : shown(loopback.value ?? '')
      return `${told.pod} accepts nothing on ${port === null ? 'its port' : `port ${port}`}${aside(shownText, 'it is told ')}`
    },
    check: ['kubectl -n $NS exec $POD -c $CTR -- ss -ltnp', PORTS, LOGS],
    fix: [
      'Bind to 0.0.0.0 (or ::), not to localhost',
      'Correct the variable that names the port',
      'Start the listener before readiness is told, and probe that very port'
    ]
  },
  app_slow: {
    title: 'the answer took longer than nginx waits',
    meaning:
      'The pod was Ready and took the request, and did not answer before proxy-read-timeout (or take the body before proxy-send-timeout) ran out. Nothing around it was wrong: the handler is slow.',
    severity: 'S2',
    advice: 'make the call faster, or raise the timeout for that path',
    say: told => {
      const waited =
        told.annotation('proxy-read-timeout') ??
        told.annotation('proxy-send-timeout') ??
        told.value('data.proxy-read-timeout') ??
        told.value('data.proxy-send-timeout')
      const until = waited === null ? 'the timeout' : `the timeout of ${/^\d+$/.test(waited) ? `${waited} s` : waited}`
      return `${told.pod} was Ready and did not answer within ${until}`
    },
    check: [LOGS, INGRESS],
    fix: [
      'Trace the slow call; make it faster, or do the work behind a queue',
      'Else raise nginx.ingress.kubernetes.io/proxy-read-timeout for that path only'
    ]
  },
  app_error: {
    title: 'the application answered 5xx itself',
    meaning:
      'The request reached a pod that was Ready, and the application answered with an error. nginx only passed it on: the reason is in the log of the application.',
    severity: 'S2',
    advice: 'read the application log at that moment; roll back if it came with a rollout',
    say: told => {
      const revision = told.value('metadata.annotations', { key: 'deployment.kubernetes.io/revision' })
      const after = revision === null ? '' : `, after the rollout of revision ${revision}`
      return `${told.pod} was Ready and answered with an error of its own${after}`
    },
    check: [LOGS, 'kubectl -n $NS rollout history $WORKLOAD'],
    fix: [
      'Mend the exception, the configuration value, the credentials, or the leak of connections that the log shows',
      'If it came with a rollout, take that back: kubectl rollout undo'
    ]
  },
  app_invalid_response: {
    title: 'the application answered what is no HTTP',
    meaning:
      'nginx could not read the response: a header that breaks the rules, two of one that may stand once, or no status line. It answers 502 although the application believes that it answered.',
    severity: 'S2',
    advice: 'mend the headers that the application sends',
    say: told => `${told.pod} answered what nginx cannot read as HTTP`,
    check: ['kubectl -n $NS port-forward $POD 9999:$PORT', 'curl -sv --http1.1 http://localhost:9999/', LOGS],
    fix: ['Correct the framework or handler that writes the headers: duplicates, line breaks, a missing status line']
  },
  proxy_buffer_too_small: {
    title: 'the response headers do not fit the buffer',
    meaning:
      'nginx reads the response headers into one buffer of proxy-buffer-size (4k by default). Large cookies or tokens do not fit, and the answer becomes a 502.',
    severity: 'S2',
    advice: 'raise proxy-buffer-size, or shrink cookies',
    say: told => {
      const size = told.annotation('proxy-buffer-size') ?? told.value('data.proxy-buffer-size') ?? '4k'
      return `the response headers do not fit proxy-buffer-size ${size} of ${told.ingress}`
    },
    check: [
      'kubectl -n $NS port-forward $POD 9999:$PORT',
      'curl -s -D - -o /dev/null http://localhost:9999/ | wc -c',
      INGRESS
    ],
    fix: [
      'Set nginx.ingress.kubernetes.io/proxy-buffer-size: 16k for this Ingress',
      'Send less: smaller cookies and tokens'
    ]
  },
  keepalive_mismatch: {
    title: 'the application closes idle connections too early',
    meaning:
      'The application closes connections that were idle for a few seconds, and nginx keeps them longer. Now and then nginx sends a request into one that is being closed, and it is cut.',
    severity: 'S3',
    advice: 'let the application keep connections longer than nginx does',
    say: told => {
      const kept = told.value('data.upstream-keepalive-timeout')
      return `${told.pod} closes idle connections before nginx does${aside(kept === null ? null : `nginx keeps them for ${kept} s`)}`
    },
    check: [
      CONFIG,
      'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.args}{" "}{.env}{"\\n"}{end}\''
    ],
    fix: [
      'Set the idle timeout of the application above upstream-keepalive-timeout, for instance to 75 s',
      'Or set upstream-keepalive-timeout in the ConfigMap of the controller below it'
    ]
  },
  cpu_saturated: {
    title: 'the container used all its CPU',
    meaning:
      'The container used nearly all CPU that it may use and was throttled, so answers took longer than nginx waits. More requests only make it slower.',
    severity: 'S2',
    advice: 'raise the CPU limit or the number of replicas',
    say: told => {
      const usage = told.value('usage.cpu')
      const limit = told.value('limits.cpu') ?? told.value('allocatable.cpu')
      const of = usage === null ? 'nearly all' : usage
      return `${told.container} of ${told.pod} used ${of} CPU${aside(limit, 'of ')}`
    },
    check: ['kubectl -n $NS top pod $POD --containers', 'kubectl describe node $NODE', 'kubectl -n $NS get hpa'],
    fix: [
      'Raise or remove resources.limits.cpu, and set the request to what it uses',
      'Run more replicas, with a HorizontalPodAutoscaler',
      'Profile what burns the CPU'
    ]
  },
  dependency_down: {
    title: 'a service that the application needs is down',
    meaning:
      'The application is told in its environment or arguments to use another Service of the cluster, and that one had no ready pod. The error that the client saw is only passed on.',
    severity: 'S1',
    advice: 'repair the dependency first',
    say: told => {
      const { namespace, pod } = told.diagnosis.names
      const user = pod === null ? 'the application' : shown(namespace === null ? pod : `${namespace}/${pod}`)
      const service = told.citations.find(({ kind }) => kind === 'Service')
      const needed = service === undefined ? told.ref : `Service ${service.namespace}/${service.name}`
      return `${needed}, which ${user} needs, had no ready pod`
    },
    check: [
      'kubectl -n $DEPNS get endpointslice -l kubernetes.io/service-name=$DEPSVC',
      'kubectl -n $DEPNS get pods -o wide',
      'kubectl -n $DEPNS get events --sort-by=.lastTimestamp'
    ],
    fix: [
      'Repair the dependency: what is wrong with it stands in the chain',
      'In the application: timeouts, retries with a bound, a circuit breaker, so that it degrades instead of failing'
    ]
  }
} satisfies Record<string, Entry>
