/** What the simulator knows of its own requests. No parser has a part in it. */

export type TruthCause =
  | 'connection_refused'
  | 'connect_timeout'
  | 'host_unreachable'
  | 'read_timeout'
  | 'premature_close'
  | 'connection_reset'
  | 'header_too_big'
  | 'no_endpoints'
  | 'upstream_tls_handshake'
  | 'upstream_error'
  | 'client_closed'
  | 'client_timeout'
  | 'body_too_large'
  | 'bad_request'
  | 'no_route'

export interface RequestTruth {
  upstream: string
  status: number
  /** Of its failed attempts, in order. */
  causes: readonly TruthCause[]
  /** The answer came from the application. */
  appAnswered: boolean
  wasCut: boolean
  hadPeer: boolean
}

export class Truth {
  requests = 0
  failures = 0
  masked = 0
  clientClosed = 0
  refusedByNginx = 0
  /** A good status whose body broke off. */
  cut = 0
  readonly byStatus = new Map<string, number>()
  readonly byCause = new Map<string, number>()
  readonly byCauseAndUpstream = new Map<string, { cause: TruthCause; upstream: string; documents: number }>()
  readonly byUpstream = new Map<string, { requests: number; failures: number }>()

  request(truth: RequestTruth): void {
    const last = truth.causes.at(-1)
    this.#count(truth.upstream, truth.status)
    if (truth.status >= 500) {
      const own: TruthCause = truth.hadPeer ? last! : 'no_endpoints'
      this.#document(truth.appAnswered ? 'upstream_error' : own, truth.upstream)
    } else if (truth.status === 499) {
      this.clientClosed += 1
      // A client that leaves while nginx tries the next pod was driven away by the attempt that failed.
      this.#document(last ?? 'client_closed', truth.upstream)
    } else if (truth.wasCut) {
      this.cut += 1
      this.#document(last!, truth.upstream)
    } else if (last !== undefined) {
      this.masked += 1
      this.#document(last, truth.upstream)
    }
  }

  noRoute(): void {
    this.#count('upstream-default-backend', 404)
    this.#document('no_route', 'upstream-default-backend')
  }

  refused(upstream: string, status: number, cause: TruthCause): void {
    this.#count(upstream, status)
    this.refusedByNginx += 1
    this.#document(cause, upstream)
  }

  /** A redirect of nginx's own: a request, no failure. */
  redirect(upstream: string, status: number): void {
    this.#count(upstream, status)
  }

  #count(upstream: string, status: number): void {
    this.requests += 1
    add(this.byStatus, String(status))
    const service = this.byUpstream.get(upstream) ?? { requests: 0, failures: 0 }
    service.requests += 1
    if (status >= 500) {
      service.failures += 1
      this.failures += 1
    }
    this.byUpstream.set(upstream, service)
  }

  #document(cause: TruthCause, upstream: string): void {
    add(this.byCause, cause)
    const key = JSON.stringify([cause, upstream])
    const at = this.byCauseAndUpstream.get(key) ?? { cause, upstream, documents: 0 }
    at.documents += 1
    this.byCauseAndUpstream.set(key, at)
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
