/** Random numbers that are not uniform. */

import type { Random } from './random.ts'

/** Mean 0, variance 1. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.share())) * Math.cos(2 * Math.PI * random.share())
}

/** Mean 1, variance 1 / shape; by Marsaglia and Tsang, below 1 with one more uniform number. */
export function gamma(random: Random, shape: number): number {
  if (shape < 1) return (gamma(random, shape + 1) * (shape + 1) * (1 - random.share()) ** (1 / shape)) / shape
  const d = shape - 1 / 3
  for (;;) {
    const x = normal(random)
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - random.share()) < x ** 2 / 2 + d * (1 - v + Math.log(v))) return (d * v) / shape
  }
}

/** Exact up to a mean of 200, by waiting times; above it a normal number, rounded. */
export function poisson(random: Random, mean: number): number {
  if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  let count = 0
  for (let left = mean; ; count += 1) {
    left += Math.log(1 - random.share())
    if (left < 0) return count
  }
}

/** At least 1, with this mean. */
export function geometric(random: Random, mean: number): number {
  return 1 + Math.floor(Math.log(1 - random.share()) / Math.log1p(-1 / Math.max(mean, 1 + 1e-9)))
}

/** Between the two, each order of magnitude as likely as another. */
export function logUniform(random: Random, low: number, high: number): number {
  return low * (high / low) ** random.share()
}

export function uniform(random: Random, low: number, high: number): number {
  return low + (high - low) * random.share()
}
