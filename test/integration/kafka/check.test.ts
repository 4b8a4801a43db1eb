/** `why5xx check` of a real broker: topics as they are, and as they should not be. */
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Finding } from '../../../src/check/finding.ts'
import { checkKafka } from '../../../src/check/kafka.ts'
import type { KafkaConfig } from '../../../src/clusterOptions.ts'
import { defaultConfig } from '../../../src/optionTable.ts'

const brokers = inject('kafka')?.brokers ?? null

describe.skipIf(brokers === null)('on a real broker', () => {
  const name = `check-${randomUUID()}`
  const topics = { good: `${name}-good`, poor: `${name}-poor`, compacted: `${name}-compacted` }
  const client = new Kafka({ brokers: brokers ?? [], logLevel: logLevel.NOTHING })
  const admin = client.admin()

  beforeAll(async () => {
    await admin.connect()
    const entry = (key: string, value: string) => ({ name: key, value })
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: topics.good, numPartitions: 6, configEntries: [entry('retention.ms', '604800000')] },
        { topic: topics.poor, numPartitions: 1, configEntries: [entry('retention.ms', '3600000')] },
        { topic: topics.compacted, numPartitions: 2, configEntries: [entry('cleanup.policy', 'compact')] }
      ]
    })
    const producer = client.producer()
    await producer.connect()
    await producer.send({ topic: topics.good, messages: ['a', 'b', 'c'].map(value => ({ value })) })
    await producer.disconnect()
    // A broker that was just started makes the topic of its groups when somebody asks for the first.
    await vi.waitFor(
      async () => {
        for (const { state } of (await check({ topic: topics.good })).of('groupId')) expect(state).toBe('ok')
      },
      { timeout: 30_000, interval: 250 }
    )
  })
  afterAll(async () => {
    await admin.deleteTopics({ topics: Object.values(topics) })
    await admin.disconnect()
  })

  async function check(settings: Partial<KafkaConfig>): Promise<{ of: (option: string) => Finding[] }> {
    const findings = await checkKafka({
      ...defaultConfig().source.kafka,
      brokers: brokers!,
      groupId: `${name}-group`,
      rejectTopic: topics.good,
      ...settings
    })
    return { of: option => findings.filter(({ about }) => about === `source.kafka.${option}`) }
  }

  test('all is well', async () => {
    const { of } = await check({ topic: topics.good })
    expect(of('brokers')).toMatchObject([{ state: 'ok' }])
    expect(of('topic')).toMatchObject([
      { state: 'ok', text: `${topics.good}: 6 partitions, 3 messages are there`, mend: null }
    ])
    expect(of('rejectTopic')).toMatchObject([{ state: 'ok' }])
    expect(of('groupId')).toMatchObject([
      { state: 'ok', text: expect.stringMatching(/: 0 members; it has read nothing yet/) as string }
    ])
  })

  test('one partition, and lines that do not last an outage, are hints', async () => {
    const { of } = await check({ topic: topics.poor })
    expect(of('topic').map(({ state, text }) => [state, text.slice(topics.poor.length)])).toEqual([
      ['ok', ': 1 partition, 0 messages are there'],
      ['hint', ': with one partition only one worker has work'],
      ['hint', expect.stringMatching(/^: lines are kept for 1 h; an outage/)]
    ])
  })

  test('a compacted topic is a problem', async () => {
    const { of } = await check({ topic: topics.compacted })
    expect(of('topic').filter(({ state }) => state === 'problem')).toMatchObject([
      { text: expect.stringContaining('it is compacted') as string }
    ])
  })

  test('topics that are not there are named, and not made', async () => {
    const [topic, rejectTopic] = [`${name}-none`, `${name}-nowhere`]
    const { of } = await check({ topic, rejectTopic })
    expect(of('topic')).toMatchObject([
      { state: 'problem', mend: expect.stringContaining(`--create --topic ${topic}`) as string }
    ])
    expect(of('rejectTopic')).toMatchObject([{ state: 'hint' }])
    expect(of('groupId')).toMatchObject([{ state: 'ok' }])
    expect(await admin.listTopics()).not.toEqual(expect.arrayContaining([topic]))
  })
})
