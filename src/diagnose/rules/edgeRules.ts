/** Rules about wiring, protocols, certificates, and what the controller itself decides. */

import type { Rule } from '../rule.ts'
import { backendProtocolMismatch } from './backendProtocolMismatch.ts'
import { clusterDnsFailure } from './clusterDnsFailure.ts'
import { externalBackendDown } from './externalBackendDown.ts'
import { externalNameUnresolvable } from './externalNameUnresolvable.ts'
import { ingressCertExpired } from './ingressCertExpired.ts'
import { ingressCertFallback } from './ingressCertFallback.ts'
import { ingressPortMissing } from './ingressPortMissing.ts'
import { ingressServiceMissing } from './ingressServiceMissing.ts'
import { namedPortMissing } from './namedPortMissing.ts'
import { networkPolicyBlock } from './networkPolicyBlock.ts'
import { selectorlessEndpoints } from './selectorlessEndpoints.ts'
import { selectorMismatch } from './selectorMismatch.ts'
import { targetPortMismatch } from './targetPortMismatch.ts'
import { upstreamCertInvalid } from './upstreamCertInvalid.ts'
import { upstreamTlsConfig } from './upstreamTlsConfig.ts'

export const EDGE_RULES: readonly Rule[] = [
  selectorMismatch,
  targetPortMismatch,
  namedPortMissing,
  ingressServiceMissing,
  ingressPortMissing,
  selectorlessEndpoints,
  externalNameUnresolvable,
  clusterDnsFailure,
  externalBackendDown,
  networkPolicyBlock,
  backendProtocolMismatch,
  upstreamCertInvalid,
  upstreamTlsConfig,
  ingressCertExpired,
  ingressCertFallback
]
