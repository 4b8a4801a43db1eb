/**
 * The servers that all tests of the project `servers` share, started once before them. A test takes
 *
 *   const kafka = inject('kafka')                     // { brokers } or null
 *   const elasticsearch = inject('elasticsearch')     // { url } or null
 *   describe.skipIf(kafka === null)(…)
 *
 * and topics and indices of its own names, because others use the same servers. Each is, in this order: the address given in
 * the environment (WHY5XX_TEST_KAFKA=host:port,…, WHY5XX_TEST_ELASTICSEARCH=url); a container, where an engine answers; a Java
 * process from Maven's jars; null, which is said on stderr and fails a run with CI=true.
 */
import { Client } from '@elastic/elasticsearch'
import { Kafka, logLevel } from 'kafkajs'
import type { TestProject } from 'vitest/node'
import { hasContainerEngine, startElasticsearchContainer, startKafkaContainer } from './containers.ts'
import { isElasticsearchAvailable, startElasticsearch } from './elasticsearchServer.ts'
import { isKafkaAvailable, startKafka } from './kafkaServer.ts'
import { linkNodeRdkafka } from './nodeRdkafka.ts'

export interface SharedKafka {
  brokers: string[]
}

export interface SharedElasticsearch {
  url: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    kafka: SharedKafka | null
    elasticsearch: SharedElasticsearch | null
    /** Whether node-rdkafka can be imported. */
    nodeRdkafka: boolean
  }
}

/** Ours is to be stopped; one that was given belongs to somebody else. */
type Started<T> = { access: T; stop(): Promise<unknown> } | null

export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  const inContainers = await hasContainerEngine()
  // What takes long comes first: on a cold cache they fetch in turn.
  const starting = [findElasticsearch(inContainers), findKafka(inContainers), linkNodeRdkafka()] as const
  const stop = async () => {
    const [elasticsearch, kafka] = await Promise.allSettled(starting)
    for (const found of [elasticsearch, kafka]) if (found.status === 'fulfilled') await found.value?.stop()
  }
  try {
    const [elasticsearch, kafka, nodeRdkafka] = await Promise.all(starting)
    project.provide('elasticsearch', elasticsearch?.access ?? null)
    project.provide('kafka', kafka?.access ?? null)
    project.provide('nodeRdkafka', nodeRdkafka)
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}

async function findElasticsearch(inContainers: boolean): Promise<Started<SharedElasticsearch>> {
  const given = process.env.WHY5XX_TEST_ELASTICSEARCH
  if (given) {
    const client = new Client({ node: given, maxRetries: 0, requestTimeout: 10_000 })
    await client.info().catch(refused('WHY5XX_TEST_ELASTICSEARCH', given))
    await client.close()
    return { access: { url: given }, stop: async () => {} }
  }
  if (inContainers) {
    const { url, container } = await startElasticsearchContainer()
    return { access: { url }, stop: () => container.stop() }
  }
  if (!isElasticsearchAvailable()) return null
  const server = await startElasticsearch()
  return { access: { url: server.url }, stop: () => server.stop() }
}

async function findKafka(inContainers: boolean): Promise<Started<SharedKafka>> {
  const given = process.env.WHY5XX_TEST_KAFKA
  if (given) {
    const brokers = given.split(',').map(broker => broker.trim())
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin()
    await admin.connect().catch(refused('WHY5XX_TEST_KAFKA', given))
    await admin.disconnect()
    return { access: { brokers }, stop: async () => {} }
  }
  if (inContainers) {
    const { brokers, container } = await startKafkaContainer()
    return { access: { brokers }, stop: () => container.stop() }
  }
  if (!isKafkaAvailable()) return null
  const server = await startKafka()
  return { access: { brokers: server.brokers }, stop: () => server.stop() }
}

function refused(variable: string, address: string): (error: Error) => never {
  return error => {
    throw new Error(`${variable}=${address} does not answer: ${error.message}`, { cause: error })
  }
}
