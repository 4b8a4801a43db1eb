/**
 * How improbable a count is. Both tails are their first term, computed as a logarithm, times a series or a continued fraction of
 * positive terms: nothing is subtracted from 1, so 3e-44 is as exact as 0.3.
 */

/** Smaller ones say nothing more, and a store may not hold them. */
export const P_MIN = 1e-300

/** From here on the series of Stirling is exact to the last bit. */
const STIRLING_MIN = 16

/**
 * P(X >= count) for counts with this mean and variance `spread * mean`: Poisson where `spread` is 1, else negative binomial of size
 * `mean / (spread - 1)`. 1 where `count` is not above the mean: nothing is out of the ordinary there. At least `P_MIN`.
 */
export function tail(count: number, mean: number, spread: number): number {
  if (count <= mean || count <= 0) return 1
  if (mean <= 0) return P_MIN
  const size = spread > 1 ? mean / (spread - 1) : Number.POSITIVE_INFINITY
  // A size of that many is Poisson to all digits, and its gamma functions are not exact any more.
  const isPoisson = size > 1e12 * count
  const log = isPoisson ? logPoisson(count, mean) : logNegativeBinomial(count, size, spread)
  const rest = isPoisson ? poissonSeries(count, mean) : betaFraction(count, size, 1 - 1 / spread)
  return Math.min(1, Math.max(P_MIN, Math.exp(log + Math.log(rest))))
}

/** ln P(X = count). */
function logPoisson(count: number, mean: number): number {
  return count * Math.log(mean) - mean - logRising(1, count)
}

/** ln P(X = count); the share of successes is 1 / spread. */
function logNegativeBinomial(count: number, size: number, spread: number): number {
  return logRising(size, count) - logRising(1, count) + count * Math.log1p(-1 / spread) - size * Math.log1p(spread - 1)
}

/** ln of x (x + 1) … (x + count - 1), without the difference of two large gamma functions. */
function logRising(x: number, count: number): number {
  let product = 1
  let from = x
  let left = count
  for (; left > 0 && from < STIRLING_MIN; left -= 1) {
    product *= from
    from += 1
  }
  const log = Math.log(product)
  if (left === 0) return log
  const to = from + left
  return log + (from - 0.5) * Math.log1p(left / from) + left * Math.log(to) - left + stirling(to) - stirling(from)
}

/** What Stirling's formula leaves out of ln gamma. */
function stirling(x: number): number {
  const y = 1 / (x * x)
  return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - (y * 691) / 360360))))) / x
}

/** P(X >= count) / P(X = count): 1 + m/(n+1) + m²/(n+1)(n+2) + … */
function poissonSeries(count: number, mean: number): number {
  let sum = 1
  let term = 1
  for (let n = count + 1; term > sum * 1e-17; n += 1) {
    term *= mean / n
    sum += term
  }
  return sum
}

/**
 * P(X >= count) / P(X = count): the continued fraction of the incomplete beta function I_x(count, size) by Lentz's method. `x`
 * is below count / (count + size) since the count is above the mean, where it converges within some square roots of the count.
 */
function betaFraction(count: number, size: number, x: number): number {
  const tiny = 1e-300
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / away(1 - ((count + size) * x) / (count + 1))
  let fraction = d
  for (let m = 1; m < 100_000; m += 1) {
    const even = (m * (size - m) * x) / ((count + 2 * m - 1) * (count + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    fraction *= d * c
    const odd = (-(count + m) * (count + size + m) * x) / ((count + 2 * m) * (count + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    const change = d * c
    fraction *= change
    if (Math.abs(change - 1) < 1e-15) break
  }
  return fraction
}
