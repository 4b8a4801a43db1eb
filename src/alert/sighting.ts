/** A failure as the alerts see it: judged, masked, and not stored yet. */

import type { Cause } from '../../parsers/causes.ts'
import type { RootCause } from '../diagnose/rootCauses.ts'

/** What was wrong in the cluster, in words. All texts are masked and safe to store, not escaped for any format. */
export interface SightedRootCause {
  kind: RootCause
  variant: string | null
  /** The object at fault: `Pod shop/a-1`. */
  ref: string | null
  /** When its state began, Unix ms. */
  atMs: number | null
  confidence: number
  /** What happened, in one sentence. */
  sentence: string
  /** Sentences with their citations, strongest first; at most five. */
  evidence: { cite: string; text: string }[]
  advice: string | null
}

export interface Sighting {
  /** `@timestamp`, Unix ms. */
  timeMs: number
  /** Upstream name, '' when the line has none. */
  upstream: string
  /** `namespace/service` when known, else the upstream name. */
  service: string
  namespace: string | null
  ingress: string | null
  cause: Cause
  /** What the client saw; null without an access line. */
  status: number | null
  /** A retry saved it. */
  masked: boolean
  /** 5xx, 000, 009: what rates count. */
  counted: boolean
  method: string | null
  host: string | null
  /** Without the query. */
  path: string | null
  /** Of the blamed upstream. */
  address: string | null
  pod: string | null
  node: string | null
  /** `controllerPodName` of the controller; null: not known. */
  controllerPod: string | null
  /** null: nobody was asked, or nothing is known. */
  rootCause: SightedRootCause | null
  /** Id of the failure document. Computed when it is asked for: only few are. */
  id(): string
}

/** `ingress-nginx/controller-a`; the pod alone where only its name is known. */
export function controllerPodName(namespace: string | null, pod: string): string {
  return namespace === null || namespace === '' ? pod : `${namespace}/${pod}`
}
