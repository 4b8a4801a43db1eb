/**
 * Services for the spike detector, minute by minute, with the incidents that were put in: failures of two to four causes at levels
 * from 0.01 to 200 a minute, a daily season, surges of traffic, deploys, slow drift, and noise. Everything from a seed.
 */

import type { Cause } from '../parsers/causes.ts'
import { gamma, geometric, logUniform, normal, poisson, uniform } from './distributions.ts'
import { Random } from './random.ts'

/**
 * `gamma`: each minute's level is multiplied by a gamma number of its own, of a shape that differs by cause (1: spreads as far
 * as its mean; 5; none: Poisson). `clustered`: failures come in clumps, as of clients that try again, and their level wanders.
 */
export type Noise = 'gamma' | 'clustered'

export interface SeriesOptions {
  seed: number
  hours?: number
  noise?: Noise
}

export interface LabelledIncident {
  /** Minutes since the beginning; the last one is part of it. */
  start: number
  end: number
  isRamp: boolean
}

export interface LabelledCause {
  cause: Cause
  failures: Float64Array
  incidents: LabelledIncident[]
}

export interface LabelledService {
  upstream: string
  /** Failures a minute of all causes, on average. */
  level: number
  requests: Float64Array
  causes: LabelledCause[]
}

/** Of all causes of a service together; one service each. */
const LEVELS = [0.01, 0.03, 0.1, 0.3, 1, 2, 5, 20, 60, 200]

const CAUSES: readonly Cause[] = [
  'connection_refused',
  'read_timeout',
  'premature_close',
  'upstream_error',
  'no_endpoints',
  'connect_timeout',
  'connection_reset'
]

/** Nothing is said about the first hours: there an incident is what is normal. */
const FIRST_INCIDENT = 150
/** Between incidents of one cause: two that are nearer are one. */
const APART = 60
const INCIDENTS_A_DAY = 1.7

export function labelledServices(options: SeriesOptions): LabelledService[] {
  const { seed, hours = 30, noise = 'gamma' } = options
  return LEVELS.map((level, place) => {
    const random = new Random(seed * 1000 + place)
    return service(random, `shop-service${place}-80`, level, hours * 60, noise)
  })
}

function service(random: Random, upstream: string, level: number, minutes: number, noise: Noise): LabelledService {
  const failing = logUniform(random, 0.0003, 0.01)
  const traffic = trafficOf(random, Math.max(8, level / failing), minutes)
  const shares = Array.from({ length: 2 + random.below(3) }, () => uniform(random, 0.2, 1))
  const sum = shares.reduce((total, share) => total + share, 0)
  const first = random.below(CAUSES.length)
  const deploys = Array.from({ length: poisson(random, minutes / 600) }, () => random.below(minutes))
  const causes = shares.map((share, i): LabelledCause => {
    const perMinute = (level * share) / sum
    const mean = noiseless(random, traffic, perMinute)
    const noisy = noise === 'gamma' ? gammaNoise(random) : clusteredNoise(random)
    const incidents = incidentsOf(random, minutes)
    const failures = Float64Array.from(mean, noisy)
    for (const minute of deploys) if (random.share() < 0.5) failures[minute]! += geometric(random, 1.5)
    for (const incident of incidents) strike(random, incident, traffic, mean, failures)
    // No more fail than were asked.
    for (let minute = 0; minute < minutes; minute += 1) failures[minute] = Math.min(failures[minute]!, traffic[minute]!)
    return { cause: CAUSES[(first + i) % CAUSES.length]!, failures, incidents }
  })
  return { upstream, level, requests: traffic, causes }
}

/** Requests a minute: season, surges with steep sides, bursts at deploys, and noise. */
function trafficOf(random: Random, perMinute: number, minutes: number): Float64Array {
  const depth = uniform(random, 0.1, 0.8)
  const phase = random.share()
  const factors = new Float64Array(minutes).fill(1)
  const times = (from: number, length: number, factor: number) => {
    for (let minute = from; minute < Math.min(minutes, from + length); minute += 1) factors[minute]! *= factor
  }
  for (let surges = poisson(random, minutes / 480); surges > 0; surges -= 1)
    times(random.below(minutes), 5 + random.below(90), logUniform(random, 2, 8))
  for (let bursts = poisson(random, minutes / 480); bursts > 0; bursts -= 1)
    times(random.below(minutes), 1 + random.below(3), uniform(random, 1.5, 3))
  const steadiness = logUniform(random, 10, 200)
  return factors.map((factor, minute) => {
    const season = 1 + depth * Math.sin(2 * Math.PI * (minute / 1440 + phase))
    return poisson(random, perMinute * season * factor * gamma(random, steadiness))
  })
}

/** Failures that a cause has a minute when nothing is wrong: a share of the traffic that drifts by up to a third. */
function noiseless(random: Random, traffic: Float64Array, perMinute: number): Float64Array {
  const average = traffic.reduce((total, count) => total + count, 0) / traffic.length
  const drift = uniform(random, -0.33, 0.33)
  const phase = random.share()
  return traffic.map(
    (count, minute) => ((perMinute * count) / average) * (1 + drift * Math.sin(2 * Math.PI * (minute / 2400 + phase)))
  )
}

function gammaNoise(random: Random): (mean: number) => number {
  const shape = random.pick([1, 5, Number.POSITIVE_INFINITY])
  return mean => poisson(random, shape === Number.POSITIVE_INFINITY ? mean : mean * gamma(random, shape))
}

/** Clumps of one to three, and a level that wanders by a fifth within some minutes. */
function clusteredNoise(random: Random): (mean: number) => number {
  const size = uniform(random, 1, 3)
  const memory = uniform(random, 0.5, 0.9)
  let wander = 0
  return mean => {
    wander = memory * wander + Math.sqrt(1 - memory ** 2) * 0.2 * normal(random)
    let count = 0
    for (let clumps = poisson(random, (mean * Math.exp(wander)) / size); clumps > 0; clumps -= 1)
      count += geometric(random, size)
    return count
  }
}

function incidentsOf(random: Random, minutes: number): LabelledIncident[] {
  const incidents: LabelledIncident[] = []
  let free = FIRST_INCIDENT
  for (;;) {
    const start = free + Math.floor((-Math.log(1 - random.share()) * 1440) / INCIDENTS_A_DAY)
    const end = start + Math.round(logUniform(random, 3, 60)) - 1
    if (end >= minutes) return incidents
    incidents.push({ start, end, isRamp: random.share() < 0.3 })
    free = end + APART
  }
}

/**
 * A share of the requests fails, 2 to 90 %: four times what is normal at the least, and three a minute, for what nobody would call an
 * incident is none. A ramp rises to it over its first two thirds.
 */
function strike(
  random: Random,
  incident: LabelledIncident,
  traffic: Float64Array,
  mean: Float64Array,
  failures: Float64Array
): void {
  const share = logUniform(random, 0.02, 0.9)
  const length = incident.end - incident.start + 1
  for (let minute = incident.start; minute <= incident.end; minute += 1) {
    const height = Math.max(share * traffic[minute]!, 4 * mean[minute]!, 3)
    const progress = (minute - incident.start + 1) / ((length * 2) / 3)
    failures[minute]! += poisson(random, height * (incident.isRamp ? Math.min(1, progress) : 1))
  }
}
