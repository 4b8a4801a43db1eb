/** The table of what is lost with a kind, against every case: each is judged once more without it. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { certificateFacts } from '../../src/cluster/certificate.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { Kind } from '../../src/cluster/objects.ts'
import { readCase } from '../../src/diagnose/caseFile.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { causesWithout, KIND_NEEDS } from '../../src/diagnose/kindNeeds.ts'
import type { RootCause } from '../../src/diagnose/rootCauses.ts'
import { someOf } from '../support/seed.ts'
import { allCases } from './support/allCases.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'

const VISIBLE = new URL('../../samples/diagnosis/visible.jsonl', import.meta.url)
const visible = readFileSync(VISIBLE, 'utf8').split('\n').filter(Boolean)
const cases = [...visible.map(line => JSON.parse(line) as DiagnosisCase), ...(await allCases())]

/** As a cluster would have it in which the kind may not be read; null: no such object is in the case. */
function without(kind: Kind, events: readonly ClusterEvent[]): ClusterEvent[] | null {
  const left = events.filter(event => !('object' in event) || event.object.kind !== kind)
  if (left.length === events.length) return null
  return left.map(event =>
    'kinds' in event
      ? {
          ...event,
          kinds: event.kinds.filter(other => other !== kind),
          unreadable: { ...event.unreadable, [kind]: '403' }
        }
      : event
  )
}

const lost = new Map<Kind, Map<RootCause, string>>()
for (const one of someOf(cases)) {
  const { input, events } = readCase(one, { certificateFacts })
  const judge = (known: readonly ClusterEvent[]) => {
    const state = openClusterState()
    for (const event of known) state.apply(event)
    return diagnose(input, state)?.rootCause
  }
  const whole = judge(events)!
  if (whole === 'undetermined') continue
  for (const [kind, { causes }] of Object.entries(KIND_NEEDS) as [Kind, (typeof KIND_NEEDS)[Kind]][]) {
    // What is in the table may be missed.
    if (causes === 'all' || causes.includes(whole)) continue
    const left = without(kind, events)
    if (left !== null && judge(left) !== whole)
      lost.set(kind, (lost.get(kind) ?? new Map<RootCause, string>()).set(whole, one.id))
  }
}

test.each(Object.keys(KIND_NEEDS) as Kind[])('every root cause that is missed without %s is in the table', kind => {
  expect([...(lost.get(kind) ?? [])]).toEqual([])
})

test('several kinds cost what each of them does, once', () => {
  expect(causesWithout(['Node', 'HorizontalPodAutoscaler', 'Node'])).toEqual([
    ...(KIND_NEEDS.Node.causes as RootCause[]),
    'autoscaler_limited'
  ])
  expect(causesWithout(['Node', 'Pod'])).toBe('all')
  expect(causesWithout([])).toEqual([])
})
