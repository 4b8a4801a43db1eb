/** Every root cause of a symptom's order asked of a scene: what holds, and what was ruled out. */

import { NESTED, type Step } from './order.ts'
import type { PodView } from './podView.ts'
import type { RootCause } from './rootCauses.ts'
import { type Finding, isFinding, type Nested, type Rule } from './rule.ts'
import { RULES } from './rules/index.ts'
import type { Scene } from './scene.ts'

export interface Candidate {
  rule: Rule
  finding: Finding
  /** Place in the order: less is deeper. */
  row: number
  /** The scene it was found in: with the pod that it is about. */
  scene: Scene
  /** What the same pod shows besides, and this explains. */
  explained: RootCause[]
}

export interface Judged {
  candidates: Candidate[]
  excluded: { rootCause: RootCause; because: string }[]
}

/** How many pods of one cause are cited. */
const CITED_PODS = 4

export function judgeAll(scene: Scene, order: readonly Step[]): Judged {
  const judged: Judged = { candidates: [], excluded: [] }
  let row = 0
  for (const step of order) {
    if (typeof step === 'string') {
      const candidate = judge(scene, step, row, judged)
      if (candidate !== null) judged.candidates.push(candidate)
      row++
      continue
    }
    judgePods(scene, step, row, judged)
    row += step.ofEachPod.length
  }
  for (const candidate of judged.candidates.filter(isRuledOut)) {
    const { cause } = candidate.rule
    judged.excluded.push({ rootCause: cause, because: `${deeperThan(candidate)!.rule.cause} holds` })
  }
  judged.candidates = judged.candidates.filter(candidate => !isRuledOut(candidate))
  return judged

  function isRuledOut(candidate: Candidate): boolean {
    return deeperThan(candidate) !== undefined
  }

  /** A cause that this one yields to, and that holds by what a field or the configuration says. */
  function deeperThan({ rule }: Candidate): Candidate | undefined {
    return judged.candidates.find(
      other =>
        rule.yieldsTo?.includes(other.rule.cause) && !other.rule.explains?.includes(rule.cause) && isSure(other.finding)
    )
  }
}

/** A field or the configuration says so, and nothing that it needs was out of sight. */
export function isSure({ tier, isUnobserved }: Finding): boolean {
  return (tier === 'A' || tier === 'B') && isUnobserved !== true
}

function judge(scene: Scene, cause: RootCause, row: number, judged: Judged): Candidate | null {
  const rule = RULES.get(cause)
  const result = rule?.judge(scene, nestedCause) ?? null
  if (rule === undefined || result === null) return null
  if (isFinding(result)) {
    // Blame needs evidence: of a cluster of which next to nothing is known, none may be there.
    const isCited = result.needs.length > 0 || (result.supports ?? []).length > 0
    return isCited ? { rule, finding: result, row, scene, explained: [] } : null
  }
  if (!judged.excluded.some(({ rootCause, because }) => rootCause === cause && because === result.because))
    judged.excluded.push({ rootCause: cause, because: result.because })
  return null
}

/** See `Ask`. */
function nestedCause(scene: Scene): Nested | null {
  const [first] = judgeAll(scene, NESTED).candidates
  return first === undefined ? null : { cause: first.rule.cause, finding: first.finding, pod: first.scene.pod }
}

/** The first match of each pod; the cause that most pods share speaks for all, ties by order. */
function judgePods(scene: Scene, step: Exclude<Step, string>, row: number, judged: Judged): void {
  const byCause = new Map<RootCause, Candidate[]>()
  for (const pod of voters(scene.pods, step)) {
    const own = scene.withPod(pod)
    let first: Candidate | null = null
    for (const [index, cause] of step.ofEachPod.entries()) {
      const candidate = judge(own, cause, row + index, judged)
      if (candidate === null) continue
      if (first === null) first = candidate
      else if (first.rule.explains?.includes(cause)) first.explained.push(cause)
    }
    if (first === null) continue
    const { cause } = first.rule
    byCause.set(cause, [...(byCause.get(cause) ?? []), first])
  }
  const groups = [...byCause.values()].sort((a, b) => b.length - a.length || a[0]!.row - b[0]!.row)
  for (const [index, [first, ...rest]] of groups.entries()) {
    const cited = rest.slice(0, CITED_PODS - 1).flatMap(({ finding }) => finding.needs)
    const finding = { ...first!.finding, needs: [...first!.finding.needs, ...cited] }
    // What fewer pods share is what else goes on, not what keeps the Service without endpoints.
    judged.candidates.push({ ...first!, finding: index === 0 ? finding : { ...finding, tier: 'C' } })
  }
}

/** Pods that lie there after their end, or are going, speak only where nobody else does: others have taken their place. */
function voters(pods: readonly PodView[], { pods: which }: Exclude<Step, string>): readonly PodView[] {
  if (which === 'all') return pods
  const out = pods.filter(pod => pod.isOut)
  const alive = out.filter(pod => !pod.isOver && !pod.isBeingDeleted)
  return alive.length > 0 ? alive : out
}
