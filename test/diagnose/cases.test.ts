/** Every case, through the whole of diagnosis. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allCases } from './support/allCases.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'
import { edgeVerdict } from './support/edgeVerdict.ts'
import { mismatches } from './support/expectation.ts'

const SAMPLES = new URL('../../samples/diagnosis/', import.meta.url)

/** Cases of others, as files: one a line. */
function sampleCases(): DiagnosisCase[] {
  const names = readdirSync(SAMPLES).filter(name => name.endsWith('.jsonl'))
  const lines = names.sort().flatMap(name => readFileSync(new URL(name, SAMPLES), 'utf8').split('\n'))
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as DiagnosisCase)
}

const CASES = [...sampleCases(), ...(await allCases())].map(one => [one.id, one.title, one] as const)

test.each(CASES)('%s: %s', (_id, _title, one) => {
  // A case is JSON: what only an object of this process can hold must not decide.
  const verdict = edgeVerdict(JSON.parse(JSON.stringify(one)))
  expect(mismatches(one.expect, verdict)).toEqual([])
})
