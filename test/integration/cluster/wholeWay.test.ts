/**
 * The whole way: real nginx before backends that fail → their logs as kubelet keeps them → a shipper → Kafka → two workers beside
 * a process that watches the cluster → Elasticsearch → what the panels of the dashboards ask → an alert at an Alertmanager.
 *
 * In the middle of it a worker is killed, the logs are rotated, and the shipper dies. Every fault that was made is found once,
 * with its cause and its pod, and every request is counted.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { isAlertmanagerAvailable } from '../../services/alertmanagerServer.ts'
import { isAvailable } from '../../services/availability.ts'
import { findNginx } from '../../services/nginx.ts'
import { isShipperAvailable } from '../../services/shipper.ts'
import buildDist from '../../support/buildDist.ts'
import { WayRun } from './wayRun.ts'
import { judgeWay, tableText, wayDocument } from './wayVerdict.ts'

const SEED = 20_261_122
/** Services of which is known what is ordinary; all others are new, and nobody is paged for them. */
const OBSERVED = ['shop-cart-80', 'shop-orders-80']

const program = findNginx()
const canRun =
  isAvailable(
    'nginx',
    program === null ? 'it or openssl is not in PATH (Debian: apt-get install nginx openssl)' : null
  ) &&
  isAlertmanagerAvailable() &&
  isShipperAvailable() &&
  inject('kafka') !== null &&
  inject('elasticsearch') !== null

describe.skipIf(!canRun)('every fault that a real nginx was made to log', () => {
  let run: WayRun

  beforeAll(async () => {
    buildDist()
    const t = performance.now()
    const say = (x: string) => console.log(x, ((performance.now() - t) / 1000).toFixed(1))
    run = await WayRun.prepare(program!, SEED)
    say('prepared')
    await run.go(OBSERVED)
    say('gone')
    const { all, past } = run.controllers
    const before = [...past.values()].reduce((sum, count) => sum + count)
    const sent = before + all.filter(({ status }) => status !== null).length
    await run.stored(all.filter(({ causes }) => causes.length > 0).length, sent).catch(async error => {
      const hits = await run.bed.documents('failure')
      const verdict = judgeWay(all, hits.map(wayDocument), { stories: run.controllers.stories, pods: run.pods })
      console.log('WRONG', verdict.wrong.join('\n'))
      const { writeFileSync, cpSync } = await import('node:fs')
      cpSync(run.folder.path, '/tmp/g-way-kept', { recursive: true, filter: name => !name.endsWith('.pipe') })
      const { ShippedTopic } = await import('../../services/shippedTopic.ts')
      const t = await ShippedTopic.follow(inject('kafka')!.brokers, run.bed.topic)
      await t.holds(run.controllers.logs)
      writeFileSync('/tmp/g-way-topic.ndjson', t.messages.map(m => JSON.stringify(m)).join('\n'))
      await t.close()
      throw error
    })
    say('stored')
    await run.alerted(2)
    say('alerted')
  })

  afterAll(() => run?.remove())

  test('is stored once, with its cause, its pod, and what was wrong with it', async () => {
    const hits = await run.bed.documents('failure')
    const verdict = judgeWay(run.controllers.all, hits.map(wayDocument), {
      stories: run.controllers.stories,
      pods: run.pods
    })
    console.log(tableText(verdict.rows))
    expect(verdict.wrong, tableText(verdict.rows)).toEqual([])
    expect(await run.bed.documents('reject')).toEqual([])
    console.log(JSON.stringify(await run.alerted(2), null, 1))
  })
})
