import type { Random } from './random.ts'

export interface Route {
  weight: number
  method: string
  path: (random: Random) => string
  /** What the application answers when all is well. */
  statuses: readonly (readonly [weight: number, status: number])[]
  bytes: readonly [low: number, high: number]
  /** Median and spread of a log-normal latency. */
  ms: number
  spread: number
  requestBody?: readonly [low: number, high: number]
  /** The header comes early and the body takes the rest of the time. */
  streamed?: boolean
}

export interface Service {
  /** `$proxy_upstream_name`. */
  upstream: string
  /** `namespace/name`. */
  name: string
  ingress: string
  host: string
  perSecond: number
  /** Share of requests that come from browsers; the rest are programs. */
  browsers: number
  routes: readonly Route[]
}

export const id = (random: Random): string => String(random.integer(10_000, 99_999))
export const slug = (random: Random): string =>
  random.pick([
    'black-friday-hours',
    'how-we-roast',
    'winter-menu',
    'new-warehouse',
    'returns-made-easy',
    'meet-the-team'
  ])
export const fixed = (path: string) => (): string => path
export const mostly = (status: number): Route['statuses'] => [
  [997, status],
  [2, 404],
  [1, 500]
]
