/** What the setup of this project gives to every test. */
import { Client } from '@elastic/elasticsearch'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, inject, test } from 'vitest'

const kafka = inject('kafka')
const elasticsearch = inject('elasticsearch')

test.skipIf(kafka === null)('the shared Kafka answers', async () => {
  const admin = new Kafka({ brokers: kafka!.brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  expect((await admin.describeCluster()).brokers).not.toEqual([])
  await admin.disconnect()
})

test.skipIf(elasticsearch === null)('the shared Elasticsearch answers', async () => {
  const client = new Client({ node: elasticsearch!.url })
  expect((await client.info()).version.number).toMatch(/^9\./)
  await client.close()
})

describe.skipIf(!inject('nodeRdkafka'))('node-rdkafka', () => {
  test('is loaded by its name, with every codec and every login', async () => {
    // Not a literal: it is no dependency, so it has no types here.
    const name = 'node-rdkafka'
    const { features } = (await import(name)) as { features: string[] }
    expect(features).toEqual(
      expect.arrayContaining(['gzip', 'snappy', 'lz4', 'zstd', 'ssl', 'sasl_scram', 'sasl_plain'])
    )
  })

  test('reads the cluster of the shared Kafka', async () => {
    const name = 'node-rdkafka'
    const { default: rdkafka } = await import(name)
    const producer = new rdkafka.Producer({ 'metadata.broker.list': kafka!.brokers.join() })
    const metadata = await new Promise<{ brokers: unknown[] }>((resolve, reject) => {
      producer.connect({ timeout: 10_000 }, (error: Error | null, found: { brokers: unknown[] }) =>
        error === null ? resolve(found) : reject(error)
      )
    })
    expect(metadata.brokers).not.toEqual([])
    await new Promise(resolve => producer.disconnect(resolve))
  })
})
