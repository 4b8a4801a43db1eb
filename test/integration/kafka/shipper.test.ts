/** Files as a node keeps them, a real shipper, a real Kafka: the records that workers expect. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONTROLLER, ContainerLog } from '../../services/containerLog.ts'
import { ShippedTopic } from '../../services/shippedTopic.ts'
import { isShipperAvailable, type Shipper, startShipper } from '../../services/shipper.ts'
import { Folder } from '../../support/program.ts'
import { fluentBitValue, SHIPPED_FROM, shippedRecords } from '../../support/shippedLog.ts'
import { kafka, TestTopic } from './kafkaBed.ts'

const STAMP_NS = 1_795_255_392_000_000_000n
const folder = new Folder()
const root = join(folder.path, 'log')
let topic: TestTopic
let first: ContainerLog
let second: ContainerLog
let shipper: Shipper
let sent: ShippedTopic

describe.skipIf(kafka === null || !isShipperAvailable())('a shipper', () => {
  beforeAll(async () => {
    topic = await TestTopic.create(3)
    first = new ContainerLog(root)
    second = new ContainerLog(root, {
      ...CONTROLLER,
      pod: 'ingress-nginx-controller-6b8f7d5c9-7hq2p',
      id: 'c4'.repeat(32)
    })
    sent = await ShippedTopic.follow(topic.brokers, topic.name)
  })

  afterAll(async () => {
    await shipper?.stop()
    await sent?.close()
    first?.close()
    second?.close()
    await topic?.remove()
    folder.remove()
  })

  test('sends a record a line, with its stamp, stream and place, keyed by the file', async () => {
    first.write('stdout', 'written before it started')
    shipper = await startShipper({ logs: root, brokers: topic.brokers, topic: topic.name })
    first.write('stderr', 'a "quoted" \\x22 path /a/b\\/c, a tab\t, \u0001, an umlaut \u00fc and a snowman \u2603')
    first.write('stdout', 'ends with a carriage return\r')
    first.write('stderr', '')
    first.write('stdout', `${'x'.repeat(16_384)}${'y'.repeat(16_384)}a third piece`)
    first.write('stderr', 'behind pieces')
    first.write('stdout', 'zeros at the end of a fraction', STAMP_NS + 120_000_000n)
    first.write('stdout', 'no fraction', STAMP_NS)
    second.write('stdout', 'of another controller')
    await shipper.allSent([first, second])
    await sent.holds([first, second])

    for (const log of [first, second]) {
      const own = sent.messages.filter(({ key }) => key === log.path)
      const expected = shippedRecords(log.generations()[0]!).map(record =>
        fluentBitValue(record, { ...SHIPPED_FROM, path: log.path })
      )
      expect(own.map(({ record }) => record)).toEqual(expected.map(value => JSON.parse(value) as unknown))
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
      // Text for text, but for the ways to write a control character.
      expect(own[0]!.value).toBe(expected[0])
    }
  })

  test('goes on behind a rotation, where offsets begin again', async () => {
    first.rotate()
    first.write('stdout', 'the first one of the new file')
    await sent.holds([first])
    first.rotate()
    first.write('stdout', 'of the third file')
    await sent.holds([first])
    expect(first.generations()).toHaveLength(3)
    const last = sent.messages.filter(({ key }) => key === first.path).slice(-2)
    expect(last.map(({ record }) => [record.log, record.log_offset])).toEqual([
      ['the first one of the new file', 0],
      ['of the third file', 0]
    ])
  })

  test('goes on behind a SIGTERM without a resend, and behind a SIGKILL without a hole', async () => {
    const before = sent.messages.length
    await shipper.restart()
    first.write('stdout', 'behind the SIGTERM')
    await sent.holds([first])
    expect(sent.messages.slice(before).map(({ record }) => record.log)).toEqual(['behind the SIGTERM'])
    await shipper.kill()
    first.write('stdout', 'while it was dead')
    await shipper.restart()
    first.write('stdout', 'behind the SIGKILL')
    await sent.holds([first, second])
  })
})
