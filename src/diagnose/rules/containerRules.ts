/** Rules about a process and its container. */

import type { Rule } from '../rule.ts'
import { appCrash } from './appCrash.ts'
import { appError } from './appError.ts'
import { appInvalidResponse } from './appInvalidResponse.ts'
import { appNotListening } from './appNotListening.ts'
import { appSlow } from './appSlow.ts'
import { configMissing } from './configMissing.ts'
import { containerStartFailed } from './containerStartFailed.ts'
import { cpuSaturated } from './cpuSaturated.ts'
import { crashLoop } from './crashLoop.ts'
import { dependencyDown } from './dependencyDown.ts'
import { imagePullFailed } from './imagePullFailed.ts'
import { initContainerStuck } from './initContainerStuck.ts'
import { keepaliveMismatch } from './keepaliveMismatch.ts'
import { oomKilled } from './oomKilled.ts'
import { probeRestart } from './probeRestart.ts'
import { proxyBufferTooSmall } from './proxyBufferTooSmall.ts'
import { publishNotReady } from './publishNotReady.ts'
import { readinessFailing } from './readinessFailing.ts'
import { readinessProbeMisconfigured } from './readinessProbeMisconfigured.ts'
import { readinessProbeMissing } from './readinessProbeMissing.ts'

export const CONTAINER_RULES: readonly Rule[] = [
  oomKilled,
  crashLoop,
  appCrash,
  probeRestart,
  containerStartFailed,
  configMissing,
  imagePullFailed,
  initContainerStuck,
  readinessFailing,
  readinessProbeMisconfigured,
  readinessProbeMissing,
  publishNotReady,
  appNotListening,
  appSlow,
  appError,
  appInvalidResponse,
  proxyBufferTooSmall,
  keepaliveMismatch,
  cpuSaturated,
  dependencyDown
]
