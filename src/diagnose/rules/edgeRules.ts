/** Rules about wiring, protocols, certificates, and what the controller itself decides. */

import type { Rule } from '../rule.ts'
import { authBackendFailing } from './authBackendFailing.ts'
import { backendProtocolMismatch } from './backendProtocolMismatch.ts'
import { clientAbort } from './clientAbort.ts'
import { clusterDnsFailure } from './clusterDnsFailure.ts'
import { controllerConfigError } from './controllerConfigError.ts'
import { controllerResources } from './controllerResources.ts'
import { externalBackendDown } from './externalBackendDown.ts'
import { externalNameUnresolvable } from './externalNameUnresolvable.ts'
import { ingressAnnotationDenied } from './ingressAnnotationDenied.ts'
import { ingressCertExpired } from './ingressCertExpired.ts'
import { ingressCertFallback } from './ingressCertFallback.ts'
import { ingressClassMismatch } from './ingressClassMismatch.ts'
import { ingressPortMissing } from './ingressPortMissing.ts'
import { ingressRuleMismatch } from './ingressRuleMismatch.ts'
import { ingressServiceMissing } from './ingressServiceMissing.ts'
import { lbHealthCheckPath } from './lbHealthCheckPath.ts'
import { namedPortMissing } from './namedPortMissing.ts'
import { networkPolicyBlock } from './networkPolicyBlock.ts'
import { rateLimitHit } from './rateLimitHit.ts'
import { requestDenied } from './requestDenied.ts'
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
  ingressCertFallback,
  rateLimitHit,
  authBackendFailing,
  requestDenied,
  ingressAnnotationDenied,
  controllerResources,
  controllerConfigError,
  ingressRuleMismatch,
  ingressClassMismatch,
  clientAbort,
  lbHealthCheckPath
]
