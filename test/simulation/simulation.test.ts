/** Kill it anywhere, start it again: nothing is lost, nothing is there twice, minutes add up as if nothing had happened. */
import { expect, test } from 'vitest'
import { MemoryStore } from './memoryWriter.ts'
import { Crash, contentOf, live } from './simulation.ts'
import { filesOf, randomOf } from './world.ts'

const SEEDS = Number(process.env.WHY5XX_SEEDS ?? 100)
const FIRST = Number(process.env.WHY5XX_SEED ?? 1)

test(`${SEEDS} seeds from ${FIRST}`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const files = filesOf(seed)
    const whole = new MemoryStore()
    const never = (): void => {}
    await live({ files, random: randomOf(seed + 1), open: async () => whole.open(never), mayCrash: never })

    const store = new MemoryStore()
    const random = randomOf(seed + 2)
    let lives = 0
    for (let done = false; !done; lives++) {
      const mayCrash = (where: string): void => {
        // In the end it gets through.
        if (lives < 40 && random.chance(0.03)) throw new Crash(where)
      }
      try {
        await live({ files, random, open: async () => store.open(mayCrash), mayCrash })
        done = true
      } catch (error) {
        if (!(error instanceof Crash)) throw error
      }
    }
    expect(contentOf(store.batches), `WHY5XX_SEED=${seed} WHY5XX_SEEDS=1, ${lives} lives`).toEqual(
      contentOf(whole.batches)
    )
  }
})
