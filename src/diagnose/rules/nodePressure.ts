import { conditionAt } from '../conditions.ts'
import { covers } from '../events.ts'
import { evictionOf } from '../eviction.ts'
import { eventFacts, type Fact, field } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import { nodeEvents } from '../node.ts'
import type { Rule } from '../rule.ts'
import { timeText } from '../times.ts'

const PRESSURES = [
  ['MemoryPressure', 'memory'],
  ['DiskPressure', 'disk space'],
  ['PIDPressure', 'process ids']
] as const
const SIGNS: ReadonlySet<string> = new Set([
  'SystemOOM',
  'EvictionThresholdMet',
  'FreeDiskSpaceFailed',
  'ImageGCFailed'
])

/** The node was short of memory, disk or process ids. */
export const nodePressure: Rule = {
  cause: 'node_pressure',
  isOfPod: true,
  explains: ['app_slow', 'app_error'],
  judge(scene) {
    const { pod, node, state, moment } = scene
    if (pod === null || node === null) return null
    const { history } = node
    const ready = conditionAt(history, 'Ready', moment)
    for (const [type, what] of PRESSURES) {
      const { status, sinceMs, isInferred, next } = conditionAt(history, type, moment)
      if (status !== 'True') continue
      // What was Unknown until the node came back was not True.
      if (isInferred && (next?.status !== 'False' || next.atMs === ready.next?.atMs)) continue
      const eviction = evictionOf(pod)
      if (eviction?.atMs !== undefined && (eviction.atMs === null || moment.isPast(eviction.atMs - EPSILON_MS)))
        return { because: `${pod.ref} itself was evicted` }
      const path = `status.conditions[${type}].status`
      const text = `node ${history.name}, where ${pod.ref} runs, was short of ${what}`
      const needs: Fact[] = [
        field(pod.history, 'spec.nodeName', history.name, `${pod.ref} was on node ${history.name}`)
      ]
      if (isInferred) {
        const until = `node ${history.name} had enough ${what} again only after the failure`
        needs.push(
          field(history, `status.conditions[${type}].lastTransitionTime`, timeText(next!.atMs), until, next!.atMs)
        )
      } else {
        const since = `status.conditions[${type}].lastTransitionTime`
        needs.push(field(history, path, 'True', text, sinceMs), field(history, since, timeText(sinceMs), text, sinceMs))
      }
      const signs = nodeEvents(state, history.name, history).filter(
        span => SIGNS.has(span.reason) && covers(span, moment)
      )
      return {
        tier: 'B',
        ref: `Node ${history.name}`,
        atMs: sinceMs,
        needs,
        supports: signs.flatMap(span => eventFacts(span, span.lastMs, span.message).slice(0, 1)),
        isInferred
      }
    }
    return null
  }
}
