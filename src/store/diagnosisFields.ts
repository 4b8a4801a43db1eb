/**
 * The fields of a failure document that the state of the cluster gives: the blamed upstream pod with what belongs to it, and
 * the root cause. A table of its own, because they alone change when a failure is judged again.
 */

import { rootCauseInfo, sentenceOf } from '../diagnose/catalogue.ts'
import { labelOf } from '../diagnose/confidence.ts'
import type { Diagnosis } from '../diagnose/diagnosis.ts'
import type { DiagnosisInput } from '../diagnose/input.ts'
import { factsText } from '../diagnose/verdict.ts'
import type { ClusterJudgement } from '../model.ts'
import type { FieldType } from './document.ts'
import { iso } from './documentFacts.ts'

/** What they read from. */
export interface JudgedFacts {
  judgement: ClusterJudgement | null
  diagnosis: Diagnosis | null
  /** What the log lines themselves say. */
  logged: Pick<DiagnosisInput, 'namespace' | 'service' | 'ingress'>
  upstreamName: string | null
  /** Labels of pods that documents carry. */
  labels: readonly string[]
}

export interface DiagnosisField {
  path: string
  type: FieldType
  value: (facts: JudgedFacts) => unknown
}

const field = (path: string, type: FieldType, value: DiagnosisField['value']): DiagnosisField => ({ path, type, value })

export const DIAGNOSIS_FIELDS: readonly DiagnosisField[] = [
  field('orchestrator.namespace', 'keyword', namespaceOf),
  field('orchestrator.resource.type', 'keyword', f => (ingressOf(f) === null ? null : 'ingress')),
  field('orchestrator.resource.name', 'keyword', ingressOf),
  field('kubernetes.namespace', 'keyword', namespaceOf),
  field('kubernetes.service.name', 'keyword', serviceOf),
  field('kubernetes.pod.name', 'keyword', f => f.diagnosis?.names.pod),
  field('kubernetes.pod.uid', 'keyword', f => f.diagnosis?.names.podUid),
  field('kubernetes.pod.ip', 'ip', f => (f.diagnosis?.names.pod == null ? null : f.diagnosis.names.podIp)),
  field('kubernetes.node.name', 'keyword', f => f.diagnosis?.names.node),
  field('kubernetes.container.name', 'keyword', f => f.diagnosis?.names.container),
  field('kubernetes.deployment.name', 'keyword', f => workload(f, 'Deployment')),
  field('kubernetes.statefulset.name', 'keyword', f => workload(f, 'StatefulSet')),
  field('kubernetes.daemonset.name', 'keyword', f => workload(f, 'DaemonSet')),
  field('kubernetes.replicaset.name', 'keyword', f => workload(f, 'ReplicaSet')),
  field('service.name', 'keyword', serviceName),
  field('service.version', 'keyword', f => ownLabel(f, 'app.kubernetes.io/version')),
  field('labels', 'labels', labels),
  // Whether the state of that moment had been read when this was judged; left out: nobody asked.
  field('why5xx.cluster.known', 'boolean', f => f.judgement?.isKnown),
  field('why5xx.cluster.owner', 'keyword', f => (f.diagnosis === null ? null : f.diagnosis.names.certainty)),
  field('why5xx.root_cause.kind', 'keyword', f => f.diagnosis?.rootCause),
  field('why5xx.root_cause.variant', 'keyword', f => f.diagnosis?.variant),
  field('why5xx.root_cause.ref', 'keyword', f => f.diagnosis?.ref),
  field('why5xx.root_cause.at', 'date', f => (f.diagnosis?.atMs == null ? null : iso(f.diagnosis.atMs))),
  field('why5xx.root_cause.until', 'date', f => (f.diagnosis?.untilMs == null ? null : iso(f.diagnosis.untilMs))),
  field('why5xx.root_cause.confidence', 'half_float', f => f.diagnosis?.confidence),
  field('why5xx.root_cause.label', 'keyword', f => f.diagnosis && labelOf(f.diagnosis.confidence)),
  field('why5xx.root_cause.chain', 'keyword', f => f.diagnosis?.chain),
  field('why5xx.root_cause.sentence', 'text', f => f.diagnosis && sentenceOf(f.diagnosis)),
  field('why5xx.root_cause.advice', 'text', f => f.diagnosis && rootCauseInfo(f.diagnosis.rootCause).advice),
  field('why5xx.root_cause.terms', 'stored', f => f.diagnosis?.terms),
  field('why5xx.root_cause.evidence', 'stored', f => f.diagnosis && factsText(f.diagnosis.evidence)),
  field('why5xx.root_cause.alternatives', 'stored', f =>
    f.diagnosis?.alternatives.map(({ rootCause, confidence, evidence }) => ({
      root_cause: rootCause,
      confidence,
      evidence: factsText(evidence)
    }))
  ),
  field('why5xx.root_cause.excluded', 'stored', f =>
    f.diagnosis?.excluded.map(({ rootCause, because }) => ({ root_cause: rootCause, because }))
  ),
  field('why5xx.root_cause.would_decide', 'stored', f => f.diagnosis?.wouldDecide),
  field('why5xx.ruled_out', 'keyword', f => [...new Set(f.diagnosis?.excluded.map(({ rootCause }) => rootCause))])
]

export function namespaceOf({ diagnosis, logged }: JudgedFacts): string | null {
  return logged.namespace ?? diagnosis?.names.namespace ?? null
}

export function serviceOf({ diagnosis, logged }: JudgedFacts): string | null {
  return diagnosis?.names.service ?? logged.service
}

export function ingressOf({ diagnosis, logged }: JudgedFacts): string | null {
  return logged.ingress ?? diagnosis?.names.ingress ?? null
}

/** `namespace/service` when both are known, else the upstream name. */
export function serviceName(facts: JudgedFacts): string | null {
  const [space, name] = [namespaceOf(facts), serviceOf(facts)]
  return space && name ? `${space}/${name}` : facts.upstreamName || null
}

function workload({ diagnosis }: JudgedFacts, kind: string): string | null {
  const owner = diagnosis?.names.workload
  return owner?.kind === kind ? owner.name : null
}

function ownLabel({ diagnosis }: JudgedFacts, name: string): string | null {
  const all = diagnosis?.names.labels
  return all && Object.hasOwn(all, name) ? all[name]! : null
}

/** Chosen ones only; dots and slashes would make objects of their names. */
function labels(facts: JudgedFacts): Record<string, string> | null {
  const chosen = facts.labels.flatMap(name => {
    const value = ownLabel(facts, name)
    return value === null ? [] : [[name.replace(/[./]/g, '_'), value] as const]
  })
  return chosen.length === 0 ? null : Object.fromEntries(chosen)
}
