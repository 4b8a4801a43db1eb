/** Properties are tried with the same cases in every run; `WHY5XX_SEED=n` tries others. */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env.WHY5XX_SEED ?? 20_261_121) })
