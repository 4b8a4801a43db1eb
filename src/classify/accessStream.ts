/**
 * From a line of the stream log (TCP, UDP) to a cause: status-semantics.md §10.
 * Such a line names no backend, so a 502 stays a guess; the length of the session narrows it.
 */

import type { Cause } from '../../parsers/causes.ts'
import type { StreamAccessRecord } from '../../parsers/record.ts'

export interface StreamAccessVerdict {
  cause: Cause | null
  /** 0 to 1; 0 when cause is null. */
  confidence: number
  alternatives: Cause[]
  /** 'stream.502', 'stream.none'. */
  rule: string
}

/** Three tries at a host that does not answer ARP end within 1 to 3.2 s each; timers are of 5 s and more. */
const TIMER_MS_MIN = 4_900
const ARP_MS_MIN = 900

export function classifyStreamAccess(record: StreamAccessRecord): StreamAccessVerdict {
  switch (record.status) {
    case 400:
      return verdict(400, 'bad_request', 0.8)
    case 403:
      return verdict(403, 'auth_failure', 0.9)
    case 500:
      return verdict(500, 'lua_error', 0.5, 'controller_overload')
    case 502:
      return unreached(record.sessionTimeMs ?? 0)
    case 503:
      return verdict(503, 'rate_limited', 0.9)
  }
  if (record.status >= 500) return verdict(record.status, 'unclassified', 0.1)
  return { cause: null, confidence: 0, alternatives: [], rule: 'stream.none' }
}

function unreached(sessionTimeMs: number): StreamAccessVerdict {
  if (sessionTimeMs >= TIMER_MS_MIN) {
    return verdict(502, 'connect_timeout', 0.6, 'host_unreachable', 'no_endpoints', 'connection_refused')
  }
  if (sessionTimeMs >= ARP_MS_MIN) {
    return verdict(502, 'host_unreachable', 0.5, 'no_endpoints', 'connect_timeout', 'connection_refused')
  }
  return verdict(502, 'connection_refused', 0.5, 'no_endpoints', 'host_unreachable', 'lua_error', 'controller_config')
}

function verdict(status: number, cause: Cause, confidence: number, ...alternatives: Cause[]): StreamAccessVerdict {
  return { cause, confidence, alternatives, rule: `stream.${status}` }
}
