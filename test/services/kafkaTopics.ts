import type { Admin, ITopicConfig } from 'kafkajs'
import { vi } from 'vitest'

/**
 * Makes topics and waits until they can be used. kafkajs's own wait (`waitForLeaders`) fails when a broker does not know the
 * new topic yet.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false })
  const names = topics.map(({ topic }) => topic)
  const look = async (): Promise<void> => {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: names })
    for (const { name, partitions } of found)
      if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0))
        throw new Error(`${name} has no leader`)
    // Offsets are asked of the leader itself.
    for (const name of names) await admin.fetchTopicOffsets(name)
  }
  await vi.waitFor(look, { timeout: 30_000, interval: 50 })
}
