/** What counted failures tell of an incident. Loaded only when there is one: it needs the catalogue of root causes. */

import type { FailureMinute, FailureSeries } from '../alert/failureMinutes.ts'
import type { Sighting } from '../alert/sighting.ts'
import { wordsOf } from '../sighting.ts'
import { ingressOf, type JudgedFacts, namespaceOf, serviceName } from '../store/diagnosisFields.ts'
import type { FailureKind, TalliedSeries } from './failureTally.ts'

export function sightedSeries({ upstream, cause, kinds }: TalliedSeries): FailureSeries {
  const sighted = new Map<number, FailureMinute>()
  for (const kind of kinds.values()) {
    const sighting = sightingOfKind(upstream, cause, kind)
    for (const [minute, count] of kind.minutes) {
      const found = sighted.get(minute)
      if (found === undefined) sighted.set(minute, { kinds: [{ sighting, count }], unseen: 0 })
      else found.kinds.push({ sighting, count })
    }
  }
  return { upstream, cause, minutes: sighted }
}

/** One for all of a kind: without a request, a time and an id, which nobody asks for. */
function sightingOfKind(
  upstream: string,
  cause: Sighting['cause'],
  { status, masked, counted, namespace, service, ingress, diagnosis }: FailureKind
): Sighting {
  const judged: JudgedFacts = {
    judgement: null,
    diagnosis,
    logged: { namespace, service, ingress },
    upstreamName: upstream,
    labels: []
  }
  return {
    timeMs: 0,
    upstream,
    service: serviceName(judged) ?? '',
    namespace: namespaceOf(judged),
    ingress: ingressOf(judged),
    cause,
    status,
    masked,
    counted,
    method: null,
    host: null,
    path: null,
    address: null,
    pod: diagnosis?.names.pod ?? null,
    node: diagnosis?.names.node ?? null,
    controllerPod: null,
    rootCause: diagnosis && wordsOf(diagnosis),
    id: () => ''
  }
}
