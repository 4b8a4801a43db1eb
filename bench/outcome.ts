import type { Upstream } from './pools.ts'
import type { Random } from './random.ts'

/**
 * How one request ended: the fields of the access line that depend on it, and nginx's error lines.
 * The four upstream fields are kept as logged; `- - - -` when no upstream was asked.
 */
export type Outcome = {
  status: number
  method: string | null
  /** nginx's own page: its size without padding. null: the body is what the upstream sent. */
  ownPageBytes: number | null
  bodyBytes: number
  requestTimeMs: number
  upstreamFields: string
  attempts: number
  isMasked: boolean
  /** Replaces the service's own name when not null: `` and `-` (location not reached), or the error page's backend. */
  upstreamName: string | null
  errors: AttemptError[]
}

/** `beforeEndMs`: a read timeout of the first pod is written two minutes before the access line. */
export type AttemptError = { message: string; address: string; beforeEndMs: number }

const NONE = '- - - -'
const REFUSED = 'connect() failed (111: Connection refused) while connecting to upstream'
const READING = 'while reading response header from upstream'
const TIMED_OUT = `upstream timed out (110: Operation timed out) ${READING}`
const CLOSED = `upstream prematurely closed connection ${READING}`
const RESET = `recv() failed (104: Connection reset by peer) ${READING}`
const TOO_BIG = `upstream sent too big header ${READING}`
const NO_HEADER = `upstream sent no valid HTTP/1.0 header ${READING}`
const ERROR_PAGE_POD = '10.244.9.9:8080'
const ERROR_PAGE_NAME = 'upstream-default-backend'

type Attempt = { address: string; status: string; bytes: number; ms: number; message?: string }
type Make = (random: Random, upstream: Upstream) => Outcome

/** Shares of all failures. 499 is among them although `failures` does not count it. */
const FAILURES: readonly (readonly [number, Make])[] = [
  [0.22, (random, upstream) => ended(502, refused(random, upstream, 3), { ownPageBytes: 150 })],
  [0.05, (random, upstream) => ended(502, broken(random, upstream, CLOSED), { ownPageBytes: 150, method: 'POST' })],
  [0.03, (random, upstream) => ended(502, broken(random, upstream, RESET), { ownPageBytes: 150, method: 'POST' })],
  [0.02, (random, upstream) => ended(502, broken(random, upstream, TOO_BIG), { ownPageBytes: 150, method: 'GET' })],
  [0.16, () => ended(503, [], { ownPageBytes: 190 })],
  [0.06, (random, upstream) => ended(504, timedOut(random, upstream, 3), { ownPageBytes: 160, method: 'GET' })],
  [0.07, (random, upstream) => ended(504, timedOut(random, upstream, 1), { ownPageBytes: 160, method: 'POST' })],
  [0.23, (random, upstream) => answered(random, upstream, 500)],
  [0.04, (random, upstream) => answered(random, upstream, random.pick([502, 503, 503, 504]))],
  [0.02, (random, upstream) => errorPage(random, refused(random, upstream, 3), 502)],
  [0.01, (random, upstream) => errorPage(random, [attempt(random, upstream, '503', 0, 20)], 503)],
  [0.01, (random, upstream) => errorPage(random, [attempt(random, upstream, '503', 0, 20)], 404)],
  [0.06, (random, upstream) => ended(499, [attempt(random, upstream, '-', 0, random.below(30_000))], {})],
  [0.01, aborted],
  [0.006, noHeader],
  [0.004, () => ended(0, [], { upstreamName: '' })]
]

export function failure(random: Random, upstream: Upstream): Outcome {
  let left = random.share()
  for (const [share, make] of FAILURES) {
    left -= share
    if (left < 0) return make(random, upstream)
  }
  return answered(random, upstream, 500)
}

/** Saved by a retry: the client saw a success. */
export function masked(random: Random, upstream: Upstream): Outcome {
  const isSlow = random.share() < 0.05
  const failed = isSlow ? timedOut(random, upstream, 1) : refused(random, upstream, 1 + random.below(2))
  const bytes = 200 + random.below(9000)
  const last = attempt(random, upstream, '200', bytes, 5 + random.below(300))
  return { ...ended(200, [...failed, last], { bodyBytes: bytes, method: 'GET' }), isMasked: true }
}

/** nginx answered before any upstream was asked, or the catch-all did. */
export function refusedByNginx(random: Random): Outcome {
  const kind = random.below(4)
  if (kind === 0) return ended(400, [], { ownPageBytes: 150, upstreamName: '' })
  if (kind === 1) return ended(413, [], { ownPageBytes: 176, upstreamName: '-', method: 'POST' })
  if (kind === 2) return ended(408, [], { upstreamName: '' })
  const catchAll = { address: '127.0.0.1:8181', status: '404', bytes: 146, ms: 1 }
  return ended(404, [catchAll], { bodyBytes: 146, upstreamName: ERROR_PAGE_NAME })
}

/** X-Accel-Redirect: two groups and no failure. */
export function redirectedInside(random: Random, upstream: Upstream): Outcome {
  const first = attempt(random, upstream, '200', 0, random.below(20))
  const bytes = 5000 + random.below(90_000)
  return ended(200, [first], { bodyBytes: bytes }, attempt(random, upstream, '200', bytes, random.below(90)))
}

function attempt(random: Random, upstream: Upstream, status: string, bytes: number, ms: number): Attempt {
  return { address: random.pick(upstream.pods), status, bytes, ms }
}

function refused(random: Random, upstream: Upstream, count: number): Attempt[] {
  return Array.from({ length: count }, () => ({
    ...attempt(random, upstream, '502', 0, random.below(3)),
    message: REFUSED
  }))
}

function timedOut(random: Random, upstream: Upstream, count: number): Attempt[] {
  return Array.from({ length: count }, () => ({
    ...attempt(random, upstream, '504', 0, 60_000 + random.below(5)),
    message: TIMED_OUT
  }))
}

function broken(random: Random, upstream: Upstream, message: string): Attempt[] {
  return [{ ...attempt(random, upstream, '502', 0, random.below(900)), message }]
}

/** The application's own 5xx: body and upstream length are equal, and there is no error line. */
function answered(random: Random, upstream: Upstream, status: number): Outcome {
  const bytes = 40 + random.below(2000)
  const method = random.share() < 0.3 ? 'POST' : 'GET'
  return ended(status, [attempt(random, upstream, String(status), bytes, 3 + random.below(900))], {
    bodyBytes: bytes,
    method
  })
}

function errorPage(random: Random, first: Attempt[], status: number): Outcome {
  const page = { address: ERROR_PAGE_POD, status: String(status), bytes: 700 + random.below(90), ms: 1 }
  return ended(status, first, { bodyBytes: page.bytes, upstreamName: ERROR_PAGE_NAME, method: 'GET' }, page)
}

/** The client left while nginx tried the second pod: `504, -`. */
function aborted(random: Random, upstream: Upstream): Outcome {
  const waited = attempt(random, upstream, '-', 0, random.below(40_000))
  return ended(499, [...timedOut(random, upstream, 1), waited], { method: 'GET' })
}

function noHeader(random: Random, upstream: Upstream): Outcome {
  const bytes = 20 + random.below(60)
  const only = { ...attempt(random, upstream, '200', bytes, 2), message: NO_HEADER }
  return ended(9, [only], { bodyBytes: bytes, method: 'GET' })
}

function ended(status: number, group: Attempt[], given: Partial<Outcome>, nextGroup?: Attempt): Outcome {
  const all = nextGroup === undefined ? group : [...group, nextGroup]
  const requestTimeMs = all.reduce((sum, { ms }) => sum + ms, 0)
  const errors: AttemptError[] = []
  let elapsedMs = 0
  for (const { message, address, ms } of all) {
    elapsedMs += ms
    if (message !== undefined) errors.push({ message, address, beforeEndMs: requestTimeMs - elapsedMs })
  }
  const list = (field: (one: Attempt) => string) =>
    group.map(field).join(', ') + (nextGroup === undefined ? '' : ` : ${field(nextGroup)}`)
  const upstreamFields = `${list(one => one.address)} ${list(one => String(one.bytes))} ${list(one => seconds(one.ms))} ${list(one => one.status)}`
  return {
    status,
    method: null,
    ownPageBytes: null,
    bodyBytes: 0,
    requestTimeMs,
    upstreamFields: all.length === 0 ? NONE : upstreamFields,
    attempts: all.length,
    isMasked: false,
    upstreamName: null,
    errors,
    ...given
  }
}

const SECONDS = Array.from({ length: 4000 }, (_, ms) => (ms / 1000).toFixed(3))

/** nginx's `s.mmm`. */
export function seconds(ms: number): string {
  return SECONDS[ms] ?? (ms / 1000).toFixed(3)
}
