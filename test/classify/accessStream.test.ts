import { expect, test } from 'vitest'
import type { Cause } from '../../parsers/causes.ts'
import type { StreamAccessRecord } from '../../parsers/record.ts'
import { classifyStreamAccess } from '../../src/classify/accessTable.ts'

test.each<[name: string, status: number, sessionTimeMs: number | null, cause: Cause | null, alternative: Cause | null]>(
  [
    ['ended', 200, 3, null, null],
    ['PROXY header', 400, 0, 'bad_request', null],
    ['access rule', 403, 0, 'auth_failure', null],
    ['internal', 500, 0, 'lua_error', 'controller_overload'],
    ['refused', 502, 0, 'connection_refused', 'no_endpoints'],
    ['no session time', 502, null, 'connection_refused', 'lua_error'],
    ['no answer to ARP', 502, 3_070, 'host_unreachable', 'connect_timeout'],
    ['timer', 502, 60_001, 'connect_timeout', 'no_endpoints'],
    ['connection limit', 503, 0, 'rate_limited', null],
    ['unknown', 599, 0, 'unclassified', null]
  ]
)('%s', (_name, status, sessionTimeMs, cause, alternative) => {
  const record: StreamAccessRecord = {
    kind: 'stream_access',
    timeMs: null,
    client: null,
    protocol: 'TCP',
    status,
    bytesSent: 0,
    bytesReceived: 0,
    sessionTimeMs
  }
  const verdict = classifyStreamAccess(record)
  expect(verdict.cause).toBe(cause)
  expect(verdict.confidence > 0).toBe(cause !== null)
  if (alternative !== null) expect(verdict.alternatives).toContain(alternative)
})
