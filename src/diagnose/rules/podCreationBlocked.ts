import type { Workload } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { conditionAt } from '../conditions.ts'
import type { Current } from '../current.ts'
import { covers, type EventSpan, eventsOf, spanOf } from '../events.ts'
import { evictionOf } from '../eviction.ts'
import { eventFacts, type Fact, field, key, nameOf } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { replicaSetsOf, workloadsOf } from '../workloads.ts'

/** A controller asks again after ever longer pauses, up to a quarter of an hour. */
const PAUSE_MS = 1_000_000
const FAILED = 'FailedCreate'

/** The API refuses the pods that the workload asks for. */
export const podCreationBlocked: Rule = {
  cause: 'pod_creation_blocked',
  judge(scene) {
    const { moment } = scene
    const workloads = workloadsOf(scene)
    const found = workloads.flatMap(workload => refusalsOf(scene, workload))
    const refusals = found.filter(({ span }) => moment.isPast(span.firstMs - EPSILON_MS))
    const covering = refusals.find(({ span }) => covers(span, moment))
    const failure = workloads.map(workload => failureOf(scene, workload)).find(item => item !== null) ?? null
    const last = refusals.findLast(({ span }) => !moment.isAfter(span.lastMs + PAUSE_MS))
    const refusal = covering ?? last
    if (refusal === undefined && failure === null)
      return found.length === 0 ? null : { because: 'pods were refused at another time' }
    const alive = scene.pods.find(pod => !pod.isOver && !pod.isBeingDeleted)
    if (alive !== undefined) return { because: `pods were refused, but ${alive.ref} was there` }
    const evicted = scene.pods.find(pod => pod.isOver && evictionOf(pod) !== null)
    if (evicted !== undefined) return { because: `${evicted.ref} had been evicted before: that is where it began` }
    const message = refusal?.span.message ?? failure!.message
    const needs =
      refusal === undefined ? [] : eventFacts(refusal.span, refusal.span.firstMs, `${refusal.ref}: ${message}`)
    const { variant, facts } = variantOf(scene, message)
    return {
      tier: 'A',
      variant,
      ref: refusal?.ref ?? failure!.ref,
      atMs: refusal?.span.firstMs ?? failure!.sinceMs,
      needs: [...needs, ...(failure?.facts ?? [])],
      supports: facts,
      ...(covering === undefined && failure === null
        ? { adjustments: [['the last refusal was over a minute before', -0.15]] as const }
        : {})
    }
  }
}

interface Refusal {
  ref: string
  span: EventSpan
}

/** Of the workload itself and of its ReplicaSets, by last time; by name where the ReplicaSets were not seen. */
function refusalsOf(scene: Scene, workload: Current<Workload>): Refusal[] {
  const { state } = scene
  const sets = workload.history.kind === 'Deployment' ? replicaSetsOf(scene, workload) : []
  const refusals: Refusal[] = []
  for (const { history } of [workload, ...sets]) {
    for (const span of eventsOf(state, history))
      if (span.reason === FAILED) refusals.push({ ref: nameOf(history), span })
  }
  if (workload.history.kind === 'Deployment' && sets.length === 0) refusals.push(...refusalsByName(scene, workload))
  return refusals.sort((a, b) => a.span.lastMs - b.span.lastMs)
}

function refusalsByName({ state }: Scene, { history }: Current<Workload>): Refusal[] {
  const refusals: Refusal[] = []
  for (const event of state.all('Event', history.namespace)) {
    const span = spanOf(event)
    const { kind, name = '' } = span.object.involvedObject ?? {}
    const isIts =
      kind === 'ReplicaSet' && name.startsWith(`${history.name}-`) && !name.slice(history.name.length + 1).includes('-')
    if (span.reason === FAILED && isIts) refusals.push({ ref: `ReplicaSet ${history.namespace}/${name}`, span })
  }
  return refusals
}

/** The condition ReplicaFailure of a ReplicaSet or its Deployment. */
function failureOf(scene: Scene, workload: Current<Workload>) {
  const sets = workload.history.kind === 'Deployment' ? replicaSetsOf(scene, workload) : []
  for (const { history } of [...sets.toReversed(), workload]) {
    const { status, reason, message, sinceMs, isInferred } = conditionAt(
      history as History<Workload>,
      'ReplicaFailure',
      scene.moment
    )
    if (status !== 'True' || isInferred || (reason !== null && reason !== FAILED)) continue
    const text = `${nameOf(history)} could make no pod: ${message ?? reason ?? ''}`
    const path = 'status.conditions[ReplicaFailure]'
    const facts = [field(history, `${path}.status`, 'True', text, sinceMs)]
    if (message !== null) facts.push(field(history, `${path}.message`, message, text, sinceMs))
    return { ref: nameOf(history), message: message ?? '', sinceMs, facts }
  }
  return null
}

const VARIANTS: readonly (readonly [variant: string, pattern: RegExp])[] = [
  ['quota', /exceeded quota|failed quota|insufficient quota/i],
  ['pod_security', /PodSecurity|security context constraint|PodSecurityPolicy|pod security/i],
  ['webhook', /admission webhook|calling webhook|ValidatingAdmissionPolicy|\bwebhook\b/i],
  ['service_account', /service ?account/i],
  ['limit_range', /(maximum|minimum) (cpu|memory|ephemeral-storage|.+) usage per|limit to request ratio|LimitRange/i]
]

/** By the words of the refusal. A quota that can be read says the same in figures. */
function variantOf(scene: Scene, message: string): { variant: string; facts: Fact[] } {
  const variant = VARIANTS.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other'
  const [, name, requested] = /exceeded quota: ([^,\s]+), requested: ([^\s,]+)/.exec(message) ?? []
  const quota =
    name === undefined || scene.namespace === null ? null : scene.get('ResourceQuota', scene.namespace, name)
  const resource = requested?.split('=')[0]
  const used = quota?.object.status?.used
  if (!quota || resource === undefined || !used || !Object.hasOwn(used, resource)) return { variant, facts: [] }
  const value = String(used[resource])
  return {
    variant,
    facts: [field(quota.history, `status.used${key(resource)}`, value, `the quota ${name} is used up`)]
  }
}
