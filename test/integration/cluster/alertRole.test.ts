/** The alert role on a real topic: it tells once, whatever becomes of the store and of itself. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest'
import { containerLogPath } from '../../../bench/cluster/shipped.ts'
import type { Incident } from '../../../src/alert/incident.ts'
import { minuteOf } from '../../../src/alertHistory.ts'
import { IncidentTopic } from '../../../src/source/kafka/incidentTopic.ts'
import { CAUSE, freshAlerting, MINUTE_MS, UPSTREAM } from '../../support/alertBed.ts'
import buildDist from '../../support/buildDist.ts'
import { accessLine } from '../../support/lines.ts'
import type { RunningProgram } from '../../support/runningProgram.ts'
import { ClusterBed, clusterTest, type SentValue } from './bed.ts'

const BASE_MINUTES = 110
const RECEIVER = 'webhook pager'
/** Nobody listens there. */
const AWAY = ['--set', 'sink.elasticsearch.nodes=http://127.0.0.1:1']

let bed: ClusterBed
let topic: string
let server: Server
let told: { kind: string; key: string; cause: string; failures: number }[]

beforeAll(() => buildDist())

beforeEach(async () => {
  told = []
  server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      told.push(JSON.parse(text) as (typeof told)[number])
      response.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  bed = new ClusterBed('alerts')
  await bed.prepare(3)
  topic = await bed.emptyTopic()
})

afterEach(async () => {
  await bed.remove()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

function role(...more: string[]): RunningProgram {
  const { port } = server.address() as AddressInfo
  const webhook = { name: 'pager', url: `http://127.0.0.1:${port}/`, template: 'generic' }
  const settings = { roles: 'alert', 'alerts.topic': topic, 'alerts.webhooks': JSON.stringify([webhook]) }
  return bed.start(...Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${value}`]), ...more)
}

/** What three controllers log in the minutes before `endMs`; `failing` tells of how many seconds ago requests fail. */
function* log(endMs: number, failing: (agoMs: number) => boolean): Generator<SentValue> {
  for (let ms = endMs - BASE_MINUTES * MINUTE_MS; ms < endMs; ms += 1_000) {
    const pod = (ms / 1_000) % 3
    const status = failing(endMs - ms) && ms % 2_000 === 0 ? 502 : 200
    const up = status === 200 ? '10.0.0.7:80|5|0.001|200' : '10.0.0.7:80|0|0.001|502'
    const line = accessLine({ timeMs: ms, status, name: UPSTREAM, up })
    const record = {
      time: new Date(ms).toISOString(),
      stream: 'stdout',
      _p: 'F',
      log: line,
      log_path: containerLogPath(pod)
    }
    yield { key: record.log_path, value: JSON.stringify(record), timestamp: String(ms) }
  }
}

async function settled(alerts: RunningProgram): Promise<void> {
  await vi.waitFor(
    async () => {
      expect((await alerts.ask('/readyz')).status).toBe(200)
      expect(await alerts.metric('why5xx_spike_active', { upstream: UPSTREAM })).toBe(1)
      expect(await alerts.metric('why5xx_incidents_waiting', { place: 'topic' })).toBe(0)
    },
    { timeout: 60_000, interval: 100 }
  )
}

describe('a spike that goes on', () => {
  clusterTest('is told once, without a store and over a kill -9; the group goes with the process', async () => {
    await bed.send(log(Math.floor(Date.now() / 1_000) * 1_000, agoMs => agoMs < 4 * MINUTE_MS))
    const first = role(...AWAY)
    await first.until(() => (told.length > 0 ? true : undefined))
    expect(told).toMatchObject([{ kind: 'open', cause: CAUSE }])
    await first.until(async () =>
      (await first.metric('why5xx_notifications_total', { kind: 'open', outcome: 'sent' })) === 1 ? true : undefined
    )
    await settled(first)
    expect(await first.metric('why5xx_incidents_total', { cause: CAUSE })).toBe(1)
    expect(await first.metric('why5xx_incidents_waiting', { place: 'store' })).toBe(1)
    expect(await first.metric('why5xx_requests_total')).toBeNaN()
    expect(await first.metric('why5xx_processing_lag_seconds')).toBe(0)
    expect(first.stderr.match(/incidents cannot be written to the store/g)).toHaveLength(1)
    await first.kill('SIGKILL')

    const second = role(...AWAY)
    await settled(second)
    expect(await second.metric('why5xx_incidents_total')).toBeNaN()
    expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(told.filter(({ kind }) => kind === 'open')).toHaveLength(1)
    expect(new Set(told.map(({ key }) => key)).size).toBe(1)
    // The killed one is still in its own.
    expect(await bed.groups()).toHaveLength(1)
  })
})

describe('a spike that an earlier process has told', () => {
  clusterTest('and that is over: its end is told once, and stored in Elasticsearch', async () => {
    const endMs = Math.floor(Date.now() / 1_000) * 1_000
    await bed.send(log(endMs, agoMs => agoMs >= 12 * MINUTE_MS && agoMs < 25 * MINUTE_MS))
    const open = incidentOf(endMs - 25 * MINUTE_MS, endMs - 20 * MINUTE_MS)
    open.told[RECEIVER] = { state: 'open', atMs: endMs - 22 * MINUTE_MS, failures: open.failures }
    const kept = new IncidentTopic({ ...bed.kafkaOptions, topic, groupId: bed.namespace, say() {}, log() {} })
    await kept.put([open])
    await kept.close()

    const alerts = role()
    await alerts.until(() => (told.length > 0 ? true : undefined))
    expect(told).toMatchObject([{ kind: 'resolved', key: open.id, cause: CAUSE }])
    await alerts.until(async () =>
      (await alerts.metric('why5xx_incidents_waiting')) === 0 &&
      (await bed.incidents()).some(({ told }) => told[RECEIVER]?.state === 'resolved')
        ? true
        : undefined
    )
    expect(await alerts.metric('why5xx_spike_active')).toBeNaN()
    expect(await alerts.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const stored = await bed.incidents()
    expect(stored).toMatchObject([{ id: open.id, state: 'resolved', told: { [RECEIVER]: { state: 'resolved' } } }])
    expect(stored[0]!.failures).toBeGreaterThan(open.failures)
    expect(told).toHaveLength(1)
    expect(await bed.groups()).toEqual([])
  })
})

/** What a process would have found by `nowMs` in a log that fails from `fromMs` on. */
function incidentOf(fromMs: number, nowMs: number): Incident {
  const alerting = freshAlerting()
  for (let ms = fromMs - 80 * MINUTE_MS; ms < nowMs; ms += 1_000) {
    alerting.addRequests(UPSTREAM, minuteOf(ms), 1)
    if (ms >= fromMs && ms % 2_000 === 0) alerting.addFailures(UPSTREAM, CAUSE, minuteOf(ms), 1)
  }
  return alerting.advance(nowMs).changed[0]!
}
