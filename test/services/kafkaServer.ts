/**
 * A real Kafka for a test of its own: KRaft, broker and controller in one process, on 127.0.0.1.
 *
 *   const kafka = await startKafka()
 *   new Kafka({ brokers: kafka.brokers })
 *   await kafka.kill(); await kafka.restart()      // same port, same data
 *   await kafka.stop()
 *
 * Most tests share one instead: `inject('kafka')`, see servers.ts.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAvailable } from './availability.ts'
import { makeServerCertificate } from './certificateAuthority.ts'
import { freePort } from './freePort.ts'
import { type KafkaProgram, kafkaProgram, missingForKafka } from './kafkaProgram.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'

/** 16 bytes as base64url. Any will do: every broker is a cluster of its own. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg'
/** A message of 10 MB and what is around it. */
const MESSAGE_BYTES_MAX = 12 * 1024 * 1024
const HEAP = '384m'
const USERNAME = 'why5xx'
const PASSWORD = 'why5xx-secret'

export interface KafkaOptions {
  /** Adds a listener with TLS and a login: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 take the same user. */
  security?: boolean
  /** Further users of that listener, for SCRAM, with the same password. */
  users?: string[]
  /** Of the JVM, as `-Xmx` takes it. */
  heap?: string
  /** Further lines of server.properties; they win over ours. */
  settings?: Record<string, string>
}

/** The listener with TLS and a login. */
export interface SecureKafka {
  brokers: string[]
  caFile: string
  username: string
  password: string
}

export interface KafkaServer extends ServerControl {
  /** `host:port`, without TLS, without login. */
  brokers: string[]
  /** null without the option. */
  secure: SecureKafka | null
}

/** False where Java or Maven is missing, and says so; with CI=true it throws instead. */
export function isKafkaAvailable(): boolean {
  return isAvailable('Kafka', missingForKafka())
}

export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const program = await kafkaProgram()
  const folder = makeServerFolder('kafka')
  const [port, controllerPort, securePort] = [await freePort(), await freePort(), await freePort()]
  const secure = options.security ? { port: securePort, ...makeServerCertificate(folder) } : null
  const settings = { ...baseSettings(folder, port, controllerPort), ...secureSettings(secure), ...options.settings }
  if (secure !== null) {
    settings.listeners += `,SASL_SSL://127.0.0.1:${secure.port}`
    settings['advertised.listeners'] += `,SASL_SSL://127.0.0.1:${secure.port}`
  }
  const settingsFile = join(folder, 'server.properties')
  writeFileSync(
    settingsFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')
  )
  await formatStorage(program, settingsFile, secure === null ? [] : [USERNAME, ...(options.users ?? [])])

  const server = new ServerProcess(
    {
      name: 'kafka',
      file: program.java,
      args: [
        `-Xmx${options.heap ?? HEAP}`,
        '-XX:+ExitOnOutOfMemoryError',
        ...program.args,
        'kafka.Kafka',
        settingsFile
      ],
      isReady: log => log.includes('Kafka Server started')
    },
    folder
  )
  await server.start()
  return Object.assign(server, {
    brokers: [`127.0.0.1:${port}`],
    secure: secure && {
      brokers: [`127.0.0.1:${secure.port}`],
      caFile: secure.caFile,
      username: USERNAME,
      password: PASSWORD
    }
  })
}

function baseSettings(folder: string, port: number, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'message.max.bytes': `${MESSAGE_BYTES_MAX}`,
    // There is one broker, so nothing can have three copies.
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '3',
    // Tests do not want to wait: a group forms at once, a short session is allowed.
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // After a SIGKILL the broker is let in again only when its old session has ended; by default that takes 9 s.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'num.network.threads': '2',
    'num.io.threads': '2',
    'log.segment.bytes': `${64 * 1024 * 1024}`
  }
}

function secureSettings(secure: { caFile: string; keyStoreFile: string } | null): Record<string, string> {
  if (secure === null) return {}
  const login = (mechanism: string, name: string) => `org.apache.kafka.common.security.${mechanism}.${name} required`
  const listener = 'listener.name.sasl_ssl'
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${listener}.ssl.keystore.type`]: 'PEM',
    [`${listener}.ssl.keystore.location`]: secure.keyStoreFile,
    [`${listener}.plain.sasl.jaas.config`]: `${login('plain', 'PlainLoginModule')} user_${USERNAME}="${PASSWORD}";`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: `${login('scram', 'ScramLoginModule')};`,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: `${login('scram', 'ScramLoginModule')};`
  }
}

/** What `kafka-storage.sh format` does; users for SCRAM are part of the cluster's first metadata. */
async function formatStorage(program: KafkaProgram, settingsFile: string, names: readonly string[]): Promise<void> {
  const users = names.flatMap(name =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${PASSWORD}]`
    ])
  )
  const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', settingsFile]
  await promisify(execFile)(program.java, ['-Xmx128m', ...program.args, ...format, ...users])
}
