/** What we use of node-rdkafka: it is not installed by default, so its own types may be missing. */

import { Why5xxError } from '../../errors.ts'
import type { KafkaConnection } from './connection.ts'

export interface RdkafkaError extends Error {
  code: number
}

export interface RdkafkaPartition {
  topic: string
  partition: number
  /** Left out: none. */
  offset?: number
}

export interface RdkafkaMessage {
  topic: string
  partition: number
  offset: number
  value: Buffer | null
}

export interface RdkafkaConsumer {
  connect(options: { timeout: number }, done: (error: RdkafkaError | null) => void): void
  disconnect(done: () => void): void
  subscribe(topics: string[]): void
  consume(count: number, done: (error: RdkafkaError | null, messages?: RdkafkaMessage[]) => void): void
  setDefaultConsumeTimeout(ms: number): void
  assign(partitions: RdkafkaPartition[]): void
  unassign(): void
  incrementalAssign(partitions: RdkafkaPartition[]): void
  incrementalUnassign(partitions: RdkafkaPartition[]): void
  rebalanceProtocol(): string
  pause(partitions: RdkafkaPartition[]): void
  resume(partitions: RdkafkaPartition[]): void
  seek(partition: RdkafkaPartition, timeoutMs: number, done: (error?: RdkafkaError) => void): void
  commit(partitions: RdkafkaPartition[]): void
  committed(
    partitions: RdkafkaPartition[],
    timeoutMs: number,
    done: (error: RdkafkaError | null, partitions: (RdkafkaPartition | Error)[]) => void
  ): void
  queryWatermarkOffsets(
    topic: string,
    partition: number,
    timeoutMs: number,
    done: (error: RdkafkaError | null, marks: { lowOffset: number; highOffset: number }) => void
  ): void
  getMetadata(
    options: { topic?: string; timeout: number },
    done: (error: RdkafkaError | null, metadata: { topics: { name: string; partitions: unknown[] }[] }) => void
  ): void
  on(event: 'event.stats', listener: (stats: { message: string }) => void): void
  on(event: 'event.error', listener: (error: RdkafkaError) => void): void
}

export interface Rdkafka {
  KafkaConsumer: new (settings: Record<string, unknown>, topicSettings: Record<string, unknown>) => RdkafkaConsumer
}

/** Throws Why5xxError `WHY5XX_KAFKA` when it is not installed. */
export async function loadRdkafka(): Promise<Rdkafka> {
  // Not for the bundler, which would look for it.
  const name: string = 'node-rdkafka'
  try {
    const module = (await import(name)) as { default?: Rdkafka } & Rdkafka
    return module.default ?? module
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : 'cannot be loaded'
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `source.kafka.driver: node-rdkafka ${why}; install it beside why5xx with \`npm install node-rdkafka\`, or use kafkajs`,
      { cause: error }
    )
  }
}

/** The settings of librdkafka that say how to reach the brokers. */
export function connectionSettings({ brokers, tls, sasl }: KafkaConnection): Record<string, unknown> {
  const protocol = `${sasl === null ? '' : 'sasl_'}${tls === null ? 'plaintext' : 'ssl'}`
  return {
    'client.id': 'why5xx',
    'bootstrap.servers': brokers.join(','),
    'security.protocol': protocol,
    ...(tls?.ca && { 'ssl.ca.pem': tls.ca }),
    ...(tls?.cert && { 'ssl.certificate.pem': tls.cert }),
    ...(tls?.key && { 'ssl.key.pem': tls.key }),
    ...(sasl !== null && {
      'sasl.mechanism': sasl.mechanism.toUpperCase(),
      'sasl.username': sasl.username,
      'sasl.password': sasl.password
    })
  }
}
