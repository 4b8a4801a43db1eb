/** What /metrics says of a log that was read: whose failure counts against an SLO, and what a forged log cannot do. */
import { expect, test } from 'vitest'
import { Random } from '../bench/random.ts'
import { MASK_ALL } from '../src/mask.ts'
import { Metrics } from '../src/metrics.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { runPipeline } from '../src/pipeline.ts'
import { wire } from '../src/wiring.ts'
import { SimulatedSource } from './simulation/simulatedSource.ts'
import { type Exposition, readExposition } from './support/exposition.ts'
import { HOSTILE_NAMES } from './support/filledCounters.ts'
import { forgetfulSink } from './support/forgetfulSink.ts'
import { type AccessLine, accessLine, DAY_MS, errorLine } from './support/lines.ts'

/** Upstream names that have a series of their own. */
const NAMES_MAX = 5_000

async function pageOf(lines: string[]): Promise<{ text: string; exposition: Exposition }> {
  const file = { id: 'a', name: '/var/log/nginx/access.log', bytes: Buffer.from(`${lines.join('\n')}\n`) }
  const source = new SimulatedSource([file], [], new Random(1), () => {})
  const parts = wire({
    config: { ...defaultConfig(), clusterName: 'prod' },
    maskOptions: MASK_ALL,
    logFormat: null,
    source,
    store: forgetfulSink(),
    nowMs: () => DAY_MS,
    warn: () => {}
  })
  await runPipeline(parts, new AbortController().signal)
  const text = await new Metrics(parts.counters, { clusterName: 'prod' }).text()
  return { text, exposition: readExposition(text) }
}

// Which causes these are: test/parsers/causes.test.ts.
test('slo is true of requests that failed by such a cause, and of no others', async () => {
  const line = (more: Partial<AccessLine> & { status: number }): string => accessLine({ timeMs: DAY_MS, ...more })
  const limited = 'GET /limited HTTP/1.1'
  const { exposition } = await pageOf([
    line({ status: 200, up: '10.0.0.7:80|9|0.010|200' }),
    line({ status: 500, up: '10.0.0.7:80|9|0.010|500' }),
    line({ status: 499, up: '10.0.0.7:80|-|0.010|-' }),
    // A retry saved it: nobody saw a failure.
    line({ status: 200, up: '10.0.0.7:80, 10.0.0.8:80|0, 9|0.000, 0.010|502, 200', id: 'f'.repeat(32) }),
    errorLine({ timeMs: DAY_MS, message: 'limiting requests, excess: 5.500 by zone "shop"', request: limited }),
    line({ status: 503, request: limited, id: 'e'.repeat(32) })
  ])
  const failures = exposition.samples.filter(({ name }) => name === 'why5xx_failures_total')
  const told = failures.map(({ labels: { cause, status, slo }, value }) => [cause, status, slo, value].join(' '))
  expect(told.sort()).toEqual([
    'client_closed 499 false 1',
    'connection_refused 200 false 1',
    'rate_limited 503 false 1',
    'upstream_error 500 true 1'
  ])
})

test('a log that somebody forged brings no more series than the limit, and no lines of its own', async () => {
  const random = new Random(7)
  const lines = Array.from({ length: 8_000 }, (_, i) => {
    const hostile = HOSTILE_NAMES[i % HOSTILE_NAMES.length]!.slice(0, 300).replace(/[\n\r]/g, '\\x0A')
    // Most fail, with any status there is.
    const status = random.below(4) === 0 ? random.below(1_000) : 500 + random.below(100)
    const upstream = String(random.below(1_000)).padStart(3, '0')
    return accessLine({ timeMs: DAY_MS + i, status, name: `${i}-${hostile}`, up: `10.0.0.7:80|0|0.010|${upstream}` })
  })
  const { text, exposition } = await pageOf(lines)
  expect(text).not.toMatch(/^forged/m)
  const named = (name: string): Exposition['samples'] => exposition.samples.filter(sample => sample.name === name)
  const requests = named('why5xx_requests_total')
  const failures = named('why5xx_failures_total')
  expect(requests.length).toBeLessThanOrEqual(NAMES_MAX + 1)
  expect(requests.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(NAMES_MAX)
  // What shares a series keeps its cause and its status, of which there are so many: 5xx, 000, 009 and a few.
  const others = failures.filter(({ labels }) => labels.upstream === '(other upstreams)')
  expect(failures.length - others.length).toBeLessThanOrEqual(NAMES_MAX)
  expect(others.length).toBeGreaterThan(10)
  expect(others.length).toBeLessThan(500)
  expect(exposition.samples.length).toBeLessThan(2 * NAMES_MAX + 1_000)
})
