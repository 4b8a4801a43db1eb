/** The topic of incidents on a real broker. */
import { randomUUID } from 'node:crypto'
import kafkajs, { type Admin } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/alert/incident.ts'
import { IncidentTopic } from '../../../src/source/kafka/incidentTopic.ts'
import { freePort } from '../../services/freePort.ts'
import { createTopics } from '../../services/kafkaTopics.ts'
import { BEGIN, incident, MINUTE_MS } from '../../support/incidents.ts'
import { kafka, plain, testClient } from './kafkaBed.ts'

const DAY_MS = 86_400_000
const silent = (): void => {}

describe.skipIf(kafka === null)('the topic of incidents', () => {
  const topic = `kafka-incidents-${randomUUID()}`
  const said: string[] = []
  const open: IncidentTopic[] = []
  let admin: Admin
  let nowMs = BEGIN

  const incidents = (name = topic, brokers = kafka!.brokers): IncidentTopic => {
    const say = (text: string): void => void said.push(text)
    const options = { connection: plain(brokers), topic: name, groupId: topic, say, log: silent, nowMs: () => nowMs }
    const opened = new IncidentTopic(options)
    open.push(opened)
    return opened
  }
  const byId = (all: readonly Incident[]): Incident[] => [...all].sort((a, b) => (a.id < b.id ? -1 : 1))

  beforeAll(async () => {
    admin = testClient(kafka!.brokers).admin()
    await admin.connect()
  })
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
    said.length = 0
  })
  afterAll(async () => {
    await admin.deleteTopics({ topics: [topic, `${topic}-wide`] }).catch(silent)
    await admin.disconnect()
  })

  test('the next process reads what was written last, and what is long over goes', async () => {
    expect(await incidents().readAll()).toEqual([])
    const writer = incidents()
    const at = (minutes: number): Incident => incident({ id: 'a', updatedMs: BEGIN + minutes * MINUTE_MS })
    const over = incident({ id: 'b', endMs: BEGIN + MINUTE_MS, service: '\u202E<b>"\n' })
    await writer.put([at(2)])
    await Promise.all([writer.put([at(3), over]), writer.put([at(1)])])
    expect(said).toEqual([
      expect.stringContaining(`no topic ${topic}, or our user may not see it`),
      `topic ${topic} was made: one partition, compacted`
    ])
    expect(byId(await incidents().readAll())).toEqual([at(3), over])

    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }]
    })
    expect(resources[0]!.configEntries[0]!.configValue).toBe('compact')

    // Eight days later: the one that ended is deleted with the next that is written.
    nowMs = BEGIN + 8 * DAY_MS
    const later = incidents()
    expect(await later.readAll()).toEqual([])
    const fresh = incident({ id: 'c', updatedMs: nowMs })
    await later.put([fresh])
    nowMs = BEGIN
    const { high } = (await admin.fetchTopicOffsets(topic))[0]!
    // Four of before, one more, and two without a value.
    expect(Number(high)).toBe(7)
    expect((await incidents().readAll()).map(({ id }) => id).sort()).toEqual(['a', 'b', 'c'])
  })

  test('what cannot be read is said and left out', async () => {
    const producer = testClient(kafka!.brokers).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    const values = ['no JSON', JSON.stringify({ schema: 9, incident: incident() }), null]
    await producer.send({ topic, messages: values.map(value => ({ key: 'x', value })) })
    await producer.disconnect()
    expect((await incidents().readAll()).length).toBe(3)
    expect(said).toEqual([expect.stringMatching(/^topic .*: 2 incidents left out: damaged, or written by another/)])
  })

  test('a topic with more partitions is another one', async () => {
    await createTopics(admin, [{ topic: `${topic}-wide`, numPartitions: 2, replicationFactor: 1 }])
    await expect(incidents(`${topic}-wide`).put([incident()])).rejects.toThrow(
      /has 2 partitions; incidents need one, .* Name another topic \(alerts\.topic\)/
    )
  })

  test('brokers that are away: an error that names them', async () => {
    const away = `127.0.0.1:${await freePort()}`
    const one = incidents(topic, [away])
    for (const attempt of [one.put([incident()]), one.readAll()])
      await expect(attempt).rejects.toMatchObject({
        code: 'WHY5XX_KAFKA',
        message: expect.stringMatching(new RegExp(`topic ${topic} \\(brokers ${away}\\): .*ECONNREFUSED`)) as string
      })
  })
})
