/** When the pipeline cuts a batch. */
import { expect, test } from 'vitest'
import { Random } from '../bench/random.ts'
import { compileLogFormat, KNOWN_FORMATS } from '../parsers/logFormat.ts'
import { MASK_ALL } from '../src/mask.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { runPipeline } from '../src/pipeline.ts'
import type { RawBatch } from '../src/store/sink.ts'
import { wire } from '../src/wiring.ts'
import { SimulatedSource } from './simulation/simulatedSource.ts'
import { forgetfulSink } from './support/forgetfulSink.ts'
import { accessLine, DAY_MS } from './support/lines.ts'

const MINUTES = 1_500
const UPSTREAMS = 10

/** Successes alone: they leave nothing but totals. */
function quietLog(): Buffer {
  const lines: string[] = []
  for (let minute = 0; minute < MINUTES; minute++)
    for (let i = 0; i < UPSTREAMS; i++)
      lines.push(accessLine({ timeMs: DAY_MS + minute * 60_000, status: 200, name: `shop-cart${i}-80` }))
  return Buffer.from(`${lines.join('\n')}\n`)
}

test('an old log that is read at full speed makes batches of about a megabyte, though all its requests went well', async () => {
  const batches: RawBatch[] = []
  const store = forgetfulSink(batch => batches.push(batch))
  const file = { id: 'a', name: '/var/log/nginx/access.log', bytes: quietLog() }
  const source = new SimulatedSource([file], [], new Random(1), () => {})
  const logFormat = compileLogFormat(KNOWN_FORMATS[0]!.format)
  const config = { ...defaultConfig(), clusterName: 'simulated' }
  // No time goes by.
  const nowMs = (): number => 0
  await runPipeline(
    wire({ config, maskOptions: MASK_ALL, logFormat, source, store, nowMs, warn: () => {} }),
    new AbortController().signal
  )
  const sizes = batches.map(({ totals }) => JSON.stringify(totals).length)
  expect(batches.flatMap(({ totals }) => totals).reduce((sum, { requests }) => sum + requests, 0)).toBe(
    MINUTES * UPSTREAMS
  )
  expect(batches.length).toBeGreaterThan(3)
  expect(Math.max(...sizes)).toBeLessThan(1.3 * (1 << 20))
  // What is counted is what it costs, about.
  expect(sizes[0]).toBeGreaterThan(0.7 * (1 << 20))
})
