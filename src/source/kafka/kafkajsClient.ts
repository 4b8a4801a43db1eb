/** kafkajs as we use it: what it says goes to a function, and its time limits are ours. */

import kafkajs, { type KafkaConfig as ClientConfig, type Kafka, type LogEntry, type RetryOptions } from 'kafkajs'
import type { KafkaConnection } from './connection.ts'
import type { DriverLog } from './driver.ts'

/** All of it, because kafkajs has other defaults where NODE_ENV is `test`. */
export const RETRY = { initialRetryTime: 300, maxRetryTime: 5_000, factor: 0.2, multiplier: 2, retries: 8 }

export interface ClientOptions {
  connection: KafkaConnection
  /** Must be longer than a session and a rebalance where a group is joined: SyncGroup waits for a dead leader. */
  requestTimeoutMs: number
  log: DriverLog
  /** For whom a person waits. Left out: `RETRY`. */
  retry?: RetryOptions
}

export function createClient({ connection, requestTimeoutMs, log, retry = RETRY }: ClientOptions): Kafka {
  silenceNegativeTimeouts()
  const { brokers, tls, sasl } = connection
  const ssl = tls && {
    ...(tls.ca && { ca: [tls.ca] }),
    ...(tls.cert && { cert: tls.cert }),
    ...(tls.key && { key: tls.key })
  }
  const config: ClientConfig = {
    clientId: 'why5xx',
    brokers,
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: requestTimeoutMs,
    retry,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => entry => tell(entry, log),
    ...(ssl !== null && { ssl: Object.keys(ssl).length === 0 ? true : ssl }),
    ...(sasl !== null && { sasl: sasl as NonNullable<ClientConfig['sasl']> })
  }
  return new kafkajs.Kafka(config)
}

/** One level below its own: it calls an error what it mends by itself, a rebalance for one. */
function tell(
  { level, namespace, log: { message, logger: _logger, timestamp: _timestamp, ...fields } }: LogEntry,
  log: DriverLog
): void {
  const { ERROR, WARN } = kafkajs.logLevel
  // A stack of a library tells nobody anything.
  const { stack: _stack, ...told } = fields
  // A member that comes or goes is nothing to warn of.
  const isRebalance = String(told.error).includes('rebalancing')
  const shown = level === ERROR && !isRebalance ? 'warn' : level === WARN && !isRebalance ? 'info' : 'debug'
  log(shown, `kafkajs: ${message}`, { part: namespace, ...told })
}

let isSilenced = false

/** kafkajs computes waits that are over already, and newer versions of Node warn of each. It is harmless. */
function silenceNegativeTimeouts(): void {
  if (isSilenced) return
  isSilenced = true
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = ((...args: unknown[]) => {
    const [, second] = args
    const name = typeof second === 'object' && second !== null ? (second as { type?: unknown }).type : second
    if (name !== 'TimeoutNegativeWarning') emitWarning(...args)
  }) as typeof process.emitWarning
}

export { deepest, kafkaError, reasonOf } from './kafkaError.ts'
