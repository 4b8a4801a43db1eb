/** Rules about the life of pods, their scheduling, and nodes. */

import type { Rule } from '../rule.ts'
import { autoscalerLimited } from './autoscalerLimited.ts'
import { gracePeriodTooShort } from './gracePeriodTooShort.ts'
import { nodeNetworkFailure } from './nodeNetworkFailure.ts'
import { nodeNotReady } from './nodeNotReady.ts'
import { nodePressure } from './nodePressure.ts'
import { podCreationBlocked } from './podCreationBlocked.ts'
import { podEvicted } from './podEvicted.ts'
import { podSandboxFailed } from './podSandboxFailed.ts'
import { rolloutGap } from './rolloutGap.ts'
import { scaledToZero } from './scaledToZero.ts'
import { staleEndpoints } from './staleEndpoints.ts'
import { terminationRace } from './terminationRace.ts'
import { unschedulable } from './unschedulable.ts'
import { volumeUnavailable } from './volumeUnavailable.ts'

export const LIFECYCLE_RULES: readonly Rule[] = [
  terminationRace,
  gracePeriodTooShort,
  rolloutGap,
  scaledToZero,
  autoscalerLimited,
  unschedulable,
  podCreationBlocked,
  podEvicted,
  nodeNotReady,
  nodePressure,
  nodeNetworkFailure,
  volumeUnavailable,
  podSandboxFailed,
  staleEndpoints
]
