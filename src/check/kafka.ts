/** Whether the brokers can be reached, and whether the topics are as a run needs them. Nothing is changed there. */

import type { Admin } from 'kafkajs'
import type { KafkaConfig } from '../clusterOptions.ts'
import type { Role } from '../kubernetesOptions.ts'
import { kafkaConnection } from '../source/kafka/connection.ts'
import { createClient, deepest, reasonOf } from '../source/kafka/kafkajsClient.ts'
import { clip, grouped, plural } from '../text.ts'
import { type Finding, hint, isThisMachine, ok, problem, wrongSetting } from './finding.ts'
import { checkOwnTopics, isRefused, unseen } from './kafkaOwnTopics.ts'

const TOPIC = 'source.kafka.topic'
const REJECT_TOPIC = 'source.kafka.rejectTopic'
const GROUP = 'source.kafka.groupId'
const BROKERS = 'source.kafka.brokers'
/** A person waits. */
const ANSWER_MS = 5_000
const RETRY = { retries: 1, initialRetryTime: 100, maxRetryTime: 500 }
const HOUR_MS = 3_600_000
/** Shorter than this, and a weekend without Elasticsearch loses lines. */
const RETENTION_ENOUGH_MS = 48 * HOUR_MS
/** `CONFIG_RESOURCE` of the protocol. */
const TOPIC_RESOURCE = 2

/** What a process does with the brokers beside reading lines. */
export interface KafkaUse {
  roles: ReadonlySet<Role>
  /** `kubernetes.topic` */
  clusterTopic: string
  /** `alerts.topic` */
  incidentTopic: string
}

/** `use` left out: a worker that reads no state of the cluster. */
export async function checkKafka(config: KafkaConfig, use?: KafkaUse): Promise<Finding[]> {
  let admin: Admin
  try {
    admin = openAdmin(config)
  } catch (error) {
    return [wrongSetting(error)]
  }
  try {
    await admin.connect()
    const cluster = await admin.describeCluster()
    const brokers = `${config.brokers.join(', ')}: ${plural(cluster.brokers.length, 'broker')}, cluster ${cluster.clusterId}`
    const isWorker = use?.roles.has('worker') ?? true
    const readsLines = isWorker || use!.roles.has('alert')
    return [
      ok(BROKERS, brokers),
      ...openLogin(config),
      ...(readsLines ? await checkTopic(admin, config, cluster.brokers.length) : []),
      ...(isWorker ? [await checkRejectTopic(admin, config), await checkGroup(admin, config)] : []),
      ...(use === undefined ? [] : await checkOwnTopics(admin, config, use))
    ]
  } catch (error) {
    return [connectionProblem(error, config)]
  } finally {
    // What could not connect has nothing to end.
    await admin.disconnect().catch(() => {})
  }
}

/** A login and lines that go over a network that may be listened to. */
function openLogin({ brokers, sasl, tls }: KafkaConfig): Finding[] {
  const isEncrypted = tls.enabled || tls.caFile !== null || tls.certFile !== null
  const isNear = brokers.every(broker => isThisMachine(broker.replace(/:\d+$/, '')))
  if (sasl.mechanism === 'none' || isEncrypted || isNear) return []
  const what = sasl.mechanism === 'plain' ? 'our password and all lines go' : 'all lines go'
  return [hint('source.kafka.tls', `${what} to the brokers unencrypted`, 'set source.kafka.tls.enabled, or tls.caFile')]
}

function openAdmin(config: KafkaConfig): Admin {
  const connection = kafkaConnection(config)
  // What the library says on the way stands in what it throws.
  return createClient({ connection, requestTimeoutMs: ANSWER_MS, log: () => {}, retry: RETRY }).admin()
}

function connectionProblem(error: unknown, { brokers, sasl, tls }: KafkaConfig): Finding {
  const { name, message } = deepest(error as Error)
  const text = clip(message, 200)
  if (name === 'KafkaJSSASLAuthenticationError')
    return problem(
      'source.kafka.sasl',
      `${brokers.join(', ')}: the login is refused: ${text}`,
      'mend mechanism, username and passwordFile'
    )
  if (/certificate|self.signed|issuer/i.test(message))
    return problem(
      BROKERS,
      `${brokers.join(', ')}: ${text}`,
      'set source.kafka.tls.caFile to the authority that signed their certificate'
    )
  const mend =
    sasl.mechanism === 'none' && !tls.enabled && tls.caFile === null
      ? 'start the brokers, set source.kafka.brokers, or if they want TLS or a login, source.kafka.tls and sasl'
      : 'start the brokers, or mend source.kafka.brokers, tls and sasl'
  return problem(BROKERS, `${brokers.join(', ')}: they cannot be asked: ${text}`, mend)
}

async function checkTopic(admin: Admin, { topic }: KafkaConfig, brokers: number): Promise<Finding[]> {
  if (!(await admin.listTopics()).includes(topic))
    return [
      problem(
        TOPIC,
        unseen(topic),
        `create it: kafka-topics.sh --create --topic ${topic} --partitions 12 --replication-factor 3 --config retention.ms=172800000; or let our user describe it`
      )
    ]
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitions = metadata.topics[0]!.partitions
  const findings: Finding[] = []
  const headless = partitions.filter(({ leader }) => leader < 0)
  if (headless.length > 0)
    findings.push(
      problem(
        TOPIC,
        `${topic}: ${plural(headless.length, 'partition')} of ${partitions.length} have no leader`,
        'start the brokers that hold them'
      )
    )
  else {
    const offsets = await admin.fetchTopicOffsets(topic)
    const messages = offsets.reduce((sum, { low, high }) => sum + (Number(high) - Number(low)), 0)
    findings.push(
      ok(TOPIC, `${topic}: ${plural(partitions.length, 'partition')}, ${grouped(messages)} messages are there`)
    )
  }
  if (partitions.length === 1)
    findings.push(
      hint(TOPIC, `${topic}: with one partition only one worker has work`, 'make a new topic with 12, drain this one')
    )
  if (brokers > 1 && partitions.some(({ replicas }) => replicas.length < 2))
    findings.push(
      hint(
        TOPIC,
        `${topic}: a partition lies on one broker only; when that is lost, so are its lines`,
        'raise the replication factor to 3'
      )
    )
  return [...findings, ...(await checkTopicSettings(admin, topic))]
}

async function checkTopicSettings(admin: Admin, topic: string): Promise<Finding[]> {
  const configNames = ['cleanup.policy', 'retention.ms']
  const resources = [{ type: TOPIC_RESOURCE, name: topic, configNames }]
  let described: Awaited<ReturnType<Admin['describeConfigs']>>
  try {
    described = await admin.describeConfigs({ includeSynonyms: false, resources })
  } catch (error) {
    if (!isRefused(error)) throw error
    return [
      hint(
        TOPIC,
        `${topic}: our user may not see how long lines are kept`,
        `allow it DescribeConfigs on topic ${topic}, or look yourself: kafka-topics.sh --describe --topic ${topic}`
      )
    ]
  }
  const entries = described.resources[0]?.configEntries ?? []
  const setting = (name: string): string | undefined =>
    entries.find(({ configName }) => configName === name)?.configValue
  const findings: Finding[] = []
  if (setting('cleanup.policy')?.includes('compact'))
    findings.push(
      problem(
        TOPIC,
        `${topic}: it is compacted, which deletes all lines of a log but the last`,
        `kafka-configs.sh --alter --topic ${topic} --add-config cleanup.policy=delete`
      )
    )
  const retentionMs = Number(setting('retention.ms') ?? -1)
  if (retentionMs >= 0 && retentionMs < RETENTION_ENOUGH_MS)
    findings.push(
      hint(
        TOPIC,
        `${topic}: lines are kept for ${grouped(Math.floor(retentionMs / HOUR_MS))} h; an outage of Elasticsearch that is longer loses them`,
        `kafka-configs.sh --alter --topic ${topic} --add-config retention.ms=${RETENTION_ENOUGH_MS}`
      )
    )
  return findings
}

async function checkRejectTopic(admin: Admin, { rejectTopic }: KafkaConfig): Promise<Finding> {
  if ((await admin.listTopics()).includes(rejectTopic)) return ok(REJECT_TOPIC, `${rejectTopic}: it is there`)
  return hint(
    REJECT_TOPIC,
    `${unseen(rejectTopic)}; the first line that nobody can read then stops its partition`,
    `create it: kafka-topics.sh --create --topic ${rejectTopic} --partitions 3 --replication-factor 3 --config retention.ms=1209600000; or allow our user to write it`
  )
}

async function checkGroup(admin: Admin, { groupId, topic }: KafkaConfig): Promise<Finding> {
  try {
    const { groups } = await admin.describeGroups([groupId])
    const members = groups[0]?.members.length ?? 0
    const isThere = (await admin.listTopics()).includes(topic)
    const committed = isThere ? await admin.fetchOffsets({ groupId, topics: [topic] }) : []
    const known = committed[0]?.partitions.filter(({ offset }) => Number(offset) >= 0).length ?? 0
    const begins =
      known === 0
        ? 'it has read nothing yet and begins at the oldest line'
        : `it has read ${plural(known, 'partition')}`
    return ok(GROUP, `${groupId}: ${plural(members, 'member')}; ${begins}`)
  } catch (error) {
    const text = clip(reasonOf(error), 200)
    return problem(GROUP, `${groupId}: ${text}`, `allow our user Read on group ${groupId} and on topic ${topic}`)
  }
}
