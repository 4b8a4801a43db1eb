import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageRows } from '../../parsers/errorMessages.generated.ts'
import { byte, client, clientText, method, peer } from '../support/arbitrary.ts'
import { type ErrorLine, escapeDefault, renderError } from '../support/nginxRender.ts'
import { recordReader } from '../support/readLog.ts'
import { runs } from '../support/seed.ts'

/** Placeholders filled with what stands there in real lines: neither quotes nor context fields. */
const FILLINGS: Record<string, string> = {
  errno: '111',
  strerror: 'Connection refused',
  addr: '10.2.3.14:8080',
  n: '42',
  nnn: '502',
  line: '12',
  host: 'shop.svc'
}
const messages = messageRows()
  .filter(([, message, , , , emitter]) => emitter === 'nginx-http' && !message.includes(', client: '))
  .flatMap(([, message, phases]) => {
    const text = message.replace(/<([^<>]+)>/g, (_all, name: string) => FILLINGS[name] ?? 'x')
    return phases
      .split('|')
      .map(phase => (phase === '-' ? text : `${text} while ${phase.replace('<addr>', '10.2.3.14:80')}`))
  })

const level = fc.constantFrom('emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug')
/** What raw bytes may stand in a client's value; a line feed would end the line. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: byte, maxLength: 6 }),
      clientText,
      fc.constantFrom(
        '"',
        '", host: "evil',
        '", upstream: "http://6.6.6.6:80/',
        ', client: 6.6.6.6, server: evil',
        '", referrer: "x'
      )
    ),
    { maxLength: 3 }
  )
  .map(parts => parts.join('').replaceAll('\n', '~'))
/** Of a modern nginx: neither blanks nor control bytes, but quotes and bytes above 0x7f. */
const uri = fc
  .string({ unit: byte, maxLength: 20 })
  .map(text => `/${text.replace(/[\x00-\x20\x7f]/g, '"').replaceAll('?', '')}`)
const url = fc.tuple(fc.constantFrom('http', 'https', 'grpc', 'grpcs', 'fastcgi'), peer, uri)

const line: fc.Arbitrary<{ line: ErrorLine; path: string; method: string; address: string | null }> = fc
  .record({
    second: fc.integer({ min: 1_400_000_000, max: 2_000_000_000 }),
    level,
    pid: fc.nat(100_000),
    connection: fc.option(fc.nat(10_000_000), { nil: null }),
    message: fc.constantFrom(...messages),
    client,
    server: fc.constantFrom('shop.example.com', '_', '0.0.0.0:443', '[::]:80', '~^(?<a>.+)\\.example$'),
    method,
    uri,
    query: fc.option(uri, { nil: null }),
    subrequest: fc.option(fc.constantFrom('/_external-auth-Lw-Prefix', '/_mirror-1'), { nil: null, freq: 5 }),
    url: fc.option(url, { nil: null, freq: 2 }),
    host: fc.oneof(fc.constantFrom('shop.example.com', null), hostile),
    referrer: fc.oneof(fc.constant(null), fc.constant('https://shop.example.com/'), hostile)
  })
  .map(given => {
    const target = given.query === null ? given.uri : `${given.uri}?${given.query}`
    const address = given.url?.[1] ?? null
    const sent = address?.startsWith('unix:') ? `${address}:${given.url![2]}` : `${address}${given.url?.[2]}`
    return {
      line: {
        timeMs: given.second * 1000,
        level: given.level,
        pid: given.pid,
        connection: given.connection,
        message: given.message,
        client: given.client,
        server: given.server,
        request: `${given.method} ${target} HTTP/1.1`,
        subrequest: given.subrequest,
        upstream: given.url === null ? null : `${given.url[0]}://${sent}`,
        host: given.host,
        referrer: given.referrer
      },
      path: given.uri,
      method: given.method,
      address
    }
  })

const shown = (raw: string | null): string | null => (raw === null || raw === '' ? null : escapeDefault(raw))

const read = recordReader()

test('an error line reads back as what nginx knew, whatever the client sent', () => {
  fc.assert(
    fc.property(line, ({ line: given, path, method: verb, address }) => {
      const record = read(renderError(given))
      if (record?.kind !== 'error') throw new Error('no error record')
      expect(record).toMatchObject({
        localTimeMs: given.timeMs,
        level: given.level,
        pid: given.pid,
        connection: given.connection,
        client: given.client,
        server: given.server,
        request: shown(given.request),
        method: verb,
        path: escapeDefault(path),
        subrequest: given.subrequest,
        upstream: shown(given.upstream),
        upstreamAddress: address,
        truncated: false
      })
      // Trailing commas and blanks of a message are never part of it.
      expect(given.message.trimEnd().startsWith(record.message)).toBe(true)
      if (isTold(given)) expect(record).toMatchObject({ host: shown(given.host), referrer: shown(given.referrer) })
    }),
    runs(3000)
  )
})

/** A Host that holds `", referrer: "` cannot be told from a referrer; a line cannot end in a quote that belongs to a value. */
function isTold({ host, referrer }: ErrorLine): boolean {
  const border = '", referrer: "'
  return !`${host}`.includes(border) && !(host === null && `${referrer}`.includes(border))
}

test('a message of several lines and a line without connection keep their text', () => {
  fc.assert(
    fc.property(fc.constantFrom(...messages), level, (message, given) => {
      const record = read(`2026/11/21 10:02:11 [${given}] 31#31: ${message}`)
      expect(record).toMatchObject({ kind: 'error', client: null, request: null, connection: null, level: given })
      if (record?.kind === 'error') expect(record.message).toBe(message.replace(/[,\s]+$/, ''))
    }),
    runs(500)
  )
})
