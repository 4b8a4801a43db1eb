/** The topic of the record: one partition, because its events have one order. */

import { setTimeout } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { Why5xxError } from '../errors.ts'
import { deepest } from '../source/kafka/kafkaError.ts'

const RETENTION_MS = 30 * 86_400_000
const REPLICAS_MAX = 3
const ATTEMPTS_MAX = 50
const ATTEMPT_MS = 100

/** Makes it where it is missing. Throws Why5xxError `WHY5XX_KAFKA` with the command when we may not, or it is another one. */
export async function requireRecordTopic(admin: Admin, topic: string, say: (text: string) => void): Promise<void> {
  if (!(await admin.listTopics()).includes(topic)) {
    await makeTopic(admin, topic, say)
    await untilKnown(admin, topic)
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitions = topics[0]?.partitions.length ?? 0
  if (partitions > 1)
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `topic ${topic} has ${partitions} partitions; the state of a cluster needs one, because its events have one order. ` +
        'Name another topic (kubernetes.topic), or delete this one'
    )
}

async function makeTopic(admin: Admin, topic: string, say: (text: string) => void): Promise<void> {
  const { brokers } = await admin.describeCluster()
  const replicationFactor = Math.max(1, Math.min(REPLICAS_MAX, brokers.length))
  const settings = { 'cleanup.policy': 'delete', 'retention.ms': String(RETENTION_MS) }
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  try {
    const isNew = await admin.createTopics({
      topics: [{ topic, numPartitions: 1, replicationFactor, configEntries }],
      // kafkajs's own wait fails when a broker does not know the new topic yet.
      waitForLeaders: false
    })
    if (isNew) say(`topic ${topic} was made: one partition, kept for 30 days`)
  } catch (error) {
    const why = errorText(error)
    const config = Object.entries(settings)
      .map(([name, value]) => ` --config ${name}=${value}`)
      .join('')
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `there is no topic ${topic}, or our user may not see it, and it cannot be made: ${why}. Make it: ` +
        `kafka-topics.sh --create --topic ${topic} --partitions 1 --replication-factor ${replicationFactor}${config}`,
      { cause: error }
    )
  }
}

/** A new topic is not known to every broker at once; in the end the writer tries again anyway. */
async function untilKnown(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      if (topics[0]!.partitions.every(({ leader }) => leader >= 0)) return
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable || attempt === ATTEMPTS_MAX - 1) throw error
    }
    await setTimeout(ATTEMPT_MS)
  }
}

function errorText(error: unknown): string {
  // Of several topics each has its own.
  const [first] = (error as { errors?: unknown[] }).errors ?? []
  return first instanceof Error ? first.message : error instanceof Error ? deepest(error).message : String(error)
}
