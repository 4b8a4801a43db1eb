/**
 * What the long-running process says: JSON lines on stderr, or text on a terminal. Log text is data here as everywhere:
 * names of files and upstreams move no cursor, and tokens are replaced wherever they stand.
 */

import { pino, stdSerializers, stdTimeFunctions } from 'pino'
import { Why5xxError } from './errors.ts'
import type { Config } from './optionTable.ts'
import { isColored } from './terminal.ts'
import { safeJson, safeText } from './text.ts'
import { VERSION } from './version.ts'

/** `error` is for an Error; the other keys are the line's own. Never the content of a log line at info or above. */
export type LogFields = Record<string, unknown> & { level?: never; time?: never; msg?: never; service?: never }

export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
}

export interface LoggerOptions {
  /** Tokens in force: replaced by *** in every text. */
  secrets?: readonly (string | null)[]
  /** Where whole lines go; stderr by default. With a status line: its `write`. */
  write?: (text: string) => void
  /** Is it a terminal? That of stderr by default. */
  isTerminal?: boolean
}

/** Keys whose value nobody may read, at the top and one level below. */
const SECRET_KEYS = ['token', 'metricsToken', 'authorization', 'password', 'apiKey']

export async function createLogger(log: Config['log'], options: LoggerOptions = {}): Promise<Logger> {
  const isTerminal = options.isTerminal ?? process.stderr.isTTY === true
  const write = options.write ?? (text => process.stderr.write(text))
  guardStderr()
  const isPretty = log.format === 'pretty' || (log.format === 'auto' && isTerminal)
  const shown = isPretty ? await prettyLines(isTerminal && isColored(process.stderr)) : safeJson
  const secrets = (options.secrets ?? [])
    .filter(secret => secret !== null)
    // As they stand inside of JSON; the longer first, as one may hold the other.
    .map(secret => JSON.stringify(secret).slice(1, -1))
    .sort((a, b) => b.length - a.length)
  const withoutSecrets = (line: string): string =>
    secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line)
  const logger = pino(
    {
      level: log.level,
      base: { service: 'why5xx', version: VERSION },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: word => ({ level: word }) },
      serializers: { error: errorFields },
      redact: { paths: SECRET_KEYS.flatMap(key => [key, `*.${key}`]), censor: '***' }
    },
    { write: line => write(shown(withoutSecrets(line))) }
  )
  const say =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      // An argument of its own: a message is no format.
      logger[level](fields, '%s', message)
  return { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') }
}

/** pino-pretty in this process: no worker thread, so that nothing is lost at the end and the status line can make room. */
async function prettyLines(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize,
    ignore: 'service,version',
    singleLine: true,
    translateTime: "UTC:yyyy-mm-dd HH:MM:ss'Z'"
  })
  return line => pretty(safeValue(JSON.parse(line), ''))
}

/** Our own errors are sentences that say what to do; of all others the place tells more. */
function errorFields(error: Error): object {
  return error instanceof Why5xxError ? { code: error.code, message: error.message } : stdSerializers.err(error)
}

/** Texts of an object, made safe for a terminal; a stack keeps its lines. */
function safeValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'stack' ? value.split('\n').map(safeText).join('\n') : safeText(value)
  if (Array.isArray(value)) return value.map(item => safeValue(item, ''))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [safeText(name), safeValue(inner, name)]))
}

let isGuarded = false

/** Whoever read the log may go away, and a terminal may hang up: the work goes on, and nobody is left to be told. */
function guardStderr(): void {
  if (isGuarded) return
  isGuarded = true
  process.stderr.on('error', () => {})
}
