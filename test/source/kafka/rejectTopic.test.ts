import type { Kafka } from 'kafkajs'
import { expect, test, vi } from 'vitest'
import { RejectTopic } from '../../../src/source/kafka/rejectTopic.ts'

interface Sent {
  value: Buffer
  headers: Record<string, string>
}

/** A broker that takes messages of at most `bytesMax`, after it was away for some attempts. */
function rejectTopic({ away = 0, awayForConnects = 0, bytesMax = 1 << 20 }) {
  const requests: Sent[][] = []
  const logged: string[] = []
  let attempts = away
  let connects = awayForConnects
  const producer = {
    connect: async () => {
      if (connects-- > 0) throw new Error('connection refused')
    },
    disconnect: async () => {},
    send: async ({ messages }: { messages: Sent[] }) => {
      if (attempts-- > 0) throw new Error('broker is away')
      const bytes = messages.reduce((sum, { value }) => sum + value.length, 0)
      if (bytes > bytesMax) throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' })
      requests.push(messages)
    }
  }
  const client = { producer: () => producer } as unknown as Kafka
  const connection = { brokers: ['kafka:9092'], tls: null, sasl: null }
  const log = (_level: string, message: string) => void logged.push(message)
  return { topic: new RejectTopic({ connection, topic: 'rejects', log, create: () => client }), requests, logged }
}

const reject = (length: number) => ({ value: Buffer.alloc(length, 0x61), headers: { 'why5xx.code': 'x' } })

test('many go in requests that a broker takes, in order', async () => {
  const { topic, requests } = rejectTopic({})
  await topic.send([reject(300_000), reject(200_000), reject(100_000)])
  expect(requests.map(part => part.map(({ value }) => value.length))).toEqual([[300_000, 200_000], [100_000]])
})

test('what fails is sent again until the brokers have it', async () => {
  const { topic, requests, logged } = rejectTopic({ away: 1, awayForConnects: 1 })
  await topic.send([reject(5)])
  expect(requests).toHaveLength(1)
  expect(logged).toEqual([
    'cannot write to topic rejects (brokers kafka:9092): connection refused',
    'cannot write to topic rejects (brokers kafka:9092): broker is away'
  ])
})

test('while it cannot be written it says why, and no longer', async () => {
  const { topic } = rejectTopic({ away: 1 })
  expect(topic.pausedBecause).toBeNull()
  const sending = topic.send([reject(5)])
  await vi.waitFor(() =>
    expect(topic.pausedBecause).toBe('cannot write to topic rejects (brokers kafka:9092): broker is away')
  )
  await sending
  expect(topic.pausedBecause).toBeNull()
})

test('what is too large for the topic is cut, says how long it was, and blocks nobody', async () => {
  const { topic, requests } = rejectTopic({ bytesMax: 100_000 })
  await topic.send([reject(10), reject(300_000), reject(20)])
  expect(requests.map(([message]) => [message!.value.length, message!.headers])).toEqual([
    [10, { 'why5xx.code': 'x' }],
    [75_000, { 'why5xx.code': 'x', 'why5xx.cut_from_bytes': '300000' }],
    [20, { 'why5xx.code': 'x' }]
  ])
})

test('what the topic refuses however little it is, is told and counted, and blocks nobody', async () => {
  const { topic, requests, logged } = rejectTopic({ bytesMax: 100 })
  expect(await topic.send([reject(10), reject(1_024), reject(20)])).toBe(1)
  expect(requests.map(([message]) => message!.value.length)).toEqual([10, 20])
  expect(logged).toEqual(['topic rejects does not even take a reject of 1024 bytes: it is not kept there'])
})

test('a close ends the waiting with an error', async () => {
  const { topic, logged } = rejectTopic({ away: 1_000 })
  const sending = topic.send([reject(5)]).catch((error: unknown) => error)
  await vi.waitFor(() => expect(logged).toHaveLength(1))
  await topic.close()
  expect(await sending).toMatchObject({ code: 'WHY5XX_KAFKA', message: expect.stringContaining('closed') as string })
})
