/** Kill it anywhere, start it again: nothing is lost, nothing is there twice, minutes add up as if nothing had happened. */
import { expect, test } from 'vitest'
import { Random } from '../../bench/random.ts'
import { compileLogFormat, KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { type DiskFaults, MemoryDisk } from '../support/memoryDisk.ts'
import { contentOf, type Ending, type Faults, live, NO_FAULTS } from './simulation.ts'
import { filesOf } from './world.ts'

const SEEDS = Number(process.env.WHY5XX_SEEDS ?? (process.env.CI === 'true' ? 1_000 : 100))
const FIRST = Number(process.env.WHY5XX_SEED ?? 1)
// Detecting it takes half of the time; one seed in ten does.
const LOG_FORMAT = compileLogFormat(KNOWN_FORMATS[0]!.format)
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

test(`${SEEDS} seeds from ${FIRST}`, { timeout: 120_000 }, async () => {
  const endings: Record<Ending, number> = { 'never open': 0, crashed: 0, stopped: 0, done: 0 }
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const files = filesOf(seed)
    const logFormat = seed % 10 === 0 ? null : LOG_FORMAT
    const whole = new MemoryDisk()
    await live({ files, logFormat, random: new Random(seed + 1), promised: new Map() }, whole, NO_FAULTS)

    const random = new Random(seed + 2)
    const world = { files, logFormat, random, promised: new Map<string, number>() }
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
    expect(await contentOf(disk.restart({})), why).toEqual(await contentOf(whole))
  }
  if (SEEDS >= 100) for (const count of Object.values(endings)) expect(count).toBeGreaterThan(SEEDS / 10)
})
