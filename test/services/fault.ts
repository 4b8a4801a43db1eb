/** What one kind of fault needs: its location in nginx, how to make it, and what must be found in the logs. */
import type { Cause } from '../../parsers/causes.ts'
import type { Certificate } from './certificate.ts'
import type { FaultyUpstreams } from './faultyUpstream.ts'
import type { Expectation, LabRequest, Requests } from './labRequest.ts'
import type { LabPorts } from './nginxConfig.ts'
import { exchange, requestBytes } from './wire.ts'

export interface Lab {
  ports: LabPorts
  upstreams: FaultyUpstreams
  certificate: Certificate
  /** One nginx does not trust. */
  strangerCertificate: Certificate
  directory: string
  nginxVersion: string
  hasLua: boolean
  requests: Requests
  /** Waits until a path stands in the access log. */
  logged(path: string): Promise<unknown>
}

export interface Fault extends Expectation {
  kind: string
  /** Requests of this kind, 6 unless said. */
  count?: number
  form?: 'path' | 'pathless' | 'equal'
  /** Parts of `http {}`: upstreams, zones. */
  http?: readonly string[]
  /** Body of the kind's own location; none when the request never gets that far. */
  location?: string
  /** Further locations, complete. */
  locations?: readonly string[]
  act(lab: Lab, request: LabRequest): Promise<unknown>
  /** Makes the state in which every request of the kind fails, and gives what undoes it. The requests then go one by one. */
  arrange?: (lab: Lab) => Promise<() => Promise<unknown>>
}

/** What a request that gets a document must look like. */
export function fails(
  cause: Cause | readonly Cause[],
  status: Expectation['status'],
  errorText: RegExp | null
): Expectation {
  return { causes: [cause].flat(), status, errorText }
}

/** What a request must look like that nobody wants to hear about. */
export function quiet(status: Expectation['status'], errorText: RegExp | null = null): Expectation {
  return { causes: [], status, errorText }
}

/** A fault that one location and one request make. */
export function at(kind: string, expectation: Expectation, location: string, act: Fault['act'] = get): Fault {
  return { kind, ...expectation, location, act }
}

export const QUIET = quiet(200)

export const get = (lab: Lab, request: LabRequest) => exchange(lab.ports.http, request, requestBytes(request))

export const post = (lab: Lab, request: LabRequest) =>
  exchange(lab.ports.http, request, requestBytes(request, { method: 'POST', body: 'a=1&b=2' }))

export const head = (lab: Lab, request: LabRequest) =>
  exchange(lab.ports.http, request, requestBytes(request, { method: 'HEAD' }))
