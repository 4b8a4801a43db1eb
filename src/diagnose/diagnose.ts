/**
 * What was wrong: a pure function of a failure and the state of the cluster. Rules say what holds, the order says what is
 * deeper, and this file says which of several is the answer.
 */

import type { Cause } from '../../parsers/causes.ts'
import { CLUSTER_KINDS, KINDS } from '../cluster/objects.ts'
import type { ClusterState } from '../cluster/state.ts'
import { type Candidate, isSure, judgeAll } from './candidates.ts'
import { confidenceTerms, LOWEST, sum } from './confidence.ts'
import type { Alternative, Diagnosis } from './diagnosis.ts'
import type { Fact } from './fact.ts'
import type { DiagnosisInput } from './input.ts'
import { EPSILON_MS, Moment } from './moment.ts'
import { namesOf } from './names.ts'
import { ORDER } from './order.ts'
import { resolve } from './resolve.ts'
import type { RootCause } from './rootCauses.ts'
import { Scene } from './scene.ts'
import { undetermined } from './undetermined.ts'

export interface Judgement {
  /** null: nothing of the cluster is known, so nothing is blamed. */
  diagnosis: Diagnosis | null
  /** For moments in [sameFromMs, sameToMs) the same failure has the same diagnosis. */
  sameFromMs: number
  sameToMs: number
}

/** See `Judgement.diagnosis`. */
export function diagnose(input: DiagnosisInput, state: ClusterState): Diagnosis | null {
  return judgeMoment(input, state).diagnosis
}

export function judgeMoment(input: DiagnosisInput, state: ClusterState): Judgement {
  const moment = new Moment(input.timeMs)
  const diagnosis = isKnown(state, input) ? judge(input, state, moment) : null
  const { sameFromMs, sameToMs } = moment
  return { diagnosis, sameFromMs, sameToMs }
}

/** Of a cluster of which no kind can be read nothing is known. A log line need not tell its namespace. */
function isKnown(state: ClusterState, { namespace }: DiagnosisInput): boolean {
  if (state.knownFromMs === Number.POSITIVE_INFINITY) return false
  return KINDS.some(
    kind =>
      state.isObservable(kind, CLUSTER_KINDS.has(kind) ? '' : (namespace ?? '')) ||
      state.all(kind, null)[Symbol.iterator]().next().done !== true
  )
}

function judge(input: DiagnosisInput, state: ClusterState, moment: Moment): Diagnosis {
  const asked = Scene.of(input, state, moment)
  const { scene, symptom, wrap } = resolve(asked)
  const order = ORDER[symptom]
  const { candidates, excluded } = judgeAll(scene, order)
  const rated = rate(candidates, scene)
  const [top, ...others] = rated
  if (top === undefined || top.confidence < LOWEST) {
    const { evidence, wouldDecide } = undetermined(scene)
    return {
      rootCause: 'undetermined',
      variant: null,
      ref: null,
      atMs: null,
      untilMs: null,
      confidence: 0,
      terms: [],
      evidence,
      chain: [input.symptom, 'undetermined'],
      alternatives: rated.map(alternative),
      excluded,
      wouldDecide,
      names: namesOf(scene)
    }
  }
  const explained = others.filter(other => explains(top.candidate, other.candidate))
  for (const { candidate } of explained) {
    const { cause } = candidate.rule
    const isLink = top.candidate.rule.explains?.includes(cause)
    if (!isLink) excluded.push({ rootCause: cause, because: `${top.candidate.rule.cause} explains the failure` })
  }
  const links = explained
    .map(({ candidate }) => candidate.rule.cause)
    .filter(cause => top.candidate.rule.explains?.includes(cause))
  const { rule, finding } = top.candidate
  const diagnosis: Diagnosis = {
    rootCause: rule.cause,
    variant: finding.variant ?? null,
    ref: finding.ref,
    atMs: finding.atMs,
    untilMs: endOf(top.candidate.scene),
    confidence: top.confidence,
    terms: top.terms,
    evidence: unique([...finding.needs, ...(finding.supports ?? [])]),
    chain: chainOf(input.symptom, symptom, [...links, ...top.candidate.explained], finding.chain, rule.cause),
    alternatives: [
      ...others.filter(other => !explained.includes(other) && other.confidence >= LOWEST).map(alternative),
      ...(finding.alternatives ?? []).map(({ cause, tier, facts }) => {
        return {
          rootCause: cause,
          confidence: sum(confidenceTerms({ ...finding, tier, supports: [] }, NO_DOUBTS)),
          evidence: facts
        }
      })
    ],
    excluded,
    wouldDecide: [],
    names: namesOf(top.candidate.scene)
  }
  return wrap === null ? diagnosis : wrap(diagnosis)
}

/** When the pod that is blamed answered again: the end of the time its container was down, or of its not being Ready. */
function endOf({ pod, decidingContainers }: Scene): number | null {
  if (pod === null) return null
  for (const { name } of decidingContainers) {
    const down = pod.down(name)
    if (down !== null) return Number.isFinite(down.toMs) ? down.toMs - EPSILON_MS : null
  }
  const { status, next } = pod.ready
  return status === 'True' ? null : (next?.atMs ?? null)
}
const NO_DOUBTS = { isOwnerAmbiguous: false, hasRival: false }

interface Rated {
  candidate: Candidate
  terms: Diagnosis['terms']
  confidence: number
}

/** By confidence without bonus, then the order, then the name: more facts do not make a shallower cause deeper. */
function rate(candidates: readonly Candidate[], scene: Scene): Rated[] {
  const isOwnerAmbiguous = scene.owner.certainty === 'ambiguous'
  const base = candidates.map(candidate => {
    const { supports: _supports, ...bare } = candidate.finding
    const doubts = { isOwnerAmbiguous: isOwnerAmbiguous && candidate.rule.isOfPod === true, hasRival: false }
    return { candidate, doubts, base: sum(confidenceTerms(bare, doubts)) }
  })
  // What another explains comes behind it, also where that was read backwards and is less sure.
  const rank = ({ candidate, base: own }: (typeof base)[number]): number =>
    Math.min(own, ...base.filter(other => isBehind(candidate, other.candidate)).map(other => other.base))
  base.sort((a, b) => rank(b) - rank(a) || a.candidate.row - b.candidate.row)
  const top = base[0]
  return base.map(({ candidate, doubts }) => {
    const rivals = base.filter(
      other =>
        other.candidate !== candidate &&
        other.candidate.finding.tier === candidate.finding.tier &&
        !isBehind(candidate, other.candidate) &&
        !isBehind(other.candidate, candidate) &&
        !(top && (explains(top.candidate, other.candidate) || explains(top.candidate, candidate)))
    )
    const terms = confidenceTerms(candidate.finding, { ...doubts, hasRival: rivals.length > 0 })
    return { candidate, terms, confidence: sum(terms) }
  })
}

/** A deeper cause holds, by what a field or the configuration says, and is known to explain this one. */
function isBehind(candidate: Candidate, { rule, finding, row }: Candidate): boolean {
  return rule.explains?.includes(candidate.rule.cause) === true && row < candidate.row && isSure(finding)
}

/** A field that states a cause explains what lies behind it in the order; else a rule says itself what it explains. */
function explains(deeper: Candidate, other: Candidate): boolean {
  if (deeper === other) return false
  if (deeper.rule.explains?.includes(other.rule.cause)) return true
  return deeper.finding.tier === 'A' && !deeper.finding.isUnobserved && other.row > deeper.row
}

function chainOf(
  asked: Cause,
  resolved: Cause,
  links: readonly RootCause[],
  nested: readonly string[] = [],
  cause: RootCause
): Diagnosis['chain'] {
  const chain = [asked, ...(resolved === asked ? [] : [resolved]), ...links.toReversed(), ...nested, cause]
  return [...new Set(chain)] as Diagnosis['chain']
}

function alternative({ candidate, confidence }: Rated): Alternative {
  const { needs, supports = [] } = candidate.finding
  return { rootCause: candidate.rule.cause, confidence, evidence: unique([...needs, ...supports]) }
}

function unique(facts: readonly Fact[]): Fact[] {
  const byCite = new Map<string, Fact>()
  for (const fact of facts) if (!byCite.has(fact.cite)) byCite.set(fact.cite, fact)
  return [...byCite.values()]
}
