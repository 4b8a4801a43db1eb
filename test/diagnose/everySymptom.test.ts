/** Rules meet scenes that nobody thought of: any symptom over any cluster, with as little told as can be. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CAUSES } from '../../parsers/causes.ts'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import { readCase } from '../../src/diagnose/caseFile.ts'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { NO_DETAIL } from '../../src/diagnose/input.ts'
import { parseCitation } from './support/citation.ts'

const VISIBLE = readFileSync(new URL('../../samples/diagnosis/visible.jsonl', import.meta.url), 'utf8')
const ERROR =
  'SSL alert number 40, worker_connections are not enough, lua, zone "x_rps", auth request unexpected status: 500'
const NOTHING = {
  namespace: null,
  service: null,
  port: null,
  upstreamAddress: null,
  ingress: null,
  host: null,
  path: null
}

test.each(
  VISIBLE.trim()
    .split('\n')
    .map(line => [JSON.parse(line)])
)('$title: any symptom', one => {
  const { input, events } = readCase(one)
  const state = openClusterState()
  for (const event of events) state.apply(event)
  for (const symptom of CAUSES) {
    const changes = [
      {},
      { detail: { ...NO_DETAIL, error: ERROR, agent: 'GoogleHC/1.0' } },
      { ingress: null, host: null },
      { service: null, ingress: null },
      { upstreamAddress: '192.0.2.1:80', status: 500 },
      NOTHING
    ]
    for (const change of changes) {
      const diagnosis = diagnose({ ...input, symptom, ...change }, state)!
      const { confidence, evidence, rootCause } = diagnosis
      expect(confidence === 0).toBe(rootCause === 'undetermined')
      expect(confidence).toBeLessThan(1)
      expect(evidence.filter(({ cite, text }) => parseCitation(cite) === null || /[\r\n]/.test(text))).toEqual([])
      if (rootCause !== 'undetermined') expect(evidence).not.toEqual([])
    }
  }
})
