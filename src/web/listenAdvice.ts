/** What goes wrong with `web.listen`, in sentences that the listener, the log and `why5xx check` share. */

import { Why5xxError } from '../errors.ts'
import { isLoopback, type ListenAddress, listenText } from '../listenOption.ts'

/** Why an address cannot be had, and what to do: a Why5xxError `WHY5XX_LISTEN`. */
export function listenError(listen: ListenAddress, error: NodeJS.ErrnoException): Why5xxError {
  const why: Record<string, string> = {
    EADDRINUSE: 'another process listens there; end it, or set another port (0 takes a free one)',
    EACCES: `no permission${listen.port < 1024 ? ' for a port below 1024' : ''}; set another port`,
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such name',
    EAI_AGAIN: 'the name cannot be resolved just now',
    EAFNOSUPPORT: 'this machine does not speak this kind of address'
  }
  const text = why[error.code ?? ''] ?? error.message
  return new Why5xxError('WHY5XX_LISTEN', `web.listen ${listenText(listen)}: ${text}`, { cause: error })
}

/**
 * What to say where /metrics answers nobody: off loopback, and without a token. null: all is well. No error of the
 * configuration, because probes of /healthz and /readyz are why most people open the address, and these need no token;
 * whoever wants more finds the sentence in the answer, in the log at start and in `why5xx check`.
 */
export function missingToken(listen: ListenAddress, tokens: number): string | null {
  if (tokens > 0 || isLoopback(listen)) return null
  return `web.listen ${listenText(listen)} is not on loopback and there is no token, so that /metrics answers nobody: set web.metricsTokenFile or web.tokenFile`
}
