/**
 * A failure document → the diagnosis that it was built from; `diagnosisFields.ts` is the way there. Documents come from
 * servers and files that others can write to: what is not as it should be is left out.
 */

import type { Alternative, Diagnosis, Names } from '../diagnose/diagnosis.ts'
import type { Fact } from '../diagnose/fact.ts'
import { timeOf } from '../diagnose/times.ts'
import type { FailureDocument } from './document.ts'
import { at, list, number, rootCauseOf, text } from './storedValue.ts'

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] as const
const CERTAINTIES: readonly Names['certainty'][] = ['certain', 'ambiguous', 'stale', 'unknown']

/** null: it was stored without a root cause, or with one that this program does not know. Labels of pods are not stored. */
export function diagnosisOfDocument(document: FailureDocument): Diagnosis | null {
  const stored = at(document, 'why5xx.root_cause')
  const rootCause = rootCauseOf(at(stored, 'kind'))
  if (rootCause === null) return null
  return {
    rootCause,
    variant: text(at(stored, 'variant')),
    ref: text(at(stored, 'ref')),
    atMs: timeOf(text(at(stored, 'at'))),
    untilMs: timeOf(text(at(stored, 'until'))),
    confidence: number(at(stored, 'confidence')) ?? 0,
    terms: list(at(stored, 'terms')).flatMap(term => {
      const [why, value] = [text(at(term, 'text')), number(at(term, 'value'))]
      return why === null || value === null ? [] : [{ text: why, value }]
    }),
    evidence: factsOf(at(stored, 'evidence')),
    chain: list(at(stored, 'chain')).filter(slug => typeof slug === 'string') as Diagnosis['chain'],
    alternatives: list(at(stored, 'alternatives')).flatMap(alternativeOf),
    excluded: list(at(stored, 'excluded')).flatMap(item => {
      const [cause, because] = [rootCauseOf(at(item, 'root_cause')), text(at(item, 'because'))]
      return cause === null || because === null ? [] : [{ rootCause: cause, because }]
    }),
    wouldDecide: list(at(stored, 'would_decide')).filter(item => typeof item === 'string'),
    names: namesOf(document)
  }
}

function namesOf(document: FailureDocument): Names {
  const name = (path: string): string | null => text(at(document, path))
  const certainty = name('why5xx.cluster.owner')
  const kind = WORKLOADS.find(known => name(`kubernetes.${known.toLowerCase()}.name`) !== null)
  return {
    namespace: name('kubernetes.namespace'),
    service: name('kubernetes.service.name'),
    ingress: name('orchestrator.resource.name'),
    pod: name('kubernetes.pod.name'),
    podUid: name('kubernetes.pod.uid'),
    podIp: name('kubernetes.pod.ip'),
    container: name('kubernetes.container.name'),
    node: name('kubernetes.node.name'),
    workload: kind === undefined ? null : { kind, name: name(`kubernetes.${kind.toLowerCase()}.name`)! },
    controllerNamespace: name('why5xx.controller.namespace'),
    controllerPod: name('why5xx.controller.pod.name'),
    certainty: CERTAINTIES.find(known => known === certainty) ?? 'unknown',
    labels: {}
  }
}

function alternativeOf(item: unknown): Alternative[] {
  const rootCause = rootCauseOf(at(item, 'root_cause'))
  if (rootCause === null) return []
  return [{ rootCause, confidence: number(at(item, 'confidence')) ?? 0, evidence: factsOf(at(item, 'evidence')) }]
}

function factsOf(value: unknown): Fact[] {
  return list(value).flatMap(item => {
    const cite = text(at(item, 'cite'))
    return cite === null ? [] : [{ cite, atMs: timeOf(text(at(item, 'at'))), text: text(at(item, 'text')) ?? '' }]
  })
}
