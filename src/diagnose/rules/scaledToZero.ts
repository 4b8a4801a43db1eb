import type { Workload } from '../../cluster/objects.ts'
import type { Current } from '../current.ts'
import { type EventSpan, eventsOf, spanOf } from '../events.ts'
import { eventFacts, type Fact, field, key, nameOf } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { replicaSetsOf, workloadsOf } from '../workloads.ts'

/** Pairs of the selector that are cited. */
const CITED_MAX = 4
const KEDA_LABEL = 'scaledobject.keda.sh/name'

/** Nobody runs it: the workload of the Service had been told to have no pods. */
export const scaledToZero: Rule = {
  cause: 'scaled_to_zero',
  judge(scene) {
    const { service, moment } = scene
    const workloads = workloadsOf(scene).filter(({ history }) => history.kind !== 'DaemonSet')
    const [first] = workloads
    if (first === undefined || service === null) return null
    const idle = workloads.filter(({ object }) => object.spec?.replicas === 0)
    if (idle.length === 0) return null
    if (idle.length < workloads.length) return { because: 'another workload of the Service should have had pods' }
    const alive = scene.pods.find(pod => !pod.isOver && !pod.isBeingDeleted)
    if (alive !== undefined) return { because: `${alive.ref} was there` }
    const scalings = scalingsOf(scene, first)
    const scaling = scalings.findLast(({ firstMs }) => moment.isPast(firstMs - EPSILON_MS)) ?? null
    if (scaling === null && first.isLater && scalings.length > 0)
      return { because: `${nameOf(first.history)} was scaled to 0 only after the failure` }
    const keda = kedaFacts(scene, first)
    const selector = Object.entries(service.object.spec?.selector ?? {})
    const text = `${nameOf(first.history)} had 0 replicas`
    return {
      tier: 'A',
      variant: keda.length > 0 ? 'keda' : 'manual',
      ref: nameOf(first.history),
      atMs: scaling?.lastMs ?? (first.isLater ? null : seenMs(first)),
      needs: [
        field(first.history, 'spec.replicas', 0, text, scaling?.lastMs ?? null),
        ...(scaling === null ? [] : eventFacts(scaling, scaling.lastMs, scaling.message)),
        ...selector.slice(0, CITED_MAX).flatMap(([name, value]) => selectorFacts(scene, first, name, value))
      ],
      supports: keda,
      // A watch that saw it at 0 by then needs no Event.
      ...(scaling === null && first.isLater
        ? { adjustments: [['nothing tells that it was at 0 by then', -0.15]] as const }
        : {})
    }
  }
}

function selectorFacts(scene: Scene, workload: Current<Workload>, name: string, value: string): Fact[] {
  const { history, object } = workload
  const service = scene.service!
  const labels = object.spec?.template?.metadata?.labels
  const text = `Service ${service.history.name} selects the pods of ${nameOf(history)}`
  const isInTemplate = labels !== undefined && Object.hasOwn(labels, name)
  return [
    field(service.history, `spec.selector${key(name)}`, value, text),
    ...(isInTemplate ? [field(history, `spec.template.metadata.labels${key(name)}`, labels[name], text)] : [])
  ]
}

/** Since when a watch saw it at 0, Unix ms; null: it always was. */
function seenMs({ history }: Current<Workload>): number | null {
  return (
    history.versions.findLast(({ object }, index) => {
      const before = history.versions[index - 1]?.object.spec?.replicas
      return object.spec?.replicas === 0 && before !== undefined && before !== 0
    })?.atMs ?? null
  )
}

/** Events that say so: of the newest ReplicaSet, since a rollout brings every older one to 0; of a StatefulSet its last pod. */
function scalingsOf(scene: Scene, workload: Current<Workload>): EventSpan[] {
  const { history } = workload
  const newest = history.kind === 'Deployment' ? replicaSetsOf(scene, workload).at(-1)?.history.name : undefined
  return eventsOf(scene.state, history).filter(({ reason, message }) => {
    if (reason === 'SuccessfulDelete') return message.includes(`Pod ${history.name}-0 `)
    if (reason !== 'ScalingReplicaSet') return false
    const set = /replica set (\S+)/.exec(message)?.[1]
    return /\bto 0\b/.test(message) && (newest === undefined || set === undefined || set === newest)
  })
}

/** What tells that KEDA decides how many there are. */
function kedaFacts(scene: Scene, { history, object }: Current<Workload>): Fact[] {
  const facts: Fact[] = []
  for (const hpa of scene.all('HorizontalPodAutoscaler', history.namespace)) {
    const { kind, name } = hpa.object.spec?.scaleTargetRef ?? {}
    const isOfKeda = hpa.history.name.startsWith('keda-hpa-') || hasLabel(hpa.object.metadata.labels)
    if (!isOfKeda || kind !== history.kind || name !== history.name) continue
    facts.push(field(hpa.history, 'spec.scaleTargetRef.name', name, `KEDA scales ${name} (${hpa.history.name})`))
  }
  if (hasLabel(object.metadata.labels)) {
    const value = object.metadata.labels![KEDA_LABEL]
    facts.push(field(history, `metadata.labels[${KEDA_LABEL}]`, value, `KEDA scales ${history.name}`))
  }
  for (const event of scene.state.all('Event', history.namespace)) {
    const span = spanOf(event)
    const isAbout = span.object.involvedObject?.name === history.name || mentions(span.message, history.name)
    if (!span.reason.startsWith('KEDAScaleTargetDeactivat') || !isAbout) continue
    facts.push(...eventFacts(span, span.lastMs, span.message))
  }
  return facts
}

function hasLabel(labels: Record<string, string> | undefined): boolean {
  return labels !== undefined && Object.hasOwn(labels, KEDA_LABEL)
}

function mentions(message: string, name: string): boolean {
  return message.split(/[\s/"',]+/).includes(name)
}
