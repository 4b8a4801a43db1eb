/** A stored failure that is judged again: only what the cluster says changes, and only when it says something else. */
import { describe, expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { inputOfDocument } from '../../src/failureInput.ts'
import type { ClusterJudgement } from '../../src/model.ts'
import { DIAGNOSIS_FIELDS } from '../../src/store/diagnosisFields.ts'
import { buildDocument, type FailureDocument } from '../../src/store/document.ts'
import { rejudged } from '../../src/store/rejudged.ts'
import { runEngine } from '../support/engineRun.ts'
import { ShopCluster, told } from '../support/shopCluster.ts'
import { EXAMPLES, options, T } from './examples.ts'

const LABELS = ['app', 'app.kubernetes.io/version']
const shop = new ShopCluster({ addresses: ['10.2.3.14', '10.2.3.15', '10.2.3.16'], nowMs: T })
const EARLY = shop.listed(T - 600_000)
const LATE = [...EARLY, told(T + 20_000, 'MODIFIED', shop.oomKilled(2, T - 1_000))]

function judgementOf(document: FailureDocument, events: readonly ClusterEvent[]): ClusterJudgement {
  const state = openClusterState()
  for (const event of [...events, { at: T + 60_000, type: 'HEARTBEAT' } as const]) state.apply(event)
  return { isKnown: true, diagnosis: diagnose(inputOfDocument(document), state) }
}

/** As it was judged at once; null: nothing was known. */
function stored(name: string, events: readonly ClusterEvent[] | null) {
  const [failure] = runEngine(EXAMPLES[name]!).failures
  const given = { ...options(), labels: LABELS, nowMs: () => T + 1_000 }
  if (events !== null) failure!.judgement = judgementOf(buildDocument(failure!, given).document, events)
  return buildDocument(failure!, given)
}

const NOTHING: ClusterJudgement = { isKnown: true, diagnosis: null }

describe.each(Object.keys(EXAMPLES))('%s', name => {
  test('judged in the same way: there is nothing to write', () => {
    for (const events of [EARLY, LATE]) {
      const { document } = stored(name, events)
      expect(rejudged(document, judgementOf(document, events), LABELS)).toBeNull()
    }
  })

  test('judged again is judged at once with what is known by then', () => {
    for (const first of [null, EARLY]) {
      const { document } = stored(name, first)
      const before = structuredClone(document)
      const again = rejudged(document, judgementOf(document, LATE), LABELS)
      const want = stored(name, LATE).document
      expect(again === null ? document : again.document).toEqual(want)
      // What was read stays as it is: it may be a page of a reader.
      expect(document).toEqual(before)
    }
  })

  test('what the cluster said is gone with it, and nothing else', () => {
    const again = rejudged(stored(name, LATE).document, NOTHING, LABELS)
    const { document } = stored(name, null)
    expect(again!.document).toEqual({
      ...document,
      why5xx: { ...(document.why5xx as object), cluster: { known: true } }
    })
  })
})

test('the verdict is another one, and a higher version in the same index', () => {
  const early = stored('refused-three-times', EARLY)
  expect(early.document).toMatchObject({ why5xx: { root_cause: { kind: 'undetermined' } } })
  const again = rejudged(early.document, judgementOf(early.document, LATE), LABELS)!
  expect(again).toMatchObject({
    id: early.id,
    timeMs: early.timeMs,
    version: early.version + 4,
    document: {
      event: { id: early.id, ingested: new Date(T + 1_000).toISOString() },
      why5xx: { root_cause: { kind: 'oom_killed', ref: `Pod shop/${shop.pods[2]!.metadata.name}` } },
      labels: { app: 'cart', app_kubernetes_io_version: '2.4.1' }
    }
  })
  // A later life of the worker reads the lines again: what it writes is refused.
  expect(stored('refused-three-times', LATE).version).toBeLessThan(again.version)
})

test.each([
  ['alone', 'read-timeout-without-error-line', 8 + 4 + 2],
  ['with error lines', 'refused-three-times', 8 + 4 + 2 + 1]
])('its version tells what it was judged by: %s', (_name, example, version) => {
  const { document } = stored(example, null)
  expect(rejudged(document, NOTHING, LABELS)!.version).toBe(version)
})

test('a newer program keeps the version of the rules that told the cause', () => {
  const { document } = stored('refused-three-times', null)
  Object.assign((document.why5xx as { rule: object }).rule, { version: 7 })
  expect(rejudged(document, NOTHING, LABELS)!.version).toBe(7 * 8 + 4 + 2 + 1)
})

test('every field that the cluster gives is taken out and put in', () => {
  const full = stored('refused-three-times', LATE).document
  const paths = DIAGNOSIS_FIELDS.map(({ path }) => path)
  const has = (document: FailureDocument, path: string): boolean =>
    path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document) !==
    undefined
  const given = paths.filter(path => has(full, path))
  expect(given.length).toBeGreaterThan(20)
  const none = rejudged(full, NOTHING, [])!.document
  const back = rejudged(none, judgementOf(none, LATE), LABELS)!.document
  expect(paths.filter(path => has(back, path))).toEqual(given)
  expect(back).toEqual(full)
})
