/** What alerts see of a failure says the same as its document. */
import { describe, expect, test } from 'vitest'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import { DiagnosisMemo } from '../src/diagnose/memo.ts'
import { inputOfFailure } from '../src/failureInput.ts'
import { MASK_ALL, Masker } from '../src/mask.ts'
import type { Failure } from '../src/model.ts'
import { sightingOf } from '../src/sighting.ts'
import { buildDocument } from '../src/store/document.ts'
import { rawFailure } from '../src/store/sink.ts'
import { failureRow } from '../src/store/store.ts'
import { EXAMPLES, options, T } from './store/examples.ts'
import { runEngine } from './support/engineRun.ts'
import { accessLine } from './support/lines.ts'
import { ShopCluster, told } from './support/shopCluster.ts'

const documents = options()

describe.each(Object.entries(EXAMPLES))('%s', (_name, lines) => {
  test('its columns are those of the document', () => {
    const { failures } = runEngine(lines)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      const document = buildDocument(failure, documents)
      const row = failureRow(document)
      const sighting = sightingOf(rawFailure(failure, documents), documents)
      const { timeMs, upstream, service, cause, status, masked, counted, method, host, path, address, pod } = sighting
      expect({ timeMs, upstream, service, cause, status, masked, counted, method, host, path, address, pod }).toEqual({
        timeMs: row.timeMs,
        upstream: row.upstream,
        service: row.service,
        cause: row.cause,
        status: row.status,
        masked: row.masked,
        counted: row.counted,
        method: row.method,
        host: row.host,
        path: row.path,
        address: row.address,
        pod: row.pod
      })
      expect([sighting.id(), sighting.id()]).toEqual([row.id, row.id])
    }
  })

  test('no secret of the request is in it', () => {
    for (const failure of runEngine(lines).failures) {
      const text = JSON.stringify(sightingOf(rawFailure(failure, documents), documents))
      expect(text).not.toMatch(/t0p|s3/)
    }
  })
})

function judged(): Failure[] {
  const shop = new ShopCluster({ addresses: ['10.2.3.14', '10.2.3.15', '10.2.3.16'], nowMs: T })
  const state = openClusterState()
  for (const event of [...shop.listed(T - 600_000), told(T + 500, 'MODIFIED', shop.oomKilled(2, T - 1_000))])
    state.apply(event)
  state.apply({ at: T + 60_000, type: 'HEARTBEAT' })
  const { failures } = runEngine([...EXAMPLES['refused-three-times']!, ...EXAMPLES['refused-three-times']!])
  const memo = new DiagnosisMemo()
  for (const failure of failures)
    failure.judgement = {
      isKnown: true,
      diagnosis: memo.diagnose(inputOfFailure(failure, new Masker(MASK_ALL)), state)
    }
  return failures
}

test('the root cause comes in words: a sentence, at most five facts with their citations, advice', () => {
  const [first] = judged()
  const { rootCause, service, namespace, pod, node } = sightingOf(rawFailure(first!, documents), documents)
  expect({ service, namespace, pod, node }).toEqual({
    service: 'shop/cart',
    namespace: 'shop',
    pod: first!.judgement!.diagnosis!.names.pod,
    node: 'worker-1'
  })
  expect(rootCause).toMatchObject({ kind: 'oom_killed', ref: expect.stringMatching(/^Pod shop\/cart-/) })
  expect(rootCause!.sentence).toMatch(/OOM-killed/)
  expect(rootCause!.evidence.length).toBeGreaterThan(0)
  expect(rootCause!.evidence.length).toBeLessThanOrEqual(5)
  expect(rootCause!.evidence.map(({ cite }) => cite).join('\n')).toMatch(/OOMKilled/)
  expect(rootCause!.advice).not.toBe('')
})

test('failures that share a diagnosis share its words', () => {
  const [first, second] = judged().map(failure => sightingOf(rawFailure(failure, documents), documents))
  expect(second!.rootCause).toBe(first!.rootCause)
})

test('of a line without a pod the controller is not known', () => {
  const [failure] = runEngine([accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502' })]).failures
  const sighting = sightingOf(rawFailure(failure!, documents), documents)
  expect(sighting.controllerPod).toBeNull()
  expect(sighting.rootCause).toBeNull()
})

test('a path as long as a line is cut', () => {
  const request = `GET /${'a'.repeat(20_000)} HTTP/1.1`
  const [failure] = runEngine([accessLine({ timeMs: T, status: 502, request, up: '10.0.0.7:80|0|0.001|502' })]).failures
  const sighting = sightingOf(rawFailure(failure!, documents), documents)
  expect(sighting.path).toHaveLength(1_024)
  expect(sighting.id()).toBe(buildDocument(failure!, documents).id)
})
