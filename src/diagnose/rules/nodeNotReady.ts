import type { Node } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { conditionAt } from '../conditions.ts'
import { currentOf } from '../current.ts'
import { absent, eventFacts, type Fact, field } from '../fact.ts'
import { nodeEvents, renewalsOf, type Silence, silencesOf } from '../node.ts'
import type { Exclusion, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'

/** A node is called Unknown 40 to 50 s after it fell silent. */
const DETECTION_MS = 60_000
const READY = 'status.conditions[Ready]'
/** Events of the controllers that remove a node object. */
const REMOVALS: ReadonlySet<string> = new Set(['RemovingNode', 'DeletingNode'])

/** The pod's node was lost, or its kubelet was down. */
export const nodeNotReady: Rule = {
  cause: 'node_not_ready',
  isOfPod: true,
  explains: ['termination_race', 'readiness_failing', 'node_network_failure', 'node_pressure', 'network_policy_block'],
  judge(scene) {
    const { pod, state, moment } = scene
    const name = pod?.object.spec?.nodeName
    if (pod === null || name === undefined) return null
    const histories = scene.nodeHistories
    const node = currentOf(histories, moment)
    if (node === null) return ofDeleted(scene, name, histories)
    const { history } = node
    const ready = conditionAt(history, 'Ready', moment)
    if (ready.status === 'False' || ready.status === 'Unknown') {
      if (ready.isInferred) return ofRecovered(scene, history, ready.next?.atMs ?? null)
      const text = `node ${name}, where ${pod.ref} runs, was not Ready${ready.reason === null ? '' : `: ${ready.reason}`}`
      const supports: Fact[] = []
      if (ready.reason !== null) supports.push(field(history, `${READY}.reason`, ready.reason, text, ready.sinceMs))
      const renewal = renewalsOf(state, name).findLast(({ atMs }) => moment.isPast(atMs))
      if (ready.status === 'Unknown' && renewal !== undefined)
        supports.push(leaseFact(name, renewal.text, renewal.atMs))
      return {
        tier: 'A',
        ref: `Node ${name}`,
        atMs: ready.sinceMs,
        needs: [
          placeFact(scene, name),
          field(history, `${READY}.status`, ready.status, text, ready.sinceMs),
          field(history, `${READY}.lastTransitionTime`, timeText(ready.sinceMs), text, ready.sinceMs)
        ],
        supports
      }
    }
    return ofSilent(scene, history)
  }
}

/** Called Unknown only after T, having been silent before. */
function ofSilent(scene: Scene, history: History<Node>): Finding | Exclusion | null {
  const { moment, state } = scene
  const { name } = history
  const silence = silencesOf(history).find(({ foundMs }) => !moment.isPast(foundMs))
  if (silence === undefined || !moment.isPast(silence.foundMs - DETECTION_MS)) return null
  const renewals = renewalsOf(state, name).filter(({ atMs }) => atMs <= silence.foundMs)
  const late = renewals.find(({ atMs }) => !moment.isPast(atMs))
  if (late !== undefined) return { because: `node ${name} renewed its lease at ${late.text}, after the failure` }
  const renewal = renewals.at(-1)
  const { heartbeatMs } = silence
  if (heartbeatMs !== null && !moment.isPast(heartbeatMs))
    return { because: `node ${name} told its status at ${silence.heartbeat}, after the failure` }
  return {
    tier: 'A',
    ref: `Node ${name}`,
    atMs: renewal?.atMs ?? heartbeatMs ?? silence.foundMs,
    needs: [placeFact(scene, name), ...silenceFacts(history, silence)],
    supports: renewal === undefined ? [] : [leaseFact(name, renewal.text, renewal.atMs)],
    isUnobserved: heartbeatMs === null && renewal === undefined
  }
}

function silenceFacts(history: History<Node>, { foundMs, heartbeat, heartbeatMs }: Silence): Fact[] {
  const text = `node ${history.name} was found silent at ${timeText(foundMs)}; that takes 40 s and more`
  const facts = [
    field(history, `${READY}.status`, 'Unknown', text, foundMs),
    field(history, `${READY}.lastTransitionTime`, timeText(foundMs), text, foundMs)
  ]
  if (heartbeat !== null)
    facts.push(
      field(history, `${READY}.lastHeartbeatTime`, heartbeat, `its last status came at ${heartbeat}`, heartbeatMs)
    )
  return facts
}

/** Ready again since a moment after T: it was not so before. */
function ofRecovered(scene: Scene, history: History<Node>, atMs: number | null): Finding {
  const { name } = history
  const text = `node ${name} became Ready only after the failure`
  return {
    tier: 'A',
    ref: `Node ${name}`,
    atMs: null,
    needs: [placeFact(scene, name), field(history, `${READY}.lastTransitionTime`, timeText(atMs), text, atMs)],
    isInferred: true
  }
}

/** The object was gone by T. One that was never seen proves nothing, unless something else tells of its end. */
function ofDeleted(scene: Scene, name: string, histories: readonly History<Node>[]): Finding | null {
  const { moment, state, pod } = scene
  const last = histories.findLast(({ deletedMs }) => deletedMs !== null && moment.isPast(deletedMs))
  const removal = nodeEvents(state, name, last ?? null).find(
    ({ reason, firstMs }) => REMOVALS.has(reason) && moment.isPast(firstMs)
  )
  if (last === undefined && (removal === undefined || histories.length > 0 || !scene.isObservable('Node', '')))
    return null
  const text = `node ${name}, where ${pod?.ref ?? 'the pod'} ran, had been removed`
  const atMs = last?.deletedMs ?? removal?.firstMs ?? null
  const supports = removal === undefined ? [] : eventFacts(removal, removal.firstMs, removal.message)
  const found = last === undefined ? undefined : silencesOf(last).at(-1)
  return {
    tier: 'A',
    ref: `Node ${name}`,
    atMs,
    needs: [
      placeFact(scene, name),
      { ...absent('Node', '', name, text), atMs },
      ...(last === undefined || found === undefined ? [] : silenceFacts(last, found))
    ],
    supports
  }
}

function placeFact({ pod }: Scene, name: string): Fact {
  return field(pod!.history, 'spec.nodeName', name, `${pod!.ref} was on node ${name}`)
}

function leaseFact(name: string, renewTime: string, atMs: number): Fact {
  const lease = { kind: 'Lease', namespace: 'kube-node-lease', name } as const
  return field(lease, 'spec.renewTime', renewTime, `it renewed its lease for the last time at ${renewTime}`, atMs)
}
