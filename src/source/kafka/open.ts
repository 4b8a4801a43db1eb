/** Configuration → a source that reads the topic. */

import type { KafkaConfig } from '../../clusterOptions.ts'
import { kafkaConnection } from './connection.ts'
import type { DriverLog, KafkaDriver } from './driver.ts'
import { KafkaSource, type KafkaSourceOptions } from './kafkaSource.ts'

/** `owner` as in `KafkaSourceOptions`. Throws Why5xxError `WHY5XX_CONFIG`, and `WHY5XX_KAFKA` without the driver's library. */
export async function openKafkaSource(
  config: KafkaConfig,
  owner: Pick<KafkaSourceOptions, 'claim' | 'begins' | 'ends'>,
  log: DriverLog
): Promise<KafkaSource> {
  return new KafkaSource({ driver: await driverOf(config, log), config, ...owner, log })
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
