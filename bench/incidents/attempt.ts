import type { Client } from './clients.ts'
import type { Peer } from './cluster.ts'
import type { Worker } from './controller.ts'
import type { Random } from './random.ts'
import type { Route, Service } from './service.ts'

export interface Request {
  at: number
  service: Service
  route: Route
  /** With the query. */
  uri: string
  client: Client
  referrer: string
  /** Time until the body is read; attempts start after it. */
  bodyMs: number
  bodyBytes: number
  /** How long the client waits for the first byte. */
  patienceMs: number
}

/** What a pod does with a request that reached it. */
export type Answer =
  | { kind: 'answer'; ms: number; status: number; bytes: number }
  | {
      kind: 'fault'
      ms: number
      cause: 'premature_close' | 'connection_reset' | 'header_too_big' | 'upstream_tls_handshake'
      extraTry?: boolean
    }

export type Behaviour = (context: {
  request: Request
  peer: Peer
  at: number
  worker: Worker
  retried: boolean
}) => Answer | null

export const MESSAGES = {
  connection_refused: 'connect() failed (111: Connection refused) while connecting to upstream',
  host_unreachable: 'connect() failed (113: Host is unreachable) while connecting to upstream',
  connect_timeout: 'upstream timed out (110: Operation timed out) while connecting to upstream',
  read_timeout: 'upstream timed out (110: Operation timed out) while reading response header from upstream',
  premature_close: 'upstream prematurely closed connection while reading response header from upstream',
  connection_reset: 'recv() failed (104: Connection reset by peer) while reading response header from upstream',
  header_too_big: 'upstream sent too big header while reading response header from upstream',
  upstream_tls_handshake:
    'SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream'
} as const

/** One try at one pod. `sent`: the request went out, so a POST must not be repeated. */
export interface Try {
  endMs: number
  status: number
  bytes: number
  cause: keyof typeof MESSAGES | null
  sent: boolean
  retry: boolean
  extraTry: boolean
  /** The answer had begun when the connection broke. */
  cut: boolean
}

export interface TryContext {
  random: Random
  behaviour: Behaviour
  slowness: (peer: Peer, ms: number) => number
  request: Request
  peer: Peer
  /** When the attempt starts. */
  ms: number
  worker: Worker
  retried: boolean
}

type FailedCause = keyof typeof MESSAGES

export function tryPeer(context: TryContext): Try {
  const { random, request, peer, ms, worker, retried } = context
  const failed = (cause: FailedCause, took: number, sent: boolean): Try => {
    const status = cause === 'connect_timeout' || cause === 'read_timeout' ? 504 : 502
    return { endMs: ms + took, status, bytes: 0, cause, sent, retry: true, extraTry: false, cut: false }
  }
  const answered = (answer: { ms: number; status: number; bytes: number }, cutBy: FailedCause | null): Try => {
    const { status, bytes } = answer
    const endMs = ms + answer.ms
    return { endMs, status, bytes, cause: cutBy, sent: true, retry: false, extraTry: false, cut: cutBy !== null }
  }
  const down = peer.downs.find(period => period.from <= ms && ms < period.to)
  if (down?.kind === 'refused') return failed('connection_refused', random.chance(0.25) ? 1 : 0, false)
  if (down?.kind === 'unreachable') return failed('host_unreachable', random.integer(3_052, 3_080), false)
  if (down?.kind === 'lost') return failed('connect_timeout', random.integer(5_000, 5_004), false)

  const answer = context.behaviour({ request, peer, at: ms, worker, retried }) ?? ordinaryAnswer(context)
  worker.idleSince.set(peer.address, ms + answer.ms)
  const broken = peer.breaks.find(moment => ms < moment.at && moment.at <= ms + answer.ms)
  if (broken !== undefined) {
    const cause = random.chance(broken.resets) ? 'connection_reset' : 'premature_close'
    const took = broken.at - ms + random.integer(0, 2)
    const headerMs = Math.min(60, answer.ms / 4)
    if (request.route.streamed !== true || answer.kind === 'fault' || took <= headerMs) return failed(cause, took, true)
    const share = (took - headerMs) / (answer.ms - headerMs)
    return answered(
      { ms: took, status: answer.status, bytes: Math.max(1_024, Math.floor(answer.bytes * share)) },
      cause
    )
  }
  if (answer.kind === 'fault') {
    const sent = answer.cause !== 'upstream_tls_handshake'
    const retry = answer.cause !== 'header_too_big'
    return { ...failed(answer.cause, answer.ms, sent), retry, extraTry: answer.extraTry === true }
  }
  return answer.ms < 60_000 ? answered(answer, null) : failed('read_timeout', random.integer(60_000, 60_006), true)
}

function ordinaryAnswer({ random, request, peer, ms, retried, slowness }: TryContext): Answer {
  const { route } = request
  const took = Math.max(1, Math.round(random.logNormal(route.ms, route.spread) * slowness(peer, ms)))
  // After a failed attempt always a good answer, so that "masked" is beyond doubt.
  const usual = route.statuses[0]![1]
  const status = retried ? (usual < 400 ? usual : 200) : random.weighted(route.statuses)
  return { kind: 'answer', ms: took, status, bytes: bodyBytes(random, route, status) }
}

function bodyBytes(random: Random, route: Route, status: number): number {
  if (route.method === 'HEAD' || status === 304 || status === 204) return 0
  if (status >= 500) return random.integer(48, 120)
  if (status >= 400) return random.integer(30, 90)
  return random.integer(...route.bytes)
}
