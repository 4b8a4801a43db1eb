/** The scripts of deploy/kafka/, with the broker's own tools of the tests' jars. */
import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { kafkaProgram } from './kafkaProgram.ts'
import type { SecureKafka } from './kafkaServer.ts'

const DEPLOY = join(import.meta.dirname, '../../deploy/kafka')
const MAIN_CLASSES = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand'
}

/** Puts what a distribution has in its bin/ into `folder`. */
export async function writeKafkaTools(folder: string): Promise<void> {
  const { java, args } = await kafkaProgram()
  for (const [name, mainClass] of Object.entries(MAIN_CLASSES)) {
    const file = join(folder, name)
    const quoted = [java, '-Xmx128m', ...args].map(word => `'${word}'`).join(' ')
    writeFileSync(file, `#!/bin/sh\nexec ${quoted} ${mainClass} "$@"\n`)
    chmodSync(file, 0o755)
  }
}

/** A file for `--command-config`, with the login of a user. */
export function commandConfig(folder: string, { caFile, username, password }: SecureKafka): string {
  const file = join(folder, `${username}.properties`)
  const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${password}";`
  const lines = [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=SCRAM-SHA-512',
    `sasl.jaas.config=${login}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${caFile}`
  ]
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return file
}

/** Runs `topics.sh` or `acls.sh` and returns what it printed. */
export async function runScript(name: 'topics.sh' | 'acls.sh', env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(join(DEPLOY, name), { env: { PATH: process.env.PATH, ...env } })
  return stdout
}
