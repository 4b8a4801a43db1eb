/**
 * Where what tests fetch and build is kept between runs, outside of the checkout:
 *
 *   ~/.cache/why5xx-tests/kafka-4.3.1-5b1c0f0e9a31/       (WHY5XX_TEST_CACHE, or XDG_CACHE_HOME/why5xx-tests)
 *
 * Every entry is named by its version and a hash of what it is built from, so a changed recipe gets a new entry and an old
 * one is never repaired. Removing the folder is always allowed: the next run builds again.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './alive.ts'

export function cacheFolder(): string {
  const { WHY5XX_TEST_CACHE, XDG_CACHE_HOME } = process.env
  return WHY5XX_TEST_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'why5xx-tests')
}

export interface Recipe {
  /** With the version: `kafka-4.3.1`. */
  name: string
  /** Files whose content decides what is built, the one with the building code among them. */
  files: string[]
  /** What else decides, such as the ABI of Node. */
  facts?: string[]
  /** Fills an empty folder. It is moved afterwards: nothing in it may hold its own path. */
  build(folder: string): Promise<void>
}

/** The folder of the entry; it may not be there yet. */
export function entryOf(recipe: Recipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe.facts ?? []))
  for (const file of recipe.files) hash.update('\n').update(readFileSync(file))
  return join(cacheFolder(), `${recipe.name}-${hash.digest('hex').slice(0, 12)}`)
}

/**
 * The entry, built when it is not there. It is built beside its place and then renamed: half an entry is never seen, and of
 * two runs that build at once the second throws its copy away.
 */
export async function cached(recipe: Recipe): Promise<string> {
  const entry = entryOf(recipe)
  if (existsSync(entry)) return entry
  mkdirSync(cacheFolder(), { recursive: true })
  removeAbandoned()
  const building = `${entry}.building-${process.pid}-${randomUUID().slice(0, 8)}`
  mkdirSync(building)
  try {
    await recipe.build(building)
    renameSync(building, entry)
  } catch (error) {
    rmSync(building, { recursive: true, force: true })
    if (!existsSync(entry)) throw error
  }
  return entry
}

/** What runs that were killed while they built have left. */
function removeAbandoned(): void {
  for (const name of readdirSync(cacheFolder())) {
    const builder = /\.building-(\d+)-/.exec(name)?.[1]
    if (builder !== undefined && !isAlive(Number(builder)))
      rmSync(join(cacheFolder(), name), { recursive: true, force: true })
  }
}
