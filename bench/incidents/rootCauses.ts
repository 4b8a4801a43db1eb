/** Why the requests of an incident failed, as far as the simulation knows, and what a diagnosis must say of it. */

import type { RootCause } from '../../src/diagnose/rootCauses.ts'
import type { Simulation } from './simulation.ts'
import type { TruthCause } from './truth.ts'

export interface KnownReason {
  rootCause: RootCause
  /** Right as well, in the words of the catalogue. */
  acceptable?: readonly RootCause[]
  /** Share of these failures that must be told so; default: all. */
  shareMin?: number
}

export type KnownReasons = Readonly<Partial<Record<TruthCause, KnownReason>>>

/** What happens on any day, at any service. What the log alone cannot tell may stay undetermined. */
const ORDINARY: KnownReasons = {
  upstream_error: { rootCause: 'app_error' },
  client_closed: { rootCause: 'client_abort' },
  client_timeout: { rootCause: 'client_abort', shareMin: 0 },
  body_too_large: { rootCause: 'request_denied', shareMin: 0 },
  bad_request: { rootCause: 'request_denied', shareMin: 0 },
  no_route: { rootCause: 'ingress_rule_mismatch', shareMin: 0 }
}

/** One entry for each cause at each upstream. `pods`: who held which address, of the addresses that were asked. */
export function expectedRootCauses(simulation: Simulation, service: string, reasons: KnownReasons): object[] {
  return [...simulation.truth.byCauseAndUpstream.values()]
    .sort((a, b) => (`${a.cause} ${a.upstream}` < `${b.cause} ${b.upstream}` ? -1 : 1))
    .map(({ cause, upstream, documents }) => {
      const name = simulation.serviceOf(upstream)
      const known = (name === service ? reasons[cause] : undefined) ?? ORDINARY[cause]
      if (known === undefined) throw new Error(`nothing says why there is ${cause} at ${upstream}`)
      const { rootCause, acceptable = [], shareMin = 1 } = known
      return { cause, upstream, documents, rootCause, acceptable, shareMin, pods: podsOf(simulation, name) }
    })
}

function podsOf(simulation: Simulation, service: string | null): Record<string, string> {
  const peers = service === null ? [] : simulation.endpoints.get(service)!.all
  return Object.fromEntries(peers.map(({ address, pod }) => [address.split(':')[0]!, pod]))
}
