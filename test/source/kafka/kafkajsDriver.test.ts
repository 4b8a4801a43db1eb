/** The rules for a consumer that crashes; everything else about kafkajs is tested with real brokers. */
import { EventEmitter } from 'node:events'
import type { Kafka } from 'kafkajs'
import { expect, test } from 'vitest'
import type { Why5xxError } from '../../../src/errors.ts'
import { CodecError } from '../../../src/source/kafka/codecs.ts'
import { RESTARTS_MAX } from '../../../src/source/kafka/driver.ts'
import { KafkajsDriver } from '../../../src/source/kafka/kafkajsDriver.ts'

/** What of kafkajs the driver touches until a batch comes. */
class FakeKafka extends EventEmitter {
  readonly seeks: string[] = []
  readonly events = Object.fromEntries(
    ['GROUP_JOIN', 'REBALANCING', 'CRASH', 'REQUEST', 'START_BATCH_PROCESS'].map(name => [name, name])
  )
  listTopics = async () => ['lines']
  fetchOffsets = async () => [
    {
      topic: 'lines',
      partitions: [
        { partition: 0, offset: '-1' },
        { partition: 1, offset: '-2' },
        { partition: 2, offset: '7' }
      ]
    }
  ]
  connect = async () => {}
  disconnect = async () => {}
  subscribe = async () => {}
  run = async () => {}
  pause = () => {}
  resume = () => {}
  seek = ({ offset }: { offset: string }) => this.seeks.push(offset)
  admin = () => this
  consumer = () => this
}

async function joined() {
  const kafka = new FakeKafka()
  const failures: Why5xxError[] = []
  const told: string[] = []
  const driver = new KafkajsDriver(
    { brokers: ['kafka:9092'], tls: null, sasl: null },
    { topic: 'lines', groupId: 'workers', sessionTimeoutMs: 45_000, log: () => {} },
    () => kafka as unknown as Kafka
  )
  await driver.join({
    assigned: (generation, partitions) => told.push(`assigned ${generation}: ${partitions.join(',')}`),
    rebalancing: () => told.push('rebalancing'),
    revoked: partitions => told.push(`revoked ${partitions.join(',')}`),
    messages: (_generation, partition, { nextOffset }) => told.push(`${partition} to ${nextOffset}`),
    outOfRange: (_generation, partition) => told.push(`out of range ${partition}`),
    expired: () => {},
    failed: error => failures.push(error)
  })
  const join = () => kafka.emit('GROUP_JOIN', { payload: { memberAssignment: { lines: [0, 1] } } })
  const crash = (error: Error, restart: boolean) => kafka.emit('CRASH', { payload: { error, restart } })
  return { kafka, driver, failures, told, join, crash }
}

test('a consumer that will not start again ends the reading', async () => {
  const { failures, told, join, crash } = await joined()
  join()
  crash(new TypeError('x is no function'), false)
  expect(told).toEqual(['assigned 1: 0,1', 'revoked 0,1'])
  expect(failures).toMatchObject([
    { code: 'WHY5XX_KAFKA', message: expect.stringContaining('x is no function') as string }
  ])
})

test('it may start again a few times, and as often as it likes when it reads in between', async () => {
  const { kafka, failures, join, crash } = await joined()
  const restart = () => {
    crash(new Error('broker is away'), true)
    join()
  }
  for (let i = 0; i < RESTARTS_MAX; i++) restart()
  kafka.emit('REQUEST', { payload: { apiName: 'Fetch' } })
  for (let i = 0; i < RESTARTS_MAX; i++) restart()
  // Heartbeats are no progress.
  kafka.emit('REQUEST', { payload: { apiName: 'Heartbeat' } })
  expect(failures).toEqual([])
  restart()
  expect(failures.map(({ message }) => message)).toEqual([
    'reading topic lines has stopped; it was started 5 times anew without reading anything (brokers kafka:9092): broker is away'
  ])
})

test('a batch that cannot be unpacked is named', async () => {
  const { failures, join, crash } = await joined()
  join()
  const response = Buffer.alloc(42 + 61 + 9)
  response.writeInt32BE(1, 0)
  response.writeInt32BE(70, 38)
  response.writeBigInt64BE(123n, 42)
  response.writeInt32BE(58, 50)
  const records = response.subarray(42 + 61)
  crash(new Error('retries exceeded', { cause: new CodecError('codec 6', records, null) }), false)
  expect(failures[0]!.message).toContain(
    'cannot unpack the batch at offset 123 of partition 1 of lines, which was written with codec 6: no such codec is known'
  )
})

test('of offsets that hold nothing to read only the position moves', async () => {
  const { kafka, driver, told, join } = await joined()
  join()
  const skip = (firstOffset: string, lastOffset: string) =>
    kafka.emit('START_BATCH_PROCESS', {
      payload: { topic: 'lines', batchSize: 0, partition: 0, firstOffset, lastOffset, highWatermark: '9' }
    })
  skip('3', '4')
  driver.start(0, 5)
  skip('3', '4')
  skip('5', '6')
  expect(told.slice(1)).toEqual(['0 to 7'])
  expect(kafka.seeks).toEqual(['5'])
})

test('a negative commit is none: kafkajs commits -2 for an offset that has expired', async () => {
  const { driver } = await joined()
  expect([...(await driver.committed())]).toEqual([[2, 7]])
})
