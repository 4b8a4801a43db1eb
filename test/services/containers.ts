/**
 * The shared servers as containers, where a Docker engine answers: the images that users run, whole. The machines that test
 * this project have no engine so far, so this way is type-checked but has not been run.
 */
import { existsSync } from 'node:fs'
import type { StartedTestContainer } from 'testcontainers'
import { freePort } from './freePort.ts'

const KAFKA_IMAGE = 'apache/kafka:4.3.1'
const ELASTICSEARCH_IMAGE = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.4'
const START_MS = 10 * 60_000
const MESSAGE_BYTES_MAX = 12 * 1024 * 1024

/** The library takes half a second to load, so it is not even asked without a sign of an engine. */
export async function hasContainerEngine(): Promise<boolean> {
  if (!process.env.DOCKER_HOST && !existsSync('/var/run/docker.sock')) return false
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(
    () => true,
    () => false
  )
}

export async function startKafkaContainer(): Promise<{ brokers: string[]; container: StartedTestContainer }> {
  const { GenericContainer, Wait } = await import('testcontainers')
  // The broker tells clients its address, so the port must be known before it starts.
  const port = await freePort()
  const container = await new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_MESSAGE_MAX_BYTES: `${MESSAGE_BYTES_MAX}`,
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000'
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_MS)
    .start()
  return { brokers: [`127.0.0.1:${port}`], container }
}

export async function startElasticsearchContainer(): Promise<{ url: string; container: StartedTestContainer }> {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(ELASTICSEARCH_IMAGE)
    .withExposedPorts(9200)
    .withEnvironment({
      'discovery.type': 'single-node',
      'xpack.security.enabled': 'false',
      'cluster.routing.allocation.disk.threshold_enabled': 'false',
      'action.destructive_requires_name': 'false',
      ES_JAVA_OPTS: '-Xms1g -Xmx1g'
    })
    .withWaitStrategy(Wait.forHttp('/_cluster/health', 9200).forStatusCode(200))
    .withStartupTimeout(START_MS)
    .start()
  return { url: `http://${container.getHost()}:${container.getMappedPort(9200)}`, container }
}
