/** The broker that tests get is a real one: it keeps what it acknowledged, and it lets in who has the password. */
import { readFileSync } from 'node:fs'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isKafkaAvailable, type KafkaServer, startKafka } from '../../services/kafkaServer.ts'

const TOPIC = 'lines'

describe.skipIf(!isKafkaAvailable())('a broker of its own', () => {
  let server: KafkaServer
  let kafka: Kafka

  beforeAll(async () => {
    server = await startKafka({ security: true })
    kafka = clientOf({ brokers: server.brokers })
    const admin = kafka.admin()
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] })
    await admin.disconnect()
  })
  afterAll(() => server?.stop())

  test('a message goes through it', async () => {
    await send(kafka, 'first')
    expect(await valuesFrom(kafka, 1)).toEqual(['first'])
  })

  test('killed and started again it has what it acknowledged, under the same address', async () => {
    await send(kafka, 'second')
    const { pid } = server
    await server.kill()
    await server.restart()
    expect(server.pid).not.toBe(pid)
    await send(kafka, 'third')
    expect(await valuesFrom(kafka, 3)).toEqual(['first', 'second', 'third'])
  })

  test('it takes a message of 10 MB', async () => {
    const bytes = Buffer.alloc(10_000_000, 'x')
    await send(kafka, bytes)
    expect((await valuesFrom(kafka, 4)).at(-1)?.length).toBe(bytes.length)
  })

  test.each<SASLOptions['mechanism']>(['plain', 'scram-sha-256', 'scram-sha-512'])(
    '%s over TLS lets the user in, and nobody with another password',
    async mechanism => {
      const { brokers, caFile, username, password } = server.secure!
      const ssl = { ca: [readFileSync(caFile, 'utf8')] }
      const topicsSeenWith = async (secret: string) => {
        const sasl = { mechanism, username, password: secret } as SASLOptions
        const admin = clientOf({ brokers, ssl, sasl }).admin()
        try {
          await admin.connect()
          return await admin.listTopics()
        } finally {
          await admin.disconnect()
        }
      }
      expect(await topicsSeenWith(password)).toContain(TOPIC)
      await expect(topicsSeenWith('another')).rejects.toThrow(/authentication/i)
    }
  )
})

function clientOf(options: Omit<ConstructorParameters<typeof Kafka>[0], 'clientId'>): Kafka {
  return new Kafka({ clientId: 'server-test', logLevel: logLevel.NOTHING, retry: { retries: 8 }, ...options })
}

async function send(kafka: Kafka, value: string | Buffer): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: TOPIC, acks: -1, messages: [{ value }] })
  await producer.disconnect()
}

/** The first `count` values of the topic. */
async function valuesFrom(kafka: Kafka, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: `reader-${process.hrtime.bigint()}`, maxBytesPerPartition: 11_000_000 })
  const values: string[] = []
  try {
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', event => reject(event.payload.error))
      consumer
        .run({
          eachMessage: async ({ message }) => {
            values.push(message.value!.toString())
            if (values.length === count) resolve()
          }
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return values
}
