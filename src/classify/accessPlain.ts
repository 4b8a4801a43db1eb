/**
 * Lines that do not tell about upstreams (nginx's `combined`, lines cut short): what status and size alone allow.
 * Row 0b of status-semantics.md §7; also which causes a status can have at all.
 */

import type { Cause } from '../../parsers/causes.ts'
import { type Answer, cause, NOTHING } from './accessAnswer.ts'
import type { Facts } from './accessFacts.ts'
import { badRequestPage, isNoBody, isOwnPage } from './pages.ts'

const CAUSES_BY_STATUS: ReadonlyMap<number, readonly Cause[]> = new Map<number, readonly Cause[]>([
  [0, ['invalid_response', 'client_closed']],
  [500, ['lua_error', 'auth_failure', 'redirect_cycle', 'controller_overload', 'controller_config']],
  [501, ['bad_request']],
  [
    502,
    [
      'connection_refused',
      'premature_close',
      'connection_reset',
      'host_unreachable',
      'header_too_big',
      'invalid_response',
      'upstream_tls_handshake',
      'upstream_tls_verify',
      'local_port_exhausted',
      'no_endpoints',
      'no_live_upstreams',
      'dns_failure'
    ]
  ],
  [503, ['no_endpoints', 'rate_limited', 'controller_config', 'lua_error', 'dns_failure']],
  [504, ['read_timeout', 'connect_timeout', 'send_timeout', 'upstream_tls_handshake']],
  [505, ['bad_request']]
])

/** Every cause, the application's own error aside, that ends in this status; the likelier first. */
export function causesOf(status: number): readonly Cause[] {
  return CAUSES_BY_STATUS.get(status) ?? []
}

/**
 * What nginx may have answered itself before an error backend took over (§5: the original code is lost from the line,
 * unless the backend repeats it).
 */
export function interceptedCauses(status: number): readonly Cause[] {
  switch (status) {
    case 400:
      return ['bad_request']
    case 401:
    case 403:
      return ['auth_failure']
    case 404:
      return ['controller_config', 'no_endpoints', 'rate_limited']
    case 413:
      return ['body_too_large']
    case 429:
      return ['rate_limited']
    case 500:
    case 502:
      return causesOf(status)
    case 503:
      return ['no_endpoints', 'rate_limited', 'controller_config']
    case 504:
      return ['read_timeout', 'connect_timeout']
    default:
      return ['rate_limited', 'auth_failure', 'body_too_large']
  }
}

/**
 * A 4xx without upstream fields. An application can send any of them, so nginx's page size has to speak for nginx;
 * only 499 (nginx's invention), 408 and 414 are hardly ever an application's.
 */
export function plainRefusal(facts: Facts): Answer {
  const { method, bodyBytes } = facts.record
  const isOwn = isOwnPage(facts.status, bodyBytes)
  switch (facts.status) {
    case 499:
      return cause('client_closed', 0.9)()
    case 408:
      return cause('client_timeout', isNoBody(bodyBytes) ? 0.9 : 0.6)()
    case 414:
      return cause('bad_request', isOwn ? 0.9 : 0.6)()
    case 400:
      if (method !== 'HEAD' && isNoBody(bodyBytes))
        return cause('client_closed', 0.5, 'bad_request', 'client_timeout')()
      return plainBadRequest(bodyBytes)
  }
  if (!isOwn) return NOTHING
  switch (facts.status) {
    case 401:
    case 403:
      return cause('auth_failure', 0.4)()
    case 405:
      return cause('bad_request', 0.5)()
    case 413:
      return cause('body_too_large', 0.8)()
    case 421:
      return cause('client_tls_failure', 0.7)()
    case 429:
      return cause('rate_limited', 0.8)()
    default:
      return NOTHING
  }
}

function plainBadRequest(bodyBytes: number | null): Answer {
  switch (badRequestPage(bodyBytes)) {
    case null:
      return NOTHING
    case 'plain':
    case 'header_too_large':
      return cause('bad_request', 0.8)()
    default:
      return cause('client_tls_failure', 0.8)()
  }
}
