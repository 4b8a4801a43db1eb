/** Brokers that die, and brokers that let nobody in: each test has its own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { KafkaConfig } from '../../../src/clusterOptions.ts'
import { kafkaConnection } from '../../../src/source/kafka/connection.ts'
import type { DriverHandlers, DriverRead } from '../../../src/source/kafka/driver.ts'
import { RejectTopic } from '../../../src/source/kafka/rejectTopic.ts'
import { isKafkaAvailable, type KafkaServer, startKafka } from '../../services/kafkaServer.ts'
import { createDriver, DEADLINE, DRIVERS, plain, SESSION_MS, TestTopic } from './kafkaBed.ts'

const isAvailable = isKafkaAvailable()

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
}

describe.skipIf(!isAvailable)('a broker that dies', () => {
  let server: KafkaServer
  beforeAll(async () => {
    server = await startKafka()
  })
  afterAll(() => server?.stop())

  test.each(DRIVERS.map(driver => [driver] as const))('%s goes on when it is back', async driver => {
    const topic = await TestTopic.create(2, server.brokers)
    const member = topic.member(driver)
    await topic.write(0, numbered(0, 100))
    await topic.write(1, numbered(0, 100))
    await vi.waitFor(() => expect(member.read).toHaveLength(200), DEADLINE)
    await server.kill()
    await vi.waitFor(() => expect(member.logged).toContain('the newest offsets are not known'), DEADLINE)
    const idleMs = member.idleMs
    await server.restart()
    await topic.write(0, numbered(100, 200))
    await topic.write(1, numbered(100, 200))
    await vi.waitFor(
      () => expect(new Set(member.read.map(one => `${one.partition}@${one.offset}`)).size).toBe(400),
      DEADLINE
    )
    for (const partition of [0, 1]) expect([...new Set(member.values(partition))]).toEqual(numbered(0, 200))
    expect(member.failure).toBe(null)
    expect(idleMs).toBeLessThan(5_000)
    await vi.waitFor(async () => expect(await topic.committed()).toEqual({ 0: 200, 1: 200 }), DEADLINE)
    await topic.remove()
  })

  test('rejects wait for it, and are all there', async () => {
    const topic = await TestTopic.create(3, server.brokers)
    const log = vi.fn()
    const rejects = new RejectTopic({ connection: plain(server.brokers), topic: topic.name, log })
    const reject = (i: number) => ({ value: Buffer.from(`reject ${i}`), headers: { 'why5xx.code': `code ${i}` } })
    await rejects.send([0, 1, 2].map(reject))
    await server.kill()
    let isSent = false
    const sending = rejects.send([3, 4].map(reject)).then(() => {
      isSent = true
    })
    await vi.waitFor(
      () => expect(log.mock.calls.some(([, text]) => String(text).includes('cannot write'))).toBe(true),
      DEADLINE
    )
    expect(isSent).toBe(false)
    await server.restart()
    await sending
    const member = topic.member('kafkajs')
    await vi.waitFor(
      () =>
        expect(new Set(member.read.map(({ value }) => value))).toEqual(
          new Set([0, 1, 2, 3, 4].map(i => `reject ${i}`))
        ),
      DEADLINE
    )
    await rejects.close()
    await topic.remove()
  })
})

describe.skipIf(!isAvailable)('a broker with TLS and a login', () => {
  let server: KafkaServer
  let topic: TestTopic
  let folder: string
  beforeAll(async () => {
    server = await startKafka({ security: true })
    topic = await TestTopic.create(1, server.brokers)
    await topic.write(0, ['behind a lock'])
    folder = mkdtempSync(join(tmpdir(), 'why5xx-test-'))
  })
  afterAll(async () => {
    await topic?.remove()
    await server?.stop()
    if (folder) rmSync(folder, { recursive: true })
  })

  type Mechanism = KafkaConfig['sasl']['mechanism']
  const MECHANISMS: Mechanism[] = ['plain', 'scram-sha-256', 'scram-sha-512']
  const cases = DRIVERS.flatMap(driver => MECHANISMS.map(mechanism => [driver, mechanism] as const))

  function connect(mechanism: Mechanism, password: string, caFile = server.secure!.caFile) {
    const { brokers, username } = server.secure!
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, `${password}\n`)
    return kafkaConnection({
      brokers,
      tls: { enabled: true, caFile, certFile: null, keyFile: null },
      sasl: { mechanism, username, password: null, passwordFile }
    })
  }

  function listener(): DriverHandlers & { reads: DriverRead[]; generation: number } {
    const nothing = () => {}
    const heard = { reads: [] as DriverRead[], generation: 0 }
    return Object.assign(heard, {
      assigned: (generation: number) => {
        heard.generation = generation
      },
      rebalancing: nothing,
      revoked: nothing,
      messages: (_generation: number, _partition: number, read: DriverRead) => void heard.reads.push(read),
      outOfRange: nothing,
      expired: nothing,
      failed: nothing
    })
  }

  test.each(cases)('%s logs in by %s', async (name, mechanism) => {
    const options = {
      topic: topic.name,
      groupId: `${topic.groupId}-${mechanism}-${name}`,
      sessionTimeoutMs: SESSION_MS,
      log: () => {}
    }
    const driver = createDriver(name, connect(mechanism, server.secure!.password), options)
    const heard = listener()
    await driver.join(heard)
    await vi.waitFor(() => expect(heard.generation).toBe(1), DEADLINE)
    driver.start(0, 0)
    await vi.waitFor(() => expect(heard.reads).toMatchObject([{ nextOffset: 1 }]), DEADLINE)
    const { bytes, starts, ends } = heard.reads[0]!.batches[0]!
    expect(bytes.toString('latin1', starts[0], ends[0]! + 1)).toBe('behind a lock\n')
    expect((await driver.watermarks()).get(0)).toEqual({ low: 0, high: 1 })
    await driver.leave()
  })

  test.each(DRIVERS.map(driver => [driver] as const))(
    '%s refuses a wrong password and a strange authority, without secrets',
    async name => {
      const logged: string[] = []
      const log = (_level: string, message: string, fields: object) => void logged.push(message, JSON.stringify(fields))
      const options = { topic: topic.name, groupId: topic.groupId, sessionTimeoutMs: SESSION_MS, log }
      const wrong = createDriver(name, connect('plain', 'a-wrong-secret'), options)
      const error = await wrong.join(listener()).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'WHY5XX_KAFKA' })
      expect([(error as Error).message, ...logged].join('\n')).not.toContain('a-wrong-secret')
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'other.pem')]
      const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=other', '-days', '1']
      execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
      const strange = createDriver(name, connect('plain', server.secure!.password, certificate), options)
      await expect(strange.join(listener())).rejects.toMatchObject({ code: 'WHY5XX_KAFKA' })
    }
  )
})
