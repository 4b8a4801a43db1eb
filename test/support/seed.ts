/** Properties are tried with the same cases in every run; `WHY5XX_SEED=n` tries others. */
import fc from 'fast-check'

export const SEED = Number(process.env.WHY5XX_SEED ?? 20_261_121)
/** Before every commit a part of the cases is enough, and the first ones are always the same; CI tries all. */
const PART = process.env.CI === 'true' ? 1 : 0.3

fc.configureGlobal({ seed: SEED })

/** Options of a property that costs a second or more when all its cases are tried. */
export function runs(numRuns: number): { numRuns: number; seed: number } {
  return { numRuns: Math.ceil(numRuns * PART), seed: SEED }
}
