/** A topic that is read from a moment on, in a group that goes with the process. */
import type { Admin, Kafka } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { FromTimeDriver } from '../../../src/source/kafka/fromTimeDriver.ts'
import { ForgettingSink } from '../../../src/store/forgettingSink.ts'
import { ScriptedDriver, TOPIC } from '../../support/scriptedDriver.ts'

const HANDLERS = {
  assigned() {},
  rebalancing() {},
  revoked() {},
  messages() {},
  outOfRange() {},
  expired() {},
  failed() {}
}

class Brokers {
  readonly asked: unknown[] = []
  readonly deleted: string[] = []
  offsets = new Map([
    [0, '120'],
    [1, '7']
  ])
  deleteFault: Error | null = null

  create = (): Kafka =>
    ({
      admin: () =>
        ({
          connect: async () => {},
          disconnect: async () => void this.asked.push('disconnect'),
          fetchTopicOffsetsByTimestamp: async (topic: string, ms: number) => {
            this.asked.push([topic, ms])
            return [...this.offsets].map(([partition, offset]) => ({ partition, offset }))
          },
          deleteGroups: async (groups: string[]) => {
            if (this.deleteFault !== null) throw this.deleteFault
            this.deleted.push(...groups)
            return []
          }
        }) as unknown as Admin
    }) as unknown as Kafka
}

function bed() {
  const brokers = new Brokers()
  const inner = new ScriptedDriver()
  const logged: string[] = []
  const driver = new FromTimeDriver(inner, {
    connection: { brokers: ['127.0.0.1:9092'], tls: null, sasl: null },
    topic: TOPIC,
    groupId: 'workers-alert-1',
    fromMs: () => 1_000.5,
    log: (_level, text) => void logged.push(text),
    create: brokers.create
  })
  return { brokers, inner, driver, logged }
}

describe('where partitions begin', () => {
  test('with the messages of that moment; one that comes later is asked for then', async () => {
    const { brokers, driver } = bed()
    await driver.join(HANDLERS)
    expect([...(await driver.committed())]).toEqual([
      [0, 120],
      [1, 7]
    ])
    brokers.offsets = new Map([
      [0, '500'],
      [1, '600'],
      [2, '3']
    ])
    expect([...(await driver.committed())]).toEqual([
      [0, 120],
      [1, 7],
      [2, 3]
    ])
    expect(brokers.asked).toEqual([
      [TOPIC, 1_000],
      [TOPIC, 1_000]
    ])
  })

  test('and where they were left when they are dealt out again: the brokers are told of no commit', async () => {
    const { driver, inner } = bed()
    await driver.join(HANDLERS)
    await driver.committed()
    await driver.commit(new Map([[1, 9]]))
    expect((await driver.committed()).get(1)).toBe(9)
    expect(inner.calls.filter(call => call.startsWith('commit'))).toEqual([])
  })
})

test('the group is deleted behind the last member', async () => {
  const { brokers, driver, inner } = bed()
  await driver.join(HANDLERS)
  await driver.leave()
  expect(inner.calls).toContain('leave')
  expect(brokers.deleted).toEqual(['workers-alert-1'])
  expect(brokers.asked).toContain('disconnect')
})

test('a group that cannot be deleted keeps nobody', async () => {
  const { brokers, driver, logged } = bed()
  brokers.deleteFault = new Error('not empty')
  await driver.join(HANDLERS)
  await driver.leave()
  expect(logged).toEqual(['not empty'])
  await expect(driver.committed()).rejects.toThrow('not connected')
})

test('the sink behind it knows where this process was, and nothing else', async () => {
  const sink = new ForgettingSink()
  const state = (readTo: number) => ({ stream: 'a', place: { readTo }, read: {} as never, isDone: false })
  expect(await sink.claim(['a'])).toEqual({ streams: [], engines: [] })
  expect(await sink.write({ streams: [state(1)] })).toEqual({ written: 0, known: 0 })
  await sink.write({ streams: [state(2)] })
  expect(await sink.claim(['a', 'b'])).toEqual({ streams: [state(2)], engines: [] })
})
