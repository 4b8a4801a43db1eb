import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CAUSES } from '../parsers/causes.ts'
import type { Profile } from '../src/alert/alerting.ts'
import { SpikeDetector } from '../src/alert/detector.ts'
import { benchAlerting } from './alertingCost.ts'
import { figuresOf, score, sumOf } from './alertScore.ts'
import { labelledServices, type Noise } from './alertSeries.ts'
import { poisson } from './distributions.ts'
import { type Finding, report } from './finding.ts'
import { collectGarbage, cpuMs, heldBytes } from './heap.ts'
import { median } from './measure.ts'
import { Random } from './random.ts'

/**
 * How often is the spike detector right, on labelled series of 30 h, and what does it cost to watch 5,000 of them?
 *
 *   node --expose-gc dist/bench/alerts.js [--seeds 5] [--seed 1]     seeds from --seed on
 */
const MEMORY_BYTES_MAX = 100 * 1024 * 1024
const MINUTE_MS_MAX = 50
const SERVICES = 1_250
const CAUSES_A_SERVICE = 4
const MINUTES = 400
const OUTAGE_MINUTES = 30

export function benchAlerts(seeds: readonly number[]): Finding[] {
  // Cost first, while nothing else is on the heap.
  const findings = [...benchCost(), ...benchAlerting()]
  for (const noise of ['gamma', 'clustered'] as const)
    for (const profile of ['normal', 'sensitive'] as const) findings.push(...benchScore(seeds, noise, profile))
  return findings
}

function benchScore(seeds: readonly number[], noise: Noise, profile: Profile): Finding[] {
  const total = sumOf(seeds.map(seed => score(labelledServices({ seed, noise }), profile)))
  const { precision, recall, falseAlarms, delayP50, delayP90 } = figuresOf(total)
  // The second noise and the second profile are only reported.
  const isGate = noise === 'gamma' && profile === 'normal'
  const finding = (question: string, figure: string, gate: string, passes: boolean): Finding => ({
    question: `${noise} noise, ${profile}: ${question}`,
    figure,
    gate: isGate ? gate : '',
    passes: isGate ? passes : null
  })
  return [
    finding(`precision of ${total.alerts} alerts`, precision.toFixed(3), '>= 0.950', precision >= 0.95),
    finding(`recall of ${total.incidents} incidents`, recall.toFixed(3), '>= 0.950', recall >= 0.95),
    finding('false alarms a series and day', falseAlarms.toFixed(3), '<= 0.100', falseAlarms <= 0.1),
    finding('delay, median and p90', `${delayP50} and ${delayP90} min`, '<= 2 min', delayP50 <= 2)
  ]
}

function benchCost(): Finding[] {
  const random = new Random(1)
  collectGarbage()
  const before = heldBytes()
  const detector = new SpikeDetector({ profile: 'normal' })
  const names = Array.from({ length: SERVICES }, (_, i) => `shop-service${i}-80`)
  const times: number[] = []
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const started = process.cpuUsage()
    for (const name of names) {
      detector.addRequests(name, minute, 100)
      for (let i = 0; i < CAUSES_A_SERVICE; i += 1) detector.addFailures(name, CAUSES[i]!, minute, poisson(random, 1))
    }
    detector.advance(minute + 1)
    times.push(cpuMs(started))
  }
  // An outage of everything: the minute in which it begins, and the ones after it.
  const outage: number[] = []
  for (let minute = MINUTES; minute < MINUTES + OUTAGE_MINUTES; minute += 1) {
    for (const name of names) {
      detector.addRequests(name, minute, 100)
      for (let i = 0; i < CAUSES_A_SERVICE; i += 1) detector.addFailures(name, CAUSES[i]!, minute, 50)
    }
    const started = process.cpuUsage()
    const found = detector.advance(minute + 1).length
    outage.push(cpuMs(started))
    if (found !== detector.facts.series) throw new Error(`${found} of ${detector.facts.series} series fire`)
  }
  collectGarbage()
  const bytes = heldBytes() - before
  const { series } = detector.facts
  const perMinute = median(times)
  return [
    {
      question: `${series} series: memory`,
      figure: `${(bytes / 1024 / 1024).toFixed(1)} MiB`,
      gate: '<= 100.0 MiB',
      passes: bytes <= MEMORY_BYTES_MAX
    },
    {
      question: `${series} series: cpu of a minute, its counts included, median of ${MINUTES}`,
      figure: `${perMinute.toFixed(1)} ms`,
      gate: `<= ${MINUTE_MS_MAX} ms`,
      passes: perMinute <= MINUTE_MS_MAX
    },
    {
      question: `${series} series: cpu of a minute while all of them fire, median of ${OUTAGE_MINUTES}`,
      figure: `${median(outage).toFixed(1)} ms`,
      gate: `<= ${MINUTE_MS_MAX} ms`,
      passes: median(outage) <= MINUTE_MS_MAX
    }
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { seeds: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } }
  })
  const first = Number(values.seed)
  report(benchAlerts(Array.from({ length: Number(values.seeds) }, (_, i) => first + i)))
}
