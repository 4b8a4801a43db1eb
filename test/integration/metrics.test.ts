/** Does Prometheus read what /metrics says? Its own tool parses the page, and finds nothing in names and types to mend. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { Metrics } from '../../src/metrics.ts'
import { startServer } from '../../src/web/server.ts'
import { filledCounters } from '../support/filledCounters.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
if (!hasPromtool) {
  const missing = 'promtool is not in PATH (Debian: apt-get install --no-install-recommends prometheus)'
  if (process.env.CI === 'true') throw new Error(missing)
  console.warn(`SKIPPED, nothing of it was tested: ${missing}`)
}

test.skipIf(!hasPromtool)('promtool has nothing to say of the page', async () => {
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: null,
    metricsToken: null,
    health: () => [],
    ready: () => [],
    metrics: new Metrics(filledCounters(Date.now()), { clusterName: 'prod' })
  })
  try {
    const page = await (await fetch(`${server.address}/metrics`)).text()
    expect(check(page)).toEqual({ status: 0, said: '' })
    // It does look: a counter without its ending, a page that is cut.
    expect(check(page.replaceAll('why5xx_lines_total', 'why5xx_lines')).said).toContain('should have "_total" suffix')
    expect(check(page.slice(0, -10)).status).not.toBe(0)
  } finally {
    await server.close()
  }
})

function check(page: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}
