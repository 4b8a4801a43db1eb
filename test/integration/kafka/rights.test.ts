/**
 * Who may do what on a broker with access rules, made by the scripts of deploy/kafka/ with the broker's own tools: each part of
 * the program works with its own user, and does nothing else.
 */

import { readFileSync } from 'node:fs'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { containerLogPath } from '../../../bench/cluster/shipped.ts'
import { checkKafka } from '../../../src/check/kafka.ts'
import { kafkaRecord } from '../../../src/cluster/kafkaRecordReader.ts'
import { openKafkaRecord } from '../../../src/cluster/kafkaRecordWriter.ts'
import type { Role } from '../../../src/kubernetesOptions.ts'
import { defaultConfig } from '../../../src/optionTable.ts'
import type { KafkaConnection } from '../../../src/source/kafka/connection.ts'
import { IncidentTopic } from '../../../src/source/kafka/incidentTopic.ts'
import { createClient } from '../../../src/source/kafka/kafkajsClient.ts'
import { setUp } from '../../../src/store/elasticsearch/setup.ts'
import { isKafkaAvailable, type KafkaServer, startKafka } from '../../services/kafkaServer.ts'
import { commandConfig, runScript, writeKafkaTools } from '../../services/kafkaTools.ts'
import buildDist from '../../support/buildDist.ts'
import { HeardRecord } from '../../support/heardRecord.ts'
import { incident } from '../../support/incidents.ts'
import { accessLine } from '../../support/lines.ts'
import { Folder, why5xx } from '../../support/program.ts'
import { list } from '../../support/recordedEvents.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { nodeUrl, TestNamespace } from '../elasticsearch/node.ts'

const USERS = ['shipper', 'watch', 'worker', 'alert', 'replay', 'nobody'].map(name => `why5xx-${name}`)
const RAW = 'why5xx.nginx.raw'
const REJECT = 'why5xx.reject'
const CLUSTER = 'why5xx.kubernetes'
const INCIDENTS = 'why5xx.incidents'
const GROUP = 'why5xx-worker'
const FAILED = 3
const silent = (): void => {}
const REFUSED = /not authorized|authorization failed/i
/** What kafkajs says of a group that one may not read. */
const NO_GROUP = /find group coordinator|not authorized/i

describe.skipIf(!isKafkaAvailable() || nodeUrl() === null)('a broker with access rules', () => {
  const folder = new Folder()
  let server: KafkaServer
  let owner: Admin
  let namespace: TestNamespace
  const running: RunningProgram[] = []

  beforeAll(async () => {
    buildDist()
    namespace = new TestNamespace()
    await setUp(namespace.client, { lifecycle: null, isDryRun: false })
    server = await startKafka({
      security: true,
      users: USERS,
      settings: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:why5xx',
        'allow.everyone.if.no.acl.found': 'false'
      }
    })
    await writeKafkaTools(folder.path)
    const [bootstrap] = server.secure!.brokers
    const env = {
      BOOTSTRAP: bootstrap!,
      COMMAND_CONFIG: commandConfig(folder.path, server.secure!),
      TOOLS: folder.path,
      REPLICATION: '1'
    }
    // Rules need no topics.
    await Promise.all([runScript('topics.sh', env), runScript('acls.sh', env)])
    owner = clientOf('why5xx').admin()
    await owner.connect()
  })
  afterAll(async () => {
    for (const program of running) await program.kill('SIGKILL')
    await owner?.disconnect()
    await server?.stop()
    await namespace?.remove()
    folder.remove()
  })

  function connectionOf(username: string): KafkaConnection {
    const { brokers, caFile, password } = server.secure!
    const tls = { ca: readFileSync(caFile, 'utf8'), cert: null, key: null }
    return { brokers, tls, sasl: { mechanism: 'scram-sha-512', username, password } }
  }

  function clientOf(username: string): Kafka {
    const retry = { retries: 2, initialRetryTime: 50, maxRetryTime: 200 }
    return createClient({ connection: connectionOf(username), requestTimeoutMs: 10_000, log: silent, retry })
  }

  async function send(username: string, topic: string, messages: { key?: string; value: string }[]): Promise<void> {
    const producer = clientOf(username).producer({
      allowAutoTopicCreation: false,
      idempotent: true,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner
    })
    await producer.connect()
    try {
      await producer.send({ topic, acks: -1, messages })
    } finally {
      await producer.disconnect()
    }
  }

  /** The first value that somebody gets of a topic in a group; throws what stops the consumer. */
  async function readAs(username: string, topic: string, groupId: string): Promise<string> {
    const consumer = clientOf(username).consumer({ groupId, allowAutoTopicCreation: false })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [topic], fromBeginning: true })
      return await new Promise<string>((resolve, reject) => {
        consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
        consumer
          .run({ eachMessage: ({ message }) => Promise.resolve(resolve(message.value!.toString())) })
          .catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
  }

  /** Options of the program with the login of a user. */
  function settings(username: string, more: Record<string, string> = {}): string[] {
    const { brokers, caFile, password } = server.secure!
    const options = {
      'source.kind': 'kafka',
      'source.kafka.brokers': brokers.join(','),
      'source.kafka.tls.caFile': caFile,
      'source.kafka.sasl.mechanism': 'scram-sha-512',
      'source.kafka.sasl.username': username,
      'source.kafka.sasl.passwordFile': folder.write('password', `${password}\n`),
      'sink.kind': 'elasticsearch',
      'sink.elasticsearch.nodes': namespace.config.nodes[0]!,
      'sink.elasticsearch.namespace': namespace.names.namespace,
      'web.listen': '127.0.0.1:0',
      ...more
    }
    return Object.entries(options).flatMap(([path, value]) => ['--set', `${path}=${value}`])
  }

  function run(username: string, more: Record<string, string> = {}): RunningProgram {
    const program = new RunningProgram(['run', ...settings(username, more)])
    running.push(program)
    return program
  }

  /** What check finds with the login of a user: `problem about text mend`. */
  async function check(username: string, ...roles: Role[]): Promise<string[]> {
    const { brokers, caFile, password } = server.secure!
    const { kafka } = defaultConfig().source
    const login = { mechanism: 'scram-sha-512' as const, username, password, passwordFile: null }
    const config = { ...kafka, brokers, tls: { ...kafka.tls, caFile }, sasl: login }
    const use = { roles: new Set(roles), clusterTopic: CLUSTER, incidentTopic: INCIDENTS }
    const findings = await checkKafka(config, use)
    return findings.map(({ state, about, text, mend }) => [state, about, text, mend].join(' '))
  }

  const allFine = (lines: string[]): void => expect(lines.filter(line => !line.startsWith('ok '))).toEqual([])

  /** Groups of one process that are still there. */
  async function groupsOfOne(): Promise<string[]> {
    const { groups } = await owner.listGroups()
    return groups.map(({ groupId }) => groupId).filter(groupId => groupId.startsWith(`${GROUP}-`))
  }

  test('the topics are as they are needed, and making them again changes nothing', async () => {
    const { topics } = await owner.fetchTopicMetadata({ topics: [RAW, REJECT, CLUSTER, INCIDENTS] })
    expect(new Map(topics.map(({ name, partitions }) => [name, partitions.length]))).toEqual(
      new Map([
        [RAW, 12],
        [REJECT, 3],
        [CLUSTER, 1],
        [INCIDENTS, 1]
      ])
    )
    const described = await owner.describeConfigs({
      includeSynonyms: false,
      resources: topics.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }))
    })
    const settingsOf = new Map(
      described.resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]))
      ])
    )
    const all = (name: string): (string | undefined)[] =>
      [RAW, REJECT, CLUSTER, INCIDENTS].map(topic => settingsOf.get(topic)!.get(name))
    expect(all('cleanup.policy')).toEqual(['delete', 'delete', 'delete', 'compact'])
    expect(all('retention.ms').slice(0, 3)).toEqual([48, 14 * 24, 30 * 24].map(hours => `${hours * 3_600_000}`))
    expect(settingsOf.get(RAW)!.get('compression.type')).toBe('producer')
    await runScript('topics.sh', { BOOTSTRAP: server.brokers[0]!, TOOLS: folder.path, REPLICATION: '1' })
  })

  test('a watch records, and does no more', async () => {
    const writer = await openKafkaRecord({
      connection: connectionOf('why5xx-watch'),
      topic: CLUSTER,
      writer: 'a',
      onOverflow: silent,
      say: silent,
      log: silent
    })
    await writer.append(list(Date.now() - 3_600_000))
    await writer.close()
    await expect(send('why5xx-watch', RAW, [{ value: 'x' }])).rejects.toThrow(REFUSED)
    await expect(readAs('why5xx-watch', CLUSTER, `${GROUP}-cluster-x`)).rejects.toThrow(NO_GROUP)
    allFine(await check('why5xx-watch', 'watch'))
  })

  test('a shipper sends lines once, and reads none', async () => {
    const stamp = Date.now() - 3_600_000
    const lines = Array.from({ length: 40 }, (_, i) =>
      accessLine({ timeMs: stamp + i * 1_000, status: i < FAILED ? 502 : 200, name: 'shop-cart-80' })
    )
    const values = [...lines, 'nobody reads \u00fc this'].map((log, i) => {
      const time = new Date(stamp + i * 1_000).toISOString()
      return { time, stream: 'stdout', _p: 'F', log, log_path: containerLogPath(0) }
    })
    await send(
      'why5xx-shipper',
      RAW,
      values.map(value => ({ key: value.log_path, value: JSON.stringify(value) }))
    )
    await expect(readAs('why5xx-shipper', RAW, 'any')).rejects.toThrow(NO_GROUP)
    for (const topic of [REJECT, CLUSTER, INCIDENTS])
      await expect(send('why5xx-shipper', topic, [{ value: 'x' }])).rejects.toThrow(REFUSED)
  })

  test('a worker reads lines and the state of the cluster, writes rejects, and no more', async () => {
    const worker = run('why5xx-worker')
    await worker.until(async () => ((await worker.metric('why5xx_failures_total')) === FAILED ? true : undefined))
    await vi.waitFor(
      async () => {
        const ends = await owner.fetchTopicOffsets(REJECT)
        expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(1)
      },
      { timeout: 30_000, interval: 100 }
    )
    const record = kafkaRecord({
      connection: connectionOf('why5xx-worker'),
      topic: CLUSTER,
      groupId: GROUP,
      say: silent,
      log: silent
    })
    const heard = new HeardRecord(record, Date.now())
    await vi.waitFor(() => expect(heard.heard.length).toBeGreaterThan(0), { timeout: 30_000, interval: 50 })
    await heard.reader.close()
    allFine(await check('why5xx-worker', 'worker'))
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(worker.stderr).not.toMatch(REFUSED)
    expect(await groupsOfOne()).toEqual([])
    for (const topic of [RAW, CLUSTER, INCIDENTS])
      await expect(send('why5xx-worker', topic, [{ value: 'x' }])).rejects.toThrow(REFUSED)
    await expect(readAs('why5xx-worker', RAW, `${GROUP}-alert-x`)).rejects.toThrow(NO_GROUP)
    await expect(readAs('why5xx-worker', INCIDENTS, `${GROUP}-cluster-x`)).rejects.toThrow(NO_GROUP)
  })

  test('alerts read all lines in groups of their own and keep incidents, and no more', async () => {
    const connection = connectionOf('why5xx-alert')
    const topic = new IncidentTopic({ connection, topic: INCIDENTS, groupId: GROUP, say: silent, log: silent })
    await topic.put([incident({ id: 'inc-1', updatedMs: Date.now() })])
    expect((await topic.readAll()).map(({ id }) => id)).toEqual(['inc-1'])
    await topic.close()
    // Without a store nothing is asked before the topic is read.
    const alerts = run('why5xx-alert', { roles: 'alert', 'sink.kind': 'embedded' })
    await alerts.until(async () => ((await alerts.ask('/readyz')).status === 200 ? true : undefined))
    allFine(await check('why5xx-alert', 'alert'))
    expect(await alerts.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(alerts.stderr).not.toMatch(REFUSED)
    expect(await groupsOfOne()).toEqual([])
    await expect(readAs('why5xx-alert', RAW, GROUP)).rejects.toThrow(NO_GROUP)
    const admin = clientOf('why5xx-alert').admin()
    await expect(admin.fetchOffsets({ groupId: GROUP, topics: [RAW] })).rejects.toThrow(NO_GROUP)
    await expect(admin.deleteGroups([GROUP])).rejects.toThrow()
    await admin.disconnect()
    for (const other of [RAW, REJECT, CLUSTER])
      await expect(send('why5xx-alert', other, [{ value: 'x' }])).rejects.toThrow(REFUSED)
  })

  test('a replay reads rejects, and writes none', async () => {
    const { code, stdout, stderr } = await why5xx([
      'replay',
      '--rejects',
      '--format',
      'json',
      ...settings('why5xx-replay')
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ rejects: 1, linesRejected: 1 })
    await expect(send('why5xx-replay', REJECT, [{ value: 'x' }])).rejects.toThrow(REFUSED)
  })

  describe('what is missing is named', () => {
    /** Rules of `why5xx-nobody`, one after the other. */
    async function allow(type: 'TOPIC' | 'GROUP', name: string, operation: 'READ' | 'DESCRIBE'): Promise<void> {
      await owner.createAcls({
        acl: [
          {
            principal: 'User:why5xx-nobody',
            host: '*',
            permissionType: kafkajs.AclPermissionTypes.ALLOW,
            operation: kafkajs.AclOperationTypes[operation],
            resourceType: kafkajs.AclResourceTypes[type],
            resourceName: name,
            resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL
          }
        ]
      })
    }
    /** The broker applies a rule a moment after it took it. */
    const until = (pattern: RegExp, role: Role = 'worker'): Promise<void> =>
      vi.waitFor(async () => expect((await check('why5xx-nobody', role)).join('\n')).toMatch(pattern), {
        timeout: 20_000,
        interval: 100
      })

    test('step by step, until nothing is', async () => {
      await until(
        /^problem source\.kafka\.topic why5xx\.nginx\.raw: there is no such topic, or our user may not see it/m
      )
      await until(
        /^problem source\.kafka\.groupId why5xx-worker: .*may not read the group.* allow our user Read on group/m
      )
      await allow('TOPIC', RAW, 'DESCRIBE')
      await until(/^ok source\.kafka\.topic .*12 partitions/m)
      await until(/^hint source\.kafka\.topic .*may not see how long lines are kept allow it DescribeConfigs/m)
      await allow('GROUP', GROUP, 'READ')
      await until(/^ok source\.kafka\.groupId why5xx-worker: 0 members/m)
      // It may be seen and not read: only a run finds that out.
      const { code, stderr } = await why5xx(['run', ...settings('why5xx-nobody')])
      expect([code, stderr]).toEqual([1, expect.stringMatching(REFUSED)])
      await allow('TOPIC', CLUSTER, 'READ')
      await until(
        /^problem source\.kafka\.groupId why5xx-worker-cluster-…: .* allow our user Read and Delete on groups that begin with why5xx-worker-cluster-$/m
      )
      await until(/^problem source\.kafka\.groupId why5xx-worker-alert-…: /m, 'alert')
      await until(/^hint alerts\.topic why5xx\.incidents: there is no such topic, or our user may not see it/m, 'alert')
    })
  })
})
