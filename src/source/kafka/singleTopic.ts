/** Topics of our own with one partition, because what is in them has one order. */

import { setTimeout } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { Why5xxError } from '../../errors.ts'
import { deepest } from './kafkaError.ts'

export interface SingleTopic {
  name: string
  /** What it is made with. */
  settings: Readonly<Record<string, string>>
  /** The option that names it. */
  option: string
  /** Why it must not have more partitions: a part of a sentence. */
  needsOne: string
  /** What is said of a new one: `one partition, kept for 30 days`. */
  made: string
}

const REPLICAS_MAX = 3
const ATTEMPTS_MAX = 50
const ATTEMPT_MS = 100

/** Makes it where it is missing. Throws Why5xxError `WHY5XX_KAFKA` with the command when we may not, or it is another one. */
export async function requireSingleTopic(admin: Admin, topic: SingleTopic, say: (text: string) => void): Promise<void> {
  const { name, needsOne, option } = topic
  if (!(await admin.listTopics()).includes(name)) {
    await makeTopic(admin, topic, say)
    await untilKnown(admin, name)
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
  const partitions = topics[0]?.partitions.length ?? 0
  if (partitions > 1)
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `topic ${name} has ${partitions} partitions; ${needsOne}. Name another topic (${option}), or delete this one`
    )
}

async function makeTopic(admin: Admin, { name, settings, made }: SingleTopic, say: (text: string) => void) {
  const { brokers } = await admin.describeCluster()
  const replicationFactor = Math.max(1, Math.min(REPLICAS_MAX, brokers.length))
  const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  try {
    const isNew = await admin.createTopics({
      topics: [{ topic: name, numPartitions: 1, replicationFactor, configEntries }],
      // kafkajs's own wait fails when a broker does not know the new topic yet.
      waitForLeaders: false
    })
    if (isNew) say(`topic ${name} was made: ${made}`)
  } catch (error) {
    const why = errorText(error)
    const config = Object.entries(settings)
      .map(([key, value]) => ` --config ${key}=${value}`)
      .join('')
    throw new Why5xxError(
      'WHY5XX_KAFKA',
      `there is no topic ${name}, or our user may not see it, and it cannot be made: ${why}. Make it: ` +
        `kafka-topics.sh --create --topic ${name} --partitions 1 --replication-factor ${replicationFactor}${config}`,
      { cause: error }
    )
  }
}

/** A new topic is not known to every broker at once; in the end the writer tries again anyway. */
async function untilKnown(admin: Admin, name: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
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
