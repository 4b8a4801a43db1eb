/** Properties are tried with the same cases in every run; `WHY5XX_SEED=n` tries others. */
import fc from 'fast-check'

export const SEED = Number(process.env.WHY5XX_SEED ?? 20_261_121)
/** Before every commit a part of the cases is enough, and the first ones are always the same; CI tries all. */
const PART = process.env.CI === 'true' ? 1 : 0.3

fc.configureGlobal({ seed: SEED })

/** Of cases that take a second or more together: every third, and all in CI. `from` is the first: give each of several uses another. */
export function someOf<T>(cases: readonly T[], from = 0): T[] {
  return PART === 1 ? [...cases] : cases.filter((_, i) => i % 3 === from % 3)
}

/** Options of a property that costs a second or more when all its cases are tried. */
export function runs(numRuns: number): { numRuns: number; seed: number } {
  return { numRuns: Math.ceil(numRuns * PART), seed: SEED }
}
