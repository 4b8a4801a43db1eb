import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type GenerateOptions, generate, truthPath } from './generate.ts'
import { isCurrent, type Truth } from './truth.ts'

export type Dataset = { file: string; truth: Truth; remove(): void }

// dist/bench/dataset.js → the repository. Data stands beside the sources, git-ignored, so that a build does not drop it.
const DATA_FOLDER = new URL('../../bench/data/', import.meta.url)

/** The data for these arguments: made when it is missing or when an older generator made it. */
export function ensureDataset(options: Partial<Omit<GenerateOptions, 'out'>> & { lines: number }): Dataset {
  const { lines, seed = 1, failing = 0.02, withErrors = false } = options
  const suffix = `${failing === 0.02 ? '' : `-failing-${failing}`}${withErrors ? '-errors' : ''}`
  const file = fileURLToPath(new URL(`access-${lines}-${seed}${suffix}.log`, DATA_FOLDER))
  const truth = readTruth(file) ?? generate({ lines, seed, failing, withErrors, out: file })
  return {
    file,
    truth,
    remove() {
      rmSync(file, { force: true })
      rmSync(truthPath(file), { force: true })
    }
  }
}

function readTruth(file: string): Truth | null {
  if (!existsSync(file) || !existsSync(truthPath(file))) return null
  const truth = JSON.parse(readFileSync(truthPath(file), 'utf8')) as Truth
  return isCurrent(truth) ? truth : null
}
