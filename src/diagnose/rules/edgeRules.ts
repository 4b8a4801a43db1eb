/** Rules about wiring, protocols, certificates, and what the controller itself decides. */

import type { Rule } from '../rule.ts'
import { ingressServiceMissing } from './ingressServiceMissing.ts'

export const EDGE_RULES: readonly Rule[] = [ingressServiceMissing]
