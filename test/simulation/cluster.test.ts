/** Workers come, go, freeze and die; requests and answers are lost: nothing is lost, nothing is there twice, minutes add up. */
import { expect, test } from 'vitest'
import { Random } from '../../bench/random.ts'
import { compileLogFormat, KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { contentOf } from './clusterContent.ts'
import { type ClusterFaults, type Happened, NO_FAULTS, play, type Stage } from './clusterSimulation.ts'
import { topicOf } from './clusterTopic.ts'

/** Sixty in both simulations together. */
const SEEDS = Number(process.env.WHY5XX_SEEDS ?? (process.env.CI === 'true' ? 300 : 30))
const FIRST = Number(process.env.WHY5XX_SEED ?? 1)
const LOG_FORMAT = compileLogFormat(KNOWN_FORMATS[0]!.format)

const FAULTS: ClusterFaults = {
  workers: 2,
  fetchMessages: 12,
  kill: 0.004,
  stop: 0.003,
  freeze: 0.008,
  rebalance: 0.006,
  expire: 0.004,
  wire: { slow: 0.02, lost: 0.03, late: 0.03, answerLost: 0.03 },
  elasticsearch: { request: 0.03, item: 0.01 }
}

test(`${SEEDS} seeds from ${FIRST}`, { timeout: 300_000 }, async () => {
  const sum: Happened = { steps: 0, killed: 0, stopped: 0, frozen: 0, expired: 0, generations: 0 }
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const why = `WHY5XX_SEED=${seed} WHY5XX_SEEDS=1`
    const { partitions, withoutResends, truth } = topicOf(seed, new Random(seed))
    // Some failures hold what the mapping does not take.
    const isRefused = (index: string, id: string): boolean =>
      seed % 3 === 0 && index.startsWith('why5xx-failure') && id < '5'
    const stage: Omit<Stage, 'seed' | 'partitions'> = { logFormat: seed % 10 === 0 ? null : LOG_FORMAT, isRefused }
    try {
      const whole = contentOf(await play({ ...stage, seed: seed + 1, partitions: withoutResends }, NO_FAULTS))
      const faults = { ...FAULTS, workers: 2 + (seed % 2) }
      const played = await play({ ...stage, seed: seed + 2, partitions }, faults)
      for (const [name, count] of Object.entries(played.happened)) sum[name as keyof Happened] += count
      const content = contentOf(played)
      expect(content).toEqual(whole)
      for (const id of played.elasticsearch.refused) {
        const isRejected = (key: string): boolean => key.startsWith('why5xx-reject') && key.endsWith(`/${id}`)
        expect([...content.documents.keys()].some(isRejected), `reject ${id}`).toBe(true)
        expect(
          content.kept.some(text => text.includes(id)),
          `kept ${id}`
        ).toBe(true)
      }
      const counted = [...content.totals].map(([key, { requests, failures }]) => [key, [requests, failures]] as const)
      expect(new Map(counted)).toEqual(new Map([...truth].sort(([a], [b]) => (a < b ? -1 : 1))))
    } catch (error) {
      throw new Error(`${why}: ${String(error)}`, { cause: error })
    }
  }
  if (SEEDS >= 30) for (const [what, count] of Object.entries(sum)) expect(count, what).toBeGreaterThan(SEEDS / 10)
})
