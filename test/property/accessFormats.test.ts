import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileLogFormat, KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { parseLooseAccess } from '../../parsers/looseAccess.ts'
import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader } from '../../parsers/reader.ts'
import type { AccessRecord, ParsedRecord } from '../../parsers/record.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { type Request, request } from '../support/arbitrary.ts'
import { type Escaping, escapeDefault, renderAccess, shownStates } from '../support/nginxRender.ts'
import { bytesOf, recordOf, recordReader } from '../support/readLog.ts'
import { runs } from '../support/seed.ts'

/** Formats people set, beside the known ones: other orders, quoted lists, other times, the request in pieces. */
const CUSTOM = [
  '$remote_addr [$time_iso8601] "$request" $status "$upstream_addr" "$upstream_status" "$upstream_response_time" "$upstream_response_length" $request_time "$http_user_agent"',
  '[$time_local] $status $request_time $remote_addr "$request_method $request_uri $server_protocol" $upstream_addr $upstream_status $upstream_response_time "$host" $req_id',
  '$msec|$remote_addr|$request_method|$request_uri|$status|$body_bytes_sent|"$upstream_addr"|$upstream_status|[$proxy_upstream_name]|$connection',
  'site="$host" server="$http_host" dest_port="x" src="$remote_addr" time_local="$time_local" status="$status" request="$request" upstream_addr="$upstream_addr" upstream_status="$upstream_status" request_time="$request_time" upstream_response_time="$upstream_response_time" id="$req_id"',
  '$status "$request_method" "$uri" "$args" "$server_protocol" $bytes_sent $upstream_connect_time $upstream_header_time $upstream_response_time $upstream_status $upstream_addr [$time_local]'
]
const JSON_FORMAT =
  '{"time": "$time_iso8601", "remote_addr": "$remote_addr", "remote_user": "$remote_user", "request": "$request", "host": "$host", "status": $status, "body_bytes_sent": $body_bytes_sent, "request_length": $request_length, "request_time": $request_time, "http_referer": "$http_referer", "http_user_agent": "$http_user_agent", "proxy_upstream_name": "$proxy_upstream_name", "proxy_alternative_upstream_name": "$proxy_alternative_upstream_name", "upstream_addr": "$upstream_addr", "upstream_status": "$upstream_status", "upstream_response_time": "$upstream_response_time", "upstream_response_length": "$upstream_response_length", "req_id": "$req_id", "connection": $connection}'
/** The lists bare, as numbers are: no JSON when there are several, or none. */
const BARE_JSON_FORMAT = JSON_FORMAT.replace(/"(\$upstream_(?:status|response_\w+))"/g, '$1')

describe('a line that nginx printed from random fields reads back as these fields', () => {
  const known = KNOWN_FORMATS.map(({ name, format }) => [name, format] as const)
  const custom = CUSTOM.map((format, i) => [`custom ${i + 1}`, format] as const)

  test.each([...known, ...custom])('%s', (_name, format) => {
    const read = recordReader(compileLogFormat(format))
    fc.assert(
      fc.property(request, given => checkFormat(read, format, given, 'default')),
      runs(300)
    )
  })

  test.each(known)('%s, the format found without being told', (_name, format) => {
    fc.assert(
      fc.property(request, given => {
        fc.pre(isUnambiguous(format, given))
        const record = recordOf(renderAccess(format, given.variables))
        expect(record).toMatchObject(expectedFields(format, given))
      }),
      runs(300)
    )
  })

  test.each([...known, ...custom])('%s under escape=none, of values without quotes and blanks', (_name, format) => {
    const plain = request.filter(({ variables }) =>
      ['remote_user', 'request_uri', 'host', 'http_referer', 'http_user_agent', 'req_id'].every(name =>
        /^[\x21\x23-\x5a\x5e-\x7e]*$/.test(variables[name] ?? '')
      )
    )
    const read = recordReader(compileLogFormat(format, 'custom', 'none'))
    fc.assert(
      fc.property(plain, given => checkFormat(read, format, given, 'none')),
      runs(100)
    )
  })

  test.each([
    ['quoted', JSON_FORMAT],
    ['bare', BARE_JSON_FORMAT]
  ])('JSON, escape=json, lists %s', (_name, format) => {
    const read = recordReader()
    const compiled = recordReader(compileLogFormat(format, 'custom', 'json'))
    fc.assert(
      fc.property(request, given => {
        const record = read(renderAccess(format, given.variables, 'json'))
        expect(record).toMatchObject(expectedFields(format, given))
        checkFormat(compiled, format, given, 'json')
      }),
      runs(300)
    )
  })

  test('JSON under the default escape: `-` and \\x22 are no JSON', () => {
    const read = recordReader()
    fc.assert(
      fc.property(request, given => {
        const record = read(renderAccess(BARE_JSON_FORMAT, given.variables))
        expect(record).toMatchObject(expectedFields(JSON_FORMAT, given))
      }),
      runs(300)
    )
  })
})

/** What nginx does not escape and the format uses as a border makes a line ambiguous. */
function isUnambiguous(format: string, { variables }: Request): boolean {
  if (/\$req_id /.test(format) && variables.req_id?.includes(' ')) return false
  return !format.includes('|') || !variables.request_uri!.includes('|')
}

type Read = (text: string) => ParsedRecord | null

function checkFormat(read: Read, format: string, given: Request, escaping: Escaping): void {
  fc.pre(isUnambiguous(format, given))
  expect(read(renderAccess(format, given.variables, escaping))).toMatchObject(expectedFields(format, given))
}

/** nginx's spelling; `-` and nothing are null. */
const value = (raw: string | null): string | null =>
  raw === null || raw === '' || raw === '-' ? null : escapeDefault(raw)

/** Only what the format has; the rest is another test's. */
function expectedFields(format: string, given: Request): Partial<AccessRecord> {
  const has = (name: string): boolean => new RegExp(`\\$${name}\\b`).test(format)
  const hasTarget = has('request') || has('request_uri') || has('uri')
  const expected: Partial<AccessRecord> = { kind: 'access', truncated: false, status: given.status }
  if (has('remote_addr')) expected.client = given.client
  if (has('remote_user')) expected.remoteUser = value(given.user)
  if (has('msec')) expected.timeMs = given.timeMs
  else expected.timeMs = Math.floor(given.timeMs / 1000) * 1000
  expected.method = given.method
  if (hasTarget) {
    expected.path = escapeDefault(given.path)
    if (has('request') || has('request_uri')) expected.query = given.query === null ? null : escapeDefault(given.query)
    if (has('request') || has('server_protocol')) {
      expected.httpVersion = given.version
      expected.request = escapeDefault(given.variables.request!)
    }
  }
  if (has('host')) expected.host = value(given.host)
  if (has('body_bytes_sent')) expected.bodyBytes = given.bodyBytes
  else if (has('bytes_sent')) expected.bodyBytes = given.bodyBytes + 200
  if (has('http_referer')) expected.referrer = value(given.referrer)
  if (has('http_user_agent')) expected.userAgent = value(given.userAgent)
  if (has('request_length')) expected.requestLength = given.requestLength
  if (has('request_time')) expected.requestTimeMs = given.requestTimeMs
  if (has('proxy_upstream_name')) expected.upstreamName = given.upstreamName
  if (has('proxy_alternative_upstream_name')) expected.alternativeUpstreamName = value(given.alternativeName)
  if (has('req_id')) expected.requestId = value(given.requestId)
  if (has('connection')) expected.connection = given.connection
  if (has('namespace')) expected.namespace = given.namespace
  if (has('ingress_name')) expected.ingress = given.ingress
  if (has('service_name')) expected.service = given.service
  if (has('upstream_addr')) {
    expected.attemptsUncertain = false
    expected.attempts = shownStates(given.states).map(({ group, state }) => ({
      address: state?.peer ?? null,
      group,
      status: state?.status ?? null,
      responseTimeMs: has('upstream_response_time') ? (state?.responseTimeMs ?? null) : null,
      responseBytes: has('upstream_response_length') && state !== null ? state.responseBytes : null,
      connectTimeMs: has('upstream_connect_time') ? (state?.connectTimeMs ?? null) : null,
      headerTimeMs: has('upstream_header_time') ? (state?.headerTimeMs ?? null) : null
    }))
  } else expected.attempts = null
  return expected
}

describe('step one and step two', () => {
  const formats = [...KNOWN_FORMATS.map(known => known.format), ...CUSTOM]
  test('the view of a line says what its record says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...formats), request, (format, given) => {
        fc.pre(isUnambiguous(format, given))
        const names = new NameTable()
        let seen = 0
        const reader: LogReader = new LogReader(
          {
            access(view) {
              seen++
              const { status, timeMs, requestTimeMs, attempts, upstreamStatus, nameId } = view
              const record = scannedRecord(view, reader.parser.scanner!)
              expect(status).toBe(record.status)
              expect(timeMs).toBe(record.timeMs)
              expect(requestTimeMs).toBe(record.requestTimeMs ?? 0)
              expect(attempts).toBe(record.attempts?.length ?? 0)
              expect(upstreamStatus).toBe(attempts === 1 ? (record.attempts![0]!.status ?? -1) : -1)
              expect(names.names[nameId]).toBe(record.alternativeUpstreamName ?? record.upstreamName ?? '')
            },
            record: () => expect.unreachable('not scanned'),
            continuation: () => expect.unreachable('continuation'),
            reject: () => expect.unreachable('reject')
          },
          names,
          compileLogFormat(format)
        )
        reader.push(bytesOf(`${renderAccess(format, given.variables)}\n`))
        reader.end()
        expect(seen).toBe(1)
      }),
      runs(1000)
    )
  })

  test('what the damaged path reads of a whole line is what the line says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN_FORMATS.map(known => known.format)), request, (format, given) => {
        fc.pre(isUnambiguous(format, given) && given.requestId?.trim() === given.requestId)
        const line = renderAccess(format, given.variables)
        const loose = parseLooseAccess(line)
        const whole = recordOf(line)
        if (loose === null || whole?.kind !== 'access') return
        const {
          attempts,
          truncated: _truncated,
          attemptsUncertain: _uncertain,
          hasConnectTime: _has,
          ...fields
        } = loose
        for (const [key, got] of Object.entries(fields))
          if (got !== null) expect([key, got]).toEqual([key, whole[key as keyof AccessRecord]])
        for (const [i, got] of (attempts ?? []).entries()) {
          const known = whole.attempts![i]!
          for (const [key, part] of Object.entries(got))
            if (part !== null) expect([i, key, part]).toEqual([i, key, known[key as keyof typeof known]])
        }
      }),
      runs(1000)
    )
  })
})
