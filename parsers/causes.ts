/**
 * The closed list of causes and what there is to say about each: one table, from which titles, categories, blame, SLO
 * and runbook pages derive.
 */

import { edgeCauses } from './causesEdge.ts'
import { upstreamCauses } from './causesUpstream.ts'

export const CAUSES = [
  'connection_refused',
  'connect_timeout',
  'host_unreachable',
  'local_port_exhausted',
  'read_timeout',
  'send_timeout',
  'premature_close',
  'connection_reset',
  'header_too_big',
  'invalid_response',
  'no_endpoints',
  'no_live_upstreams',
  'upstream_tls_handshake',
  'upstream_tls_verify',
  'client_tls_failure',
  'dns_failure',
  'upstream_error',
  'client_closed',
  'client_timeout',
  'body_too_large',
  'bad_request',
  'rate_limited',
  'auth_failure',
  'controller_overload',
  'lua_error',
  'redirect_cycle',
  'no_route',
  'config_reload',
  'controller_config',
  'unclassified'
] as const

export type Cause = (typeof CAUSES)[number]

/** False also for a cause of a later version. */
export function isCause(value: unknown): value is Cause {
  return (CAUSES as readonly unknown[]).includes(value)
}

export const CATEGORIES = [
  'connect',
  'timeout',
  'response',
  'endpoints',
  'tls',
  'dns',
  'application',
  'client',
  'policy',
  'controller',
  'routing',
  'unknown'
] as const

export type Category = (typeof CATEGORIES)[number]

/** Who has to act: the application's owners, the controller's operators, the caller, the cluster's operators. */
export type Blame = 'upstream' | 'controller' | 'client' | 'cluster' | 'unknown'

export interface CauseInfo {
  /** Sentence fragment for a heading: "the service had no ready pod". */
  title: string
  category: Category
  blame: Blame
  /** Whether a failure with this cause counts against an SLO of the service: not what the client or a limit decided. */
  slo: boolean
  /** What happened on the wire and what nginx does then: retries, status, timing. */
  meaning: string
  /** What to look at, most telling first; commands with placeholders of RUNBOOK_PLACEHOLDERS. */
  check: string[]
  /** Remedies with the exact annotations and ConfigMap keys. */
  fix: string[]
}

/** What a reader, or a caller that knows the failure, fills in. */
export const RUNBOOK_PLACEHOLDERS = ['<namespace>', '<service>', '<pod>'] as const

export const causeTable: Record<Cause, CauseInfo> = { ...upstreamCauses, ...edgeCauses }
