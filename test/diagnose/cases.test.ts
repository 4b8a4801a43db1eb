/** Every case, ours and the visible ones: the root cause, what must be cited, and what must not be said. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allCases } from './support/allCases.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'
import { caseVerdict } from './support/caseVerdict.ts'
import { mismatches } from './support/expectation.ts'

const VISIBLE = new URL('../../samples/diagnosis/visible.jsonl', import.meta.url)
const visible = readFileSync(VISIBLE, 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as DiagnosisCase)

test.each([...visible, ...(await allCases())].map(one => [one.id, one.title, one] as const))(
  '%s %s',
  (_id, _title, one) => {
    expect(mismatches(one.expect, caseVerdict(one))).toEqual([])
  }
)
