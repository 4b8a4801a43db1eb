/** How often the detector is right must not fall: figures of `bench/alerts.ts`, on fewer series and other seeds. */
import { describe, expect, test } from 'vitest'
import { figuresOf, score, sumOf } from '../../bench/alertScore.ts'
import { labelledServices } from '../../bench/alertSeries.ts'

const SEEDS = [7, 8]
const FALL_MAX = 0.02

describe.each([
  ['gamma', { normal: [0.977, 0.934], sensitive: [0.957, 0.978] }],
  ['clustered', { normal: [0.844, 0.942], sensitive: [0.765, 0.942] }]
] as const)('%s noise', (noise, figures) => {
  const days = SEEDS.map(seed => labelledServices({ seed, noise, hours: 18 }))

  test.each(['normal', 'sensitive'] as const)('precision and recall of the profile %s are what they were', profile => {
    const total = sumOf(days.map(services => score(services, profile)))
    const { precision, recall, delayP50 } = figuresOf(total)
    expect(total.incidents).toBeGreaterThan(40)
    expect(precision).toBeGreaterThan(figures[profile][0] - FALL_MAX)
    expect(recall).toBeGreaterThan(figures[profile][1] - FALL_MAX)
    expect(delayP50).toBeLessThanOrEqual(2)
  })
})
