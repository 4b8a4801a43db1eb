/** All rules. Which is asked when: `../order.ts`. */

import type { RootCause } from '../rootCauses.ts'
import type { Rule } from '../rule.ts'
import { CONTAINER_RULES } from './containerRules.ts'
import { EDGE_RULES } from './edgeRules.ts'
import { LIFECYCLE_RULES } from './lifecycleRules.ts'

export const RULES: ReadonlyMap<RootCause, Rule> = new Map(
  [...CONTAINER_RULES, ...LIFECYCLE_RULES, ...EDGE_RULES].map(rule => [rule.cause, rule])
)
