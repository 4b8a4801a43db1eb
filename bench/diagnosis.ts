import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import type { ClusterState } from '../src/cluster/state.ts'
import { diagnose } from '../src/diagnose/diagnose.ts'
import { type DiagnosisInput, NO_DETAIL } from '../src/diagnose/input.ts'
import { DiagnosisMemo } from '../src/diagnose/memo.ts'
import { ClusterDay, DAY_START_MS } from './clusterDay.ts'
import { type Finding, report } from './finding.ts'
import { Random } from './random.ts'

/**
 * What does a diagnosis cost in a cluster of many pods, and what do a hundred failures of one incident?
 *
 *   node dist/bench/diagnosis.js [--pods 5000] [--replaced 2000] [--failures 2000]
 */
const DIAGNOSIS_MS_MAX = 1
const INCIDENT = 100
/** A hundred failures of one incident may cost this many times what one does. */
const INCIDENT_TIMES_MAX = 10
const DAY_MS = 86_400_000
const SYMPTOMS = ['connection_refused', 'connect_timeout', 'premature_close', 'read_timeout', 'no_endpoints'] as const

export function benchDiagnosis(pods: number, replaced: number, failures: number): Finding[] {
  const day = new ClusterDay({ pods, replaced, seed: 1 })
  const state = openClusterState()
  for (const event of day.events()) state.apply(event)
  const random = new Random(1)
  const inputs = Array.from({ length: failures }, (_, i) => failureOf(day, state, random, i))
  // Each history is worked out with the first question about it.
  for (const input of inputs) diagnose(input, state)
  const findings: Finding[] = []
  for (const symptom of SYMPTOMS) {
    const own = inputs.filter(input => input.symptom === symptom)
    const ms = timed(() => own.forEach(input => void diagnose(input, state))) / own.length
    findings.push({
      question: `${symptom}, ${pods} pods`,
      figure: `${ms.toFixed(3)} ms`,
      gate: `<= ${DIAGNOSIS_MS_MAX} ms`,
      passes: ms <= DIAGNOSIS_MS_MAX
    })
  }
  let oneMs = 0
  let manyMs = 0
  for (const input of inputs.slice(0, 200)) {
    const incident = Array.from({ length: INCIDENT }, (_, i) => ({ ...input, timeMs: input.timeMs + i }))
    oneMs += timed(() => void new DiagnosisMemo().diagnose(input, state))
    const memo = new DiagnosisMemo()
    manyMs += timed(() => incident.forEach(failure => void memo.diagnose(failure, state)))
  }
  findings.push({
    question: `${INCIDENT} failures of an incident / one`,
    figure: `${(manyMs / oneMs).toFixed(1)} times`,
    gate: `<= ${INCIDENT_TIMES_MAX} times`,
    passes: manyMs <= oneMs * INCIDENT_TIMES_MAX
  })
  return findings
}

function failureOf(day: ClusterDay, state: ClusterState, random: Random, i: number): DiagnosisInput {
  const address = day.address(random.below(1_000_000))
  const pod = state.tenures(address).at(-1)!.pod
  const service = [...state.all('Service', pod.namespace)].find(({ versions }) =>
    Object.entries(versions[0]!.object.spec!.selector!).every(
      ([name, value]) => pod.versions[0]!.object.metadata.labels![name] === value
    )
  )
  const symptom = SYMPTOMS[i % SYMPTOMS.length]!
  return {
    symptom,
    timeMs: DAY_START_MS + random.below(DAY_MS),
    namespace: pod.namespace,
    service: service?.name ?? null,
    port: '80',
    upstreamAddress: symptom === 'no_endpoints' ? null : `${address}:8080`,
    status: 502,
    ingress: null,
    host: 'shop.example.com',
    path: '/',
    controllerNamespace: 'ingress-nginx',
    controllerPod: null,
    detail: NO_DETAIL
  }
}

function timed(run: () => void): number {
  const startMs = performance.now()
  run()
  return performance.now() - startMs
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      pods: { type: 'string', default: '5000' },
      replaced: { type: 'string', default: '2000' },
      failures: { type: 'string', default: '2000' }
    }
  })
  report(benchDiagnosis(Number(values.pods), Number(values.replaced), Number(values.failures)))
}
