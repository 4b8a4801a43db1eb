/**
 * Which values of environment variables, ConfigMaps and arguments are kept: a number, a host, a URL without userinfo.
 * Passwords stand among them, and nothing marks one for sure: what is not plainly harmless is not kept.
 */

import { cutText, withoutUserinfo } from './fieldShape.ts'

const VALUE_MAX = 500
const HOST_MAX = 253
/** Tokens have digits all over; names of Services have a few. */
const DIGITS_MAX = 4

const CREDENTIAL_PARTS =
  /passw|passphrase|secret|token|credential|apikey|accesskey|privatekey|signature|cookie|session_?id/i
/** Only as a word of its own: `KEEP_ALIVE` has a key in it, `bypass` a pass. */
const CREDENTIAL_WORDS = new Set([
  'key',
  'keys',
  'auth',
  'pwd',
  'pass',
  'pw',
  'salt',
  'pin',
  'otp',
  'dsn',
  'jwt',
  'license'
])
/** `PGPASS`, `MASTERKEY`, `requirepass`, `DB_PWD2`. */
const CREDENTIAL_END = /(?:pass|pw|pwd|pin|key|keys|auth|creds?)\d*$/
const NO_CREDENTIALS = /^(?:bypass|compass|monkey|turkey|hotkey|spin|sacred)\d*$/
/** `PGHOST`, `DB_HOST2`, `-h`: what stands there may be a host of one word. */
const PLACE_END = /(?:host|hosts|hostname|addr|address|server|servers)\d*$/
const PLACE_FLAG = /^-[hHb]$/
/** As the last word: `AUTH_HOST` is where something is, `HOST_TOKEN` is none. */
const PLACE_WORDS = new Set(
  'host hosts hostname addr address endpoint server servers service svc port upstream backend broker brokers peer peers node nodes proxy gateway uri url'.split(
    ' '
  )
)
/** Settings, no hosts. */
const SWITCHES = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'null', 'none', 'nil', 'undefined'])

/** `DB_PASSWORD`, `--api-key`, `authToken`: whatever stands there is a secret. */
export function isCredentialName(name: string): boolean {
  const words = wordsOf(name)
  if (PLACE_WORDS.has(words.at(-1)!)) return false
  return CREDENTIAL_PARTS.test(name) || words.some(isCredentialWord)
}

function isCredentialWord(word: string): boolean {
  if (CREDENTIAL_WORDS.has(word.replace(/\d+$/, ''))) return true
  return CREDENTIAL_END.test(word) && !NO_CREDENTIALS.test(word)
}

/** `DB_HOST`, `dbHost`, `DB_HOST_2`, `--upstream`: what stands there says where something is. */
function isPlaceName(name: string): boolean {
  const last = wordsOf(name).findLast(word => /[a-z]/.test(word)) ?? ''
  return PLACE_WORDS.has(last.replace(/\d+$/, '')) || PLACE_END.test(last) || PLACE_FLAG.test(name)
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
}

/** `5`, `0.5`, `75s`, `5000ms`. */
export function isNumber(value: string): boolean {
  return /^-?\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h)?$/.test(value)
}

/** `db`, `db.shop`, `db.shop.svc.cluster.local:5432`, `127.0.0.1:8000`, `[::1]:8000`, `:8000`; several with commas. */
export function isHost(value: string): boolean {
  if (value.length === 0 || value.length > VALUE_MAX) return false
  return value.split(',').every(isOneHost)
}

function isOneHost(value: string): boolean {
  const parts = /^(\[[\da-fA-F:.]{2,45}\]|[^:[\]]*)(:\d{1,5})?$/.exec(value)
  if (parts === null) return /^[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,7}$/.test(value)
  const host = parts[1]!
  if (host.startsWith('[')) return true
  if (host === '' || host === '*') return parts[2] !== undefined
  return isHostName(host)
}

function isHostName(host: string): boolean {
  if (host.length > HOST_MAX || SWITCHES.has(host.toLowerCase())) return false
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)) return true
  if (!/[a-z]/.test(host)) return false
  return host.split('.').every(isLabel)
}

/** Lower case, as Kubernetes demands of names: a word with capitals is something else. */
function isLabel(label: string): boolean {
  return /^[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?$/.test(label) && digitsOf(label) <= DIGITS_MAX
}

function digitsOf(word: string): number {
  return word.length - word.replace(/\d/g, '').length
}

/**
 * `postgres://user:password@db:5432/shop?sslmode=off` → `postgres://db:5432/shop`; null: it is none, or not to be trusted: what
 * follows a second `@` may be the rest of a password that nobody escaped. Paths of webhooks are tokens: only the names of
 * databases are kept.
 */
export function plainUrl(value: string): string | null {
  if (value.length > VALUE_MAX) return null
  const parts = /^((?:[a-z][a-z\d+.-]{0,20}:){1,2}\/\/)([^/?#;\s]*)([^\s]*)$/i.exec(value)
  if (parts === null || parts[3]!.includes('@')) return null
  const host = parts[2]!.slice(parts[2]!.lastIndexOf('@') + 1)
  return isHost(host) ? parts[1]! + host + databaseOf(parts[1]!, parts[3]!) : null
}

const DATABASE_SCHEME = /^(?:jdbc:)?(?:postgres|postgresql|mysql|mariadb|mongodb|rediss?):\/\/$/i

/** `/shop`, `/0`; '' of other URLs. */
function databaseOf(scheme: string, path: string): string {
  const name = DATABASE_SCHEME.test(scheme) ? (/^\/[\w-]{1,40}(?=$|[?#;])/.exec(path)?.[0] ?? '') : ''
  return digitsOf(name) <= DIGITS_MAX ? name : ''
}

/** What is kept of a variable's value; undefined: nothing. */
export function keptValue(name: string, value: string): string | undefined {
  const trimmed = value.length > VALUE_MAX ? '' : value.trim()
  if (trimmed === '') return undefined
  // The name of a database's URL may say `auth`: without userinfo it is safe all the same.
  const url = plainUrl(trimmed)
  if (url !== null) return url
  if (isCredentialName(name)) return undefined
  return isNumber(trimmed) || (isHost(trimmed) && (isPlaceName(name) || isAddress(trimmed))) ? trimmed : undefined
}

/** Plainly no password: a lone word is one as easily as a Service. */
function isAddress(hosts: string): boolean {
  return hosts.split(',').every(host => /[.:]/.test(host) || host === 'localhost')
}

const NAMES_MAX = 30

/**
 * Settings of the controller, in annotations and in its ConfigMap: as they stand, without userinfo and query of URLs. Of
 * snippets, which set headers to whatever they like, only the names of their directives.
 */
export function keptSetting(name: string, value: string, max = 1_000): string {
  if (/snippet/i.test(name)) return directives(value)
  if (!value.includes('://')) return cutText(value, max)
  const words = withoutUserinfo(value).split(/(\s+)/)
  return cutText(words.map(word => (word.includes('://') ? word.replace(/\?.*$/s, '?***') : word)).join(''), max)
}

/** `more_set_headers "X: y"; deny all;` → `more_set_headers; deny`. */
function directives(snippet: string): string {
  const names = cutText(snippet, 20_000)
    .split(/[;{}\n]/)
    .map(statement => /^\s*([a-z][a-z_]{1,40})(?=\s|$)/.exec(statement)?.[1])
    .filter(name => name !== undefined)
  return names.slice(0, NAMES_MAX).join('; ')
}
