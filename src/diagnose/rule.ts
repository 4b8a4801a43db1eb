/** What a rule is: does one root cause hold for the scene of a failure, and by which facts. */

import type { Fact } from './fact.ts'
import type { PodView } from './podView.ts'
import type { RootCause } from './rootCauses.ts'
import type { Scene } from './scene.ts'

/**
 * A 0.90: a field states it, at T, on the object in the request's path. B 0.75: a contradiction of configuration that fully
 * explains the symptom. C 0.55: consistent, others not excluded. D 0.30: residual.
 */
export type Tier = 'A' | 'B' | 'C' | 'D'

/** A root cause that holds. */
export interface Finding {
  tier: Tier
  variant?: string
  /** The object at fault, as `nameOf` writes it. */
  ref: string
  /** When its state began, Unix ms; null: not dated. */
  atMs: number | null
  /** What must be cited: every fact under *Needs*, and the fields of Service and Ingress that were compared. */
  needs: Fact[]
  /** Further independent facts: each raises the confidence by 0.03. */
  supports?: Fact[]
  /** A field that changed after T was read backwards: −0.15. */
  isInferred?: boolean
  /** A needed fact could not be observed, or was missed in a gap of the watch: at most 0.45. */
  isUnobserved?: boolean
  /** Added to the base of the tier, each with its reason: `['rollout 12 min before', 0.15]`. */
  adjustments?: readonly (readonly [why: string, value: number])[]
  /** What it could be as well, of causes that are not in the order of the symptom. */
  alternatives?: readonly { cause: RootCause; tier: Tier; facts: Fact[] }[]
  /** Nested causes, shallowest first; they stand between the symptom and this cause. */
  chain?: readonly string[]
}

/** A root cause that looks near and does not hold: the fact that ruled it out, in a sentence. */
export interface Exclusion {
  because: string
}

/**
 * Why another Service (`Scene.beside`) had no ready pod: the deepest cause that holds. Asked of the rules about pods and
 * workloads alone, so that no rule asks itself. null: nothing tells.
 */
export type Ask = (scene: Scene) => Nested | null

export interface Nested {
  cause: RootCause
  finding: Finding
  /** The pod that it is about. */
  pod: PodView | null
}

export interface Rule {
  readonly cause: RootCause
  /** It blames the holder of the upstream address: it is worth less while that is ambiguous. */
  readonly isOfPod?: boolean
  /** What it explains when both hold: these go into the chain, and are no alternatives. */
  readonly explains?: readonly RootCause[]
  /** Other causes that rule this one out when they hold ("Not if: … holds"), unless they explain it. */
  readonly yieldsTo?: readonly RootCause[]
  /** null: nothing speaks for it. Never throws, whatever the objects hold. */
  judge(scene: Scene, ask: Ask): Finding | Exclusion | null
}

export function isFinding(result: Finding | Exclusion | null): result is Finding {
  return result !== null && 'tier' in result
}
