import type { Container } from '../../cluster/objects.ts'
import { givenFact, givenTo } from '../commandLine.ts'
import { listOf } from '../conditions.ts'
import { type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import type { PodView } from '../podView.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { secondsOf } from '../setting.ts'

/** A connection that was closed already fails at once. */
const AT_ONCE_MS = 50
const DEFAULT_S = 60
const NAME = 'upstream-keepalive-timeout'
/** nginx sends the others again by itself. */
const NON_IDEMPOTENT: ReadonlySet<string> = new Set(['POST', 'PATCH', 'LOCK'])

/** The app closes idle connections earlier than nginx does, and nginx sends a request into one that is just closing. */
export const keepaliveMismatch: Rule = {
  cause: 'keepalive_mismatch',
  isOfPod: true,
  judge(scene) {
    const { pod, container } = scene
    if (pod === null || container === null) return null
    const idle = idleTimeout(pod, container)
    if (idle === null) return null
    const tookMs = scene.input.detail.upstreamResponseTimeMs
    if (tookMs !== null && tookMs > AT_ONCE_MS)
      return { because: `it took ${tookMs / 1000} s: a connection that was closed already fails at once` }
    if (pod.ready.status !== 'True') return { because: `${pod.ref} was not Ready` }
    if (isEndNear(pod, container)) return { because: `${pod.ref} ended or was asked to go near that moment` }
    const proxy = proxyTimeout(scene)
    if (idle.seconds >= proxy.seconds)
      return { because: `the app keeps idle connections for ${idle.seconds} s, nginx for ${proxy.seconds} s` }
    const { method } = scene.input.detail
    const isSentOnce = method !== null && NON_IDEMPOTENT.has(method)
    return {
      tier: idle.isDefault ? 'C' : 'B',
      ref: pod.ref,
      atMs: null,
      needs: [idle.fact, ...proxy.facts, ...readyFacts(pod, `${pod.ref} was Ready`).slice(0, 2)],
      adjustments: isSentOnce ? [[`${method} is not sent again by nginx`, 0.03]] : [],
      isUnobserved: tookMs === null || proxy.facts.length === 0
    }
  }
}

function isEndNear(pod: PodView, { name }: Container): boolean {
  const { moment, deletion } = pod
  if (pod.down(name) !== null) return true
  if (deletion !== null && moment.isPast(deletion.requestedMs - PROPAGATION_MS)) return true
  return pod
    .terminations(name)
    .some(({ finishedMs }) => moment.isWithin(finishedMs - PROPAGATION_MS, finishedMs + PROPAGATION_MS + EPSILON_MS))
}

function proxyTimeout(scene: Scene): { seconds: number; facts: Fact[] } {
  const { configMap, controller } = scene
  if (configMap === null) {
    const namespace = controller.namespace ?? 'ingress-nginx'
    const text = `the controller has no ConfigMap: nginx keeps idle connections for ${DEFAULT_S} s (the default)`
    const missing = scene.absence('ConfigMap', namespace, 'ingress-nginx-controller', text)
    return { seconds: DEFAULT_S, facts: missing?.isCertain ? [missing.fact] : [] }
  }
  const { data } = configMap.object
  const value = data && Object.hasOwn(data, NAME) ? data[NAME]! : null
  const seconds = (value === null ? null : secondsOf(value)) ?? DEFAULT_S
  const text = `nginx keeps idle connections for ${seconds} s${value === null ? ' (the default)' : ''}`
  return { seconds, facts: [field(configMap.history, `data.${NAME}`, value, text)] }
}

interface IdleTimeout {
  seconds: number
  /** Nothing sets it: it is what a known server does by itself. */
  isDefault: boolean
  fact: Fact
}

const KEEP_ALIVE = /keep[-_.]?alive/i
const NOT_HTTP = /tcp|client|upstream|grpc|redis|db|interval|requests|count|probes|max/i
/** Idle timeouts that servers have unless told otherwise, s. */
const DEFAULTS: readonly (readonly [server: RegExp, seconds: number])[] = [
  [/\bgunicorn\b/i, 2],
  [/\buvicorn\b/i, 5],
  [/\b(?:node|nodejs|npm|yarn|pnpm|next|nest)\b/i, 5],
  [/\b(?:tomcat|catalina|spring-boot)\b/i, 20],
  [/\bjetty\b/i, 30]
]

function idleTimeout(pod: PodView, container: Container): IdleTimeout | null {
  for (const given of givenTo(container)) {
    const { name, value, from } = given
    let seconds: number | null = null
    if (KEEP_ALIVE.test(name)) seconds = NOT_HTTP.test(name) ? null : idleSeconds(name, value)
    // An option that holds a command line itself: GUNICORN_CMD_ARGS=--keep-alive 2.
    else if (from === 'env')
      seconds = idleSeconds('', /keep-?alive(?:-?timeout)?[ =](\d+(?:ms|s)?)/i.exec(value)?.[1] ?? '')
    if (seconds === null) continue
    return { seconds, isDefault: false, fact: givenFact(pod, container, given, textOf(container, seconds)) }
  }
  return byServer(pod, container)
}

function textOf({ name }: Container, seconds: number): string {
  return `${name} closes connections that were idle for ${seconds} s`
}

/** `_MS` in the name, or 1000 and more, means milliseconds. */
function idleSeconds(name: string, value: string): number | null {
  const text = /^PT(\d+(?:\.\d+)?)S$/i.exec(value.trim())?.[1] ?? value
  const seconds = secondsOf(text)
  if (seconds === null) return null
  const hasUnit = /[a-z]\s*$/i.test(text)
  if (hasUnit) return seconds
  return /[-_.]?(?:ms|millis|milliseconds)$/i.test(name) || seconds >= 1000 ? seconds / 1000 : seconds
}

function byServer(pod: PodView, container: Container): IdleTimeout | null {
  for (const [server, seconds] of DEFAULTS) {
    const text = `${textOf(container, seconds)}, unless told otherwise`
    for (const from of ['command', 'args'] as const) {
      if (!server.test(listOf(container[from]).join(' '))) continue
      return { seconds, isDefault: true, fact: givenFact(pod, container, { name: '', value: '', from }, text) }
    }
    const { name, image = '' } = container
    if (!server.test(image)) continue
    return { seconds, isDefault: true, fact: field(pod.history, `spec.containers[${name}].image`, image, text) }
  }
  return null
}
