/**
 * Requests to the demo's nginx, as traffic.mjs has them.
 *
 *   node load.mjs URL [REQUESTS-PER-SECOND]
 *
 * SIGUSR2 makes a wave: for two minutes every second request goes to /cart, whose pod is down. An incident needs one, because a
 * rate that never changes is normal to why5xx.
 */
import { pathOf } from './traffic.mjs'

const WAVE_MS = 120_000
/** Waits longer than nginx does. */
const ANSWER_MS = 10_000

const [url, rate = '5'] = process.argv.slice(2)
const perSecond = Number(rate)
if (!URL.canParse(url ?? '') || !(perSecond > 0)) {
  console.error('usage: node load.mjs URL [REQUESTS-PER-SECOND]')
  process.exit(2)
}

let sent = 0
let waveUntilMs = 0

function nextPath() {
  const number = sent++
  return Date.now() < waveUntilMs && number % 2 === 0 ? `/cart/${number}` : pathOf(number)
}

async function visit() {
  try {
    const answer = await fetch(new URL(nextPath(), url), { signal: AbortSignal.timeout(ANSWER_MS) })
    await answer.arrayBuffer()
  } catch {
    // nginx is not up yet, or gone: what it did with the request stands in its log, or nowhere.
  }
}

const timer = setInterval(visit, 1_000 / perSecond)
process.on('SIGUSR2', () => {
  waveUntilMs = Date.now() + WAVE_MS
  console.log('a wave of failures at /cart for two minutes')
})
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => clearInterval(timer))
