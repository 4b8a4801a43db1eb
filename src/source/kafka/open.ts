/** Configuration → a source that reads the topic. */

import { randomUUID } from 'node:crypto'
import type { KafkaConfig } from '../../clusterOptions.ts'
import { kafkaConnection } from './connection.ts'
import type { DriverLog, KafkaDriver } from './driver.ts'
import { FromTimeDriver } from './fromTimeDriver.ts'
import { KafkaSource, type KafkaSourceOptions } from './kafkaSource.ts'

/** `owner` as in `KafkaSourceOptions`. Throws Why5xxError `WHY5XX_CONFIG`, and `WHY5XX_KAFKA` without the driver's library. */
export async function openKafkaSource(
  config: KafkaConfig,
  owner: Pick<KafkaSourceOptions, 'claim' | 'begins' | 'ends'>,
  log: DriverLog
): Promise<KafkaSource> {
  return new KafkaSource({ driver: await driverOf(config, log), config, ...owner, log })
}

/**
 * The same topic, whole, in a group of its own that goes with the process: from the messages of `fromMs` on, Unix ms, which
 * is asked for when reading begins.
 * `claim` answers what this process itself has read since. Throws as `openKafkaSource`.
 */
export async function openKafkaTail(
  config: KafkaConfig,
  fromMs: () => number,
  claim: KafkaSourceOptions['claim'],
  log: DriverLog
): Promise<KafkaSource> {
  const groupId = `${config.groupId}-alert-${randomUUID()}`
  const driver = new FromTimeDriver(await driverOf({ ...config, groupId }, log), {
    connection: kafkaConnection(config),
    topic: config.topic,
    groupId,
    fromMs,
    log
  })
  return new KafkaSource({ driver, config: { topic: config.topic, groupId: `${config.groupId}-alert` }, claim, log })
}

async function driverOf(config: KafkaConfig, log: DriverLog): Promise<KafkaDriver> {
  const { topic, groupId, sessionTimeoutMs } = config
  const connection = kafkaConnection(config)
  const options = { topic, groupId, sessionTimeoutMs, log }
  if (config.driver === 'node-rdkafka') {
    const { RdkafkaDriver } = await import('./rdkafkaDriver.ts')
    return new RdkafkaDriver(connection, options)
  }
  const { KafkajsDriver } = await import('./kafkajsDriver.ts')
  return new KafkajsDriver(connection, options)
}
