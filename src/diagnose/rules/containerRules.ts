/** Rules about a process and its container. */

import type { Rule } from '../rule.ts'
import { oomKilled } from './oomKilled.ts'

export const CONTAINER_RULES: readonly Rule[] = [oomKilled]
