/** The topic of the record: one partition, because its events have one order. */

import type { Admin } from 'kafkajs'
import { requireSingleTopic } from '../source/kafka/singleTopic.ts'

const RETENTION_MS = 30 * 86_400_000

/** Makes it where it is missing. Throws Why5xxError `WHY5XX_KAFKA` with the command when we may not, or it is another one. */
export function requireRecordTopic(admin: Admin, topic: string, say: (text: string) => void): Promise<void> {
  return requireSingleTopic(
    admin,
    {
      name: topic,
      settings: { 'cleanup.policy': 'delete', 'retention.ms': String(RETENTION_MS) },
      option: 'kubernetes.topic',
      needsOne: 'the state of a cluster needs one, because its events have one order',
      made: 'one partition, kept for 30 days'
    },
    say
  )
}
