/** What diagnosis is asked: one failed request, as far as its log lines tell. */

import type { Cause } from '../../parsers/causes.ts'

/** Everything but cause and time may be unknown: null. */
export interface DiagnosisInput {
  /** What the log alone tells. */
  symptom: Cause
  /** End of the request, Unix ms. */
  timeMs: number
  namespace: string | null
  service: string | null
  /** Of the Ingress' backend: a number or a name. */
  port: string | null
  /** `10.1.2.3:8080`, `[fd00::1]:8080`: the blamed attempt. */
  upstreamAddress: string | null
  /** What the client saw. */
  status: number | null
  ingress: string | null
  host: string | null
  /** Without the query. */
  path: string | null
  /** Where the controller ran that wrote the lines; null: not told. */
  controllerNamespace: string | null
  controllerPod: string | null
  detail: FailureDetail
}

export interface FailureDetail {
  /** Text of the deciding error line, without its context. */
  error: string | null
  method: string | null
  requestTimeMs: number | null
  upstreamResponseTimeMs: number | null
  upstreamStatus: number | null
  upstreamName: string | null
  alternativeUpstreamName: string | null
  client: string | null
  agent: string | null
  /** First words of the answer's body. */
  bodyHint: string | null
}

export const NO_DETAIL: FailureDetail = {
  error: null,
  method: null,
  requestTimeMs: null,
  upstreamResponseTimeMs: null,
  upstreamStatus: null,
  upstreamName: null,
  alternativeUpstreamName: null,
  client: null,
  agent: null,
  bodyHint: null
}
