/** Rules about the life of pods, their scheduling, and nodes. */

import type { Rule } from '../rule.ts'

export const LIFECYCLE_RULES: readonly Rule[] = []
