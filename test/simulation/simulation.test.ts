/** Kill it anywhere, start it again: nothing is lost, nothing is there twice, minutes add up as if nothing had happened. */
import { expect, test } from 'vitest'
import { Random } from '../../bench/random.ts'
import { compileLogFormat, KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { type DiskFaults, MemoryDisk } from '../support/memoryDisk.ts'
import { clusterOf, FIRST_MS } from './simulatedCluster.ts'
import { contentOf, type Ending, type Faults, live, NO_FAULTS, type World } from './simulation.ts'
import { filesOf } from './world.ts'

/** Sixty in both simulations together. */
const SEEDS = Number(process.env.WHY5XX_SEEDS ?? (process.env.CI === 'true' ? 300 : 30))
const FIRST = Number(process.env.WHY5XX_SEED ?? 1)
// Detecting it takes half of the time; one seed in ten does.
const LOG_FORMAT = compileLogFormat(KNOWN_FORMATS[0]!.format)
/** Of so many worlds one has a cluster that is watched: then failures are judged, and judged again. */
const WATCHED_EACH = 8
/** In the end it gets through. */
const LIVES_MAX = 40

const CRASH = 0.02
const DISK: Partial<DiskFaults> = {
  appendFull: 0.03,
  syncError: 0.02,
  truncateError: 0.02,
  crashBeforeRead: CRASH,
  crashBeforeAppend: CRASH,
  crashInAppend: CRASH,
  crashAfterAppend: CRASH,
  crashBeforeSync: CRASH,
  crashAfterSync: CRASH,
  crashBeforeTruncate: CRASH,
  crashAfterTruncate: CRASH,
  crashBeforeRename: CRASH,
  crashAfterRename: CRASH,
  crashBeforeRemove: CRASH,
  crashAfterRemove: CRASH
}
const FAULTS: Faults = { kill: 0.02, stop: 0.01, disk: DISK }

test(`${SEEDS} seeds from ${FIRST}`, { timeout: 300_000 }, async () => {
  const endings: Record<Ending, number> = { 'never open': 0, crashed: 0, stopped: 0, done: 0 }
  const verdicts = new Map<string, number>()
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const files = filesOf(seed)
    const logFormat = seed % 10 === 0 ? null : LOG_FORMAT
    const whole = new MemoryDisk()
    const isWatched = seed % WATCHED_EACH === 0
    const clusterNow = (): World['cluster'] => (isWatched ? { events: clusterOf(seed), clockMs: FIRST_MS } : null)
    const undisturbed = { files, logFormat, random: new Random(seed + 1), promised: new Map() }
    await live({ ...undisturbed, cluster: clusterNow() }, whole, NO_FAULTS)

    const random = new Random(seed + 2)
    const world = { files, logFormat, random, promised: new Map<string, number>(), cluster: clusterNow() }
    let disk = new MemoryDisk(() => random.share(), FAULTS.disk)
    let ending: Ending = 'stopped'
    const why = `WHY5XX_SEED=${seed} WHY5XX_SEEDS=1`
    for (let lives = 1; ending !== 'done'; lives++) {
      const faults = lives < LIVES_MAX ? FAULTS : NO_FAULTS
      ending = await live(world, disk, faults).catch((error: unknown) => {
        throw new Error(`${why}, life ${lives}: ${String(error)}`, { cause: error })
      })
      endings[ending]++
      disk = disk.restart(lives + 1 < LIVES_MAX ? faults.disk : {})
    }
    const content = await contentOf(disk.restart({}))
    expect(content, why).toEqual(await contentOf(whole))
    for (const { root_cause: rootCause } of content.rows.values())
      if (typeof rootCause === 'string') verdicts.set(rootCause, (verdicts.get(rootCause) ?? 0) + 1)
  }
  if (SEEDS >= 30) expect(verdicts.get('oom_killed')).toBeGreaterThan(Math.min(5, SEEDS / 20))
  if (SEEDS >= 30) for (const count of Object.values(endings)) expect(count).toBeGreaterThan(SEEDS / 10)
})
