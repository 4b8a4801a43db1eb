import type { Container } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import { EPSILON_MS, PROPAGATION_MS } from '../moment.ts'
import type { PodView } from '../podView.ts'
import { isStarting, periodMs, readinessFailures, readinessFailuresAtT } from '../readiness.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Exclusion, Finding, Rule, Tier } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'

/** The app runs and says that it is not ready, or something else that the pod waits for does. */
export const readinessFailing: Rule = {
  cause: 'readiness_failing',
  isOfPod: true,
  explains: ['app_slow'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    const { ready } = pod
    if (ready.status !== 'False' && ready.status !== 'Unknown') return wasFailing(scene, pod)
    const gate = unmetGate(pod)
    if (gate !== null) {
      const needs = [...readyFacts(pod, `${pod.ref} was not Ready`), ...gate]
      return { ...base(scene, pod), needs, isInferred: ready.isInferred }
    }
    for (const container of containersOf(scene, pod)) {
      const failures = readinessFailuresAtT(pod, container)
      const isUnready = pod.runs(container.name) === true && pod.isContainerReady(container.name) !== true
      if (failures.length === 0 && !isUnready) continue
      // Read backwards from a later change, and neither an Event nor a version says that it was so.
      const isUnobserved = failures.length === 0 && ready.isInferred && pod.isContainerReady(container.name) !== false
      // Ready is False from the pod's first second on: a start that went well is no failing probe.
      const isStart = isStarting(pod)
      const finding = base(scene, pod)
      return {
        ...finding,
        // Without an Event of the probe the fields say that it is not ready, and nothing says why.
        tier: isStart ? 'C' : failures.length === 0 && finding.tier === 'A' ? 'B' : finding.tier,
        needs: [
          ...readyFacts(pod, `${pod.ref} was not Ready`),
          ...containerFacts(pod, container),
          ...failures.flatMap(event => eventFacts(event, event.firstMs, `its readiness probe failed: ${event.message}`))
        ],
        supports: probeFacts(pod, container),
        isInferred: ready.isInferred,
        isUnobserved
      }
    }
    return null
  }
}

function base(scene: Scene, pod: PodView): Pick<Finding, 'tier' | 'ref' | 'atMs'> {
  return { tier: tierOf(scene, pod), ref: pod.ref, atMs: pod.ready.sinceMs }
}

/** A request that still reached the pod was sent within the time that a change takes to reach the proxy. */
function tierOf(scene: Scene, { ready, moment }: PodView): Tier {
  if (scene.symptom === 'no_endpoints' || ready.sinceMs === null) return 'A'
  return moment.isWithin(ready.sinceMs - EPSILON_MS, ready.sinceMs + PROPAGATION_MS) ? 'A' : 'C'
}

/** For a Service without endpoints any container may decide, also one whose readiness nothing tells. */
function containersOf(scene: Scene, pod: PodView): readonly Container[] {
  const { container } = scene
  const others = pod.lasting.filter(({ name }) => name !== container?.name)
  return container === null ? others : [container, ...others]
}

function wasFailing(scene: Scene, pod: PodView): Exclusion | null {
  if (pod.ready.status !== 'True') return null
  for (const container of containersOf(scene, pod)) {
    const [newest] = readinessFailures(pod, container)
    if (newest === undefined) continue
    const isOver = pod.moment.isAfter(newest.lastMs + 3 * periodMs(container))
    const when = timeText(newest.lastMs)
    return {
      because: isOver
        ? `the readiness probe of ${pod.ref} failed last at ${when}, and it was Ready when the request failed`
        : `${pod.ref} was Ready when the request failed`
    }
  }
  return null
}

function unmetGate(pod: PodView): Fact[] | null {
  for (const { conditionType } of listOf(pod.object.spec?.readinessGates)) {
    const { status, sinceMs } = pod.condition(conditionType)
    if (status === 'True') continue
    const path = `status.conditions[${conditionType}]`
    const text = `the readiness gate ${conditionType} was not met`
    return [
      field(pod.history, `spec.readinessGates[${conditionType}].conditionType`, conditionType, text),
      status === null
        ? field(pod.history, path, null, text)
        : field(pod.history, `${path}.status`, status, text, sinceMs)
    ]
  }
  return null
}

function containerFacts(pod: PodView, { name }: Container): Fact[] {
  const at = pod.statusAt(name)
  if (at === null) return []
  const facts: Fact[] = []
  if (at.status.ready === false)
    facts.push(field(pod.history, `${at.path}.ready`, false, `container ${name} runs and is not ready`))
  const startedAt = at.status.state?.running?.startedAt
  if (startedAt !== undefined)
    facts.push(
      field(pod.history, `${at.path}.state.running.startedAt`, startedAt, `container ${name} runs since ${startedAt}`)
    )
  return facts
}

export function probeFacts(pod: PodView, { name, readinessProbe }: Container): Fact[] {
  const path = `${pod.specPath(name)}.readinessProbe`
  const { httpGet, tcpSocket } = readinessProbe ?? {}
  const facts: Fact[] = []
  if (httpGet?.path !== undefined)
    facts.push(field(pod.history, `${path}.httpGet.path`, httpGet.path, `its readiness probe asks ${httpGet.path}`))
  const port = httpGet?.port ?? tcpSocket?.port
  if (port !== undefined) {
    const kind = httpGet === undefined ? 'tcpSocket' : 'httpGet'
    facts.push(field(pod.history, `${path}.${kind}.port`, port, `its readiness probe asks port ${port}`))
  }
  if (httpGet?.scheme !== undefined && httpGet.scheme !== 'HTTP')
    facts.push(
      field(pod.history, `${path}.httpGet.scheme`, httpGet.scheme, `its readiness probe speaks ${httpGet.scheme}`)
    )
  return facts
}
