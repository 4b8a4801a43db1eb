import type { Container, Probe } from '../../cluster/objects.ts'
import { type Given, givenFact, givenTo } from '../commandLine.ts'
import { listOf } from '../conditions.ts'
import { covers } from '../events.ts'
import { type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import type { PodView } from '../podView.ts'
import { periodMs } from '../readiness.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Exclusion, Rule } from '../rule.ts'
import { probePort } from '../servingContainer.ts'

/** So long a pod must have been Ready: earlier it may still be starting. An end so near is what failed the request. */
const SETTLED_MS = 60_000

/** The pod is well, and nothing accepts connections on the port, or only from inside the pod. */
export const appNotListening: Rule = {
  cause: 'app_not_listening',
  isOfPod: true,
  judge(scene) {
    const { pod, container, service, upstream } = scene
    if (pod === null || container === null || service === null) return null
    const port = upstream?.port ?? scene.targetPort
    if (port === null) return null
    const declared = listOf(container.ports).find(item => item.containerPort === port)
    if (declared === undefined && listOf(container.ports).length > 0) return null
    if (scene.targetPort !== port) return null
    const unsettled = notSettled(pod, container)
    if (unsettled !== null) return unsettled
    const passing = pod.containers.find(item => passes(pod, item, port))
    if (passing !== undefined) return { because: `a probe on port ${port} of ${pod.ref} was passing` }
    const loopback = givenTo(container).find(given => isLoopback(given, port))
    const path = `spec.containers[${container.name}]`
    const { name, port: number } = scene.servicePort!
    const text = `the Service sends requests to port ${port}`
    const target = scene.targetPortRef
    return {
      tier: loopback === undefined ? 'B' : 'A',
      ref: pod.ref,
      atMs: pod.runningSinceMs(container.name),
      needs: [
        ...(loopback === undefined
          ? []
          : [givenFact(pod, container, loopback, `${container.name} listens on the loopback address only`)]),
        field(service.history, `spec.ports[${name ?? number}].targetPort`, target, text),
        declared === undefined
          ? field(pod.history, `${path}.ports`, null, 'the container declares no port')
          : field(
              pod.history,
              `${path}.ports[${declared.name ?? port}].containerPort`,
              port,
              `the container declares port ${port}, and nothing accepts there`
            ),
        ...readyFacts(pod, `${pod.ref} was Ready`).slice(0, 2)
      ],
      supports: readinessElsewhere(pod, container, port)
    }
  }
}

/** Running and Ready for a while, no end and no deletion near T. null: it is settled. */
function notSettled(pod: PodView, { name }: Container): Exclusion | null {
  const { ready, moment, deletion } = pod
  const isLongReady = ready.status === 'True' && ready.sinceMs !== null && moment.isPast(ready.sinceMs + SETTLED_MS)
  if (!isLongReady) return { because: `${pod.ref} had not been Ready for a minute` }
  const isNear = pod
    .terminations(name)
    .some(({ finishedMs }) => moment.isWithin(finishedMs - SETTLED_MS, finishedMs + SETTLED_MS))
  if (isNear) return { because: `container ${name} of ${pod.ref} ended near that moment` }
  if (deletion !== null && moment.isPast(deletion.requestedMs - EPSILON_MS - PROPAGATION_MS))
    return { because: `${pod.ref} was asked to go` }
  return null
}

/** A probe on that very port had not failed by then, of a pod that is Ready. */
function passes(pod: PodView, container: Container, port: number): boolean {
  const kinds = [
    ['Readiness', container.readinessProbe],
    ['Liveness', container.livenessProbe],
    ['Startup', container.startupProbe]
  ] as const
  return kinds.some(([kind, probe]) => asksPod(probe) && probePort(container, probe) === port && !isFailing(kind))

  function isFailing(kind: string): boolean {
    return pod.events.some(
      event =>
        event.reason === 'Unhealthy' &&
        event.message.startsWith(`${kind} probe failed`) &&
        covers(event, pod.moment, periodMs(container))
    )
  }
}

/** Kubelet asks the pod's address, unless the probe names a host. */
function asksPod(probe: Probe | undefined): boolean {
  return probe !== undefined && probe.httpGet?.host === undefined
}

function readinessElsewhere(pod: PodView, { name, readinessProbe }: Container, port: number): Fact[] {
  const path = `spec.containers[${name}].readinessProbe`
  if (readinessProbe === undefined) return [field(pod.history, path, null, 'no readiness probe looks at the port')]
  if (readinessProbe.exec !== undefined) return []
  const other = readinessProbe.httpGet?.port ?? readinessProbe.tcpSocket?.port
  return other === undefined || other === port
    ? []
    : [
        field(
          pod.history,
          `${path}.${readinessProbe.httpGet === undefined ? 'tcpSocket' : 'httpGet'}.port`,
          other,
          `its readiness probe asks port ${other}`
        )
      ]
}

const LOOPBACK = /^(?:[a-z+]+:\/\/)?(?:127\.0\.0\.1|localhost|\[?::1\]?)(?::(\d+))?(?:[/;,].*)?$/i
const LISTEN_FLAG =
  /^-+(?:.*[-._])?(?:bind|host|hostname|listen|addr|address|ip|interface|http|b|H|l)(?:[-._](?:addr|address|host|ip|to|on))?$/i
const LISTEN_VARIABLE =
  /^(?:(?:SERVER|APP|HTTP|WEB|API|SERVICE|UVICORN|GUNICORN|HYPERCORN|FLASK|RUN|DJANGO|NODE|NUXT|NEXT|NITRO|VITE|RAILS|PUMA|GRPC|LISTEN|BIND|ASPNETCORE|ROCKET|PHX|QUARKUS)_)*(?:HOST|HOSTNAME|BIND|ADDR|ADDRESS|LISTEN|URLS?|IP|INTERFACE|BINDING)$/i
/** Flags that lead elsewhere though they look alike: a database, a log, a tracer. */
const ELSEWHERE =
  /db|database|redis|mysql|postgres|pg|mongo|amqp|rabbit|kafka|statsd|metrics|otel|trace|jaeger|log|smtp|upstream|proxy|backend/i

function isLoopback({ name, value, from }: Given, port: number): boolean {
  const match = LOOPBACK.exec(value)
  if (match === null) {
    // Options that hold a command line themselves: GUNICORN_CMD_ARGS=--bind=127.0.0.1:8000.
    return from === 'env' && /(?:--bind|--host|-b)[= ](?:127\.0\.0\.1|localhost)/.test(value)
  }
  if (ELSEWHERE.test(name)) return false
  const at = match[1]
  if (at !== undefined && Number(at) !== port) return false
  if (from === 'env') return LISTEN_VARIABLE.test(name) || (at !== undefined && /LISTEN|BIND|ADDR/i.test(name))
  return name === '' ? at !== undefined : LISTEN_FLAG.test(name) || at !== undefined
}
