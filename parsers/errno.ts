/**
 * What a system error number means for a request, by the connection it happened on. Used for texts that no row of
 * `error-messages.tsv` has: new wordings, cut heads ("failed (111: Connection refused) while connecting to upstream").
 */

import type { Cause } from './causes.ts'

export type ErrnoSide = 'upstream' | 'client' | 'resolver' | 'other' | 'unknown'

/** musl's words first, then glibc's (log-formats.md §10.6): only for lines whose number was cut off. */
const ERRNO_TEXTS: readonly (readonly [number, string])[] = [
  [111, 'Connection refused)'],
  [104, 'Connection reset by peer)'],
  [110, 'Operation timed out)'],
  [110, 'Connection timed out)'],
  [113, 'Host is unreachable)'],
  [113, 'No route to host)'],
  [101, 'Network unreachable)'],
  [101, 'Network is unreachable)'],
  [112, 'Host is down)'],
  [100, 'Network is down)'],
  [99, 'Address not available)'],
  [99, 'Cannot assign requested address)'],
  [32, 'Broken pipe)'],
  [24, 'No file descriptors available)'],
  [24, 'Too many open files)'],
  [12, 'Out of memory)'],
  [12, 'Cannot allocate memory)'],
  [28, 'No space left on device)']
]

/** The number in the last `(111: …)` of a message, else that of a known text in brackets. */
export function errnoOf(text: string): number | null {
  let errno: number | null = null
  for (const match of text.matchAll(/\((\d{1,3}): /g)) errno = Number(match[1])
  if (errno !== null) return errno
  for (const [number, words] of ERRNO_TEXTS) if (text.includes(words)) return number
  return null
}

/** Out of memory, files of the system, files of the process, disk: the same wherever it happens. */
const EXHAUSTED: ReadonlySet<number> = new Set([12, 23, 24, 28])
/** Network down, network unreachable, host down, host unreachable. */
const UNREACHABLE: ReadonlySet<number> = new Set([100, 101, 112, 113])
/** Broken pipe, connection reset. */
const BROKEN: ReadonlySet<number> = new Set([32, 104])

/** null when number and phase do not tell. `phase` is the text behind ` while `. */
export function causeOfErrno(
  text: string,
  errno: number | null,
  side: ErrnoSide,
  phase: string | null,
  level: string | null
): Cause | null {
  if (errno === null) return causeOfTlsText(text, side)
  if (EXHAUSTED.has(errno) && side !== 'client') return 'controller_overload'
  switch (side) {
    case 'upstream':
      return upstreamCause(errno, phase)
    case 'client':
      if (BROKEN.has(errno)) return phase === 'SSL handshaking' ? 'client_tls_failure' : 'client_closed'
      return errno === 110 ? 'client_timeout' : null
    case 'resolver':
      return 'dns_failure'
    case 'unknown':
      return unknownSideCause(errno, level)
    case 'other':
      return null
  }
}

function upstreamCause(errno: number, phase: string | null): Cause | null {
  if (UNREACHABLE.has(errno)) return 'host_unreachable'
  if (errno === 111) return 'connection_refused'
  if (errno === 99) return 'local_port_exhausted'
  if (phase === 'SSL handshaking to upstream')
    return errno === 110 || BROKEN.has(errno) ? 'upstream_tls_handshake' : null
  if (BROKEN.has(errno)) return 'connection_reset'
  if (phase === 'connecting to upstream') {
    if (errno === 110) return 'connect_timeout'
    // A unix socket that is missing or whose queue is full; a local policy that forbids the packet.
    if (errno === 2 || errno === 11) return 'connection_refused'
    return errno === 1 || errno === 13 ? 'host_unreachable' : null
  }
  if (errno === 110) return phase === 'sending request to upstream' ? 'send_timeout' : 'read_timeout'
  return null
}

function unknownSideCause(errno: number, level: string | null): Cause | null {
  if (errno === 111) return 'connection_refused'
  if (UNREACHABLE.has(errno)) return 'host_unreachable'
  // Socket errors are printed at info on client connections and at error on upstream ones (log-formats.md §10.7).
  if (BROKEN.has(errno) && level !== null)
    return level === 'info' || level === 'debug' ? 'client_closed' : 'connection_reset'
  return null
}

/** OpenSSL's part of a message is evidence enough when the phase says whose connection it was. */
function causeOfTlsText(text: string, side: ErrnoSide): Cause | null {
  if (!text.includes('SSL routines') && !text.includes('SSL alert') && !text.includes('SSL_')) return null
  if (side === 'client')
    return text.includes('unexpected eof') && !text.includes('SSL_do_handshake')
      ? 'client_closed'
      : 'client_tls_failure'
  if (side !== 'upstream') return null
  return text.includes('certificate verify failed') ? 'upstream_tls_verify' : 'upstream_tls_handshake'
}
