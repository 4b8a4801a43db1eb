/** One request of the nginx lab and what is known about it beforehand. */
import type { Cause } from '../../parsers/causes.ts'

export interface Expectation {
  /** Causes a document of this request may name; empty: the request must stay without a document. */
  causes: readonly Cause[]
  /** The statuses its access line may have; null: nginx writes no access line. */
  status: number | readonly number[] | null
  /** What the deciding error line contains; null: nginx writes none. */
  errorText: RegExp | null
}

export interface LabRequest extends Expectation {
  kind: string
  /** Unique, except where `id` is set. */
  path: string
  /** The address the client binds to. Unique where the log lines of the kind have no path. */
  client: string
  /** True: the log lines of the request are found by its client's address. */
  isPathless: boolean
  /** `X-Request-ID` of requests that look equal otherwise; their error lines are told apart by `$connection`. */
  id: string | null
}

/** Requests of a kind, made in order by the lab. */
export interface Requests {
  next(kind: string, expectation: Expectation, form?: 'path' | 'pathless' | 'equal'): LabRequest
}

const POOL = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']

/** Numbers requests per kind and spreads them over a few clients, as a load balancer in front would. */
export function numberRequests(all: LabRequest[]): Requests {
  const counts = new Map<string, number>()
  return {
    next: (kind, expectation, form = 'path') => {
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      const serial = all.length
      const isPathless = form === 'pathless'
      const request: LabRequest = {
        ...expectation,
        kind,
        path:
          form === 'equal'
            ? `/f/${kind}/same`
            : `/${kind.startsWith('ok_') ? 'ok' : 'f'}/${kind.replace(/^ok_/, '')}/${count}`,
        client: isPathless
          ? `127.9.${serial >> 8}.${serial & 255}`
          : POOL[form === 'equal' ? 0 : serial % POOL.length]!,
        isPathless,
        id: form === 'equal' ? `${kind}-${count}` : null
      }
      all.push(request)
      return request
    }
  }
}
