/** An answer from memory is the answer that would be worked out now, whatever the moment. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import { readCase } from '../../src/diagnose/caseFile.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { DiagnosisMemo } from '../../src/diagnose/memo.ts'
import '../support/seed.ts'

const CASES = readFileSync(new URL('../../samples/diagnosis/visible.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))
const GAP_MS = 4_000

/** Milliseconds from the moment of the case: mostly near what happened around it. */
const offsets = fc.array(
  fc.oneof(
    fc.integer({ min: -2, max: 2 }),
    fc.integer({ min: -GAP_MS - 2, max: GAP_MS + 2 }),
    fc.integer({ min: -90_000, max: 90_000 }),
    fc.constantFrom(-GAP_MS - 1, -GAP_MS, GAP_MS, GAP_MS + 1)
  ),
  { minLength: 12, maxLength: 12 }
)

test('memoized answers equal fresh ones, also at the ends of a gap', () => {
  let remembered = 0
  fc.assert(
    fc.property(fc.nat(CASES.length - 1), offsets, fc.boolean(), (index, moments, hasGap) => {
      const { input, events } = readCase(CASES[index])
      const state = openClusterState()
      for (const event of events) state.apply(event)
      if (hasGap) {
        state.apply({ at: input.timeMs - GAP_MS, type: 'GAP_START', kind: null })
        state.apply({ at: input.timeMs + GAP_MS, type: 'GAP_END', kind: null })
      }
      const memo = new DiagnosisMemo()
      const seen = new Set<unknown>()
      for (const offset of moments) {
        const failure = { ...input, timeMs: input.timeMs + offset }
        const answer = memo.diagnose(failure, state)
        if (seen.has(answer)) remembered++
        seen.add(answer)
        expect(answer).toEqual(diagnose(failure, state))
      }
    }),
    { numRuns: 120 }
  )
  // Else it would have compared fresh answers with fresh ones.
  expect(remembered).toBeGreaterThan(120)
})
