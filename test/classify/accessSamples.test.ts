import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Cause } from '../../parsers/causes.ts'
import type { AccessRecord } from '../../parsers/record.ts'
import { classifyAccess } from '../../src/classify/accessTable.ts'
import { accessRecord } from './accessRecord.ts'

interface Sample {
  id: string
  line: string
  kind: string
  expect: { status: number | null; cause: Cause | null; acceptable_causes: (Cause | null)[] }
  note: string
}

const samples = readFileSync(new URL('../../samples/real-lines.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as Sample)
  .filter(sample => sample.kind === 'access')

const list = (element: string) => `((?:${element}|-)(?:(?:, | : )(?:${element}|-)?)*)`
const ATTEMPTS = new RegExp(`^${list('\\S+?')} ${list('\\d+')} ${list('\\d+\\.\\d{3}')} ${list('\\d{3}')}(?: |$)`)
const ADDRESSES = new RegExp(`^${list('[^\\s,]+:\\d+')}`)

/** Enough of the default format, and of what is left of it in posted lines, to feed the table; the parsers have their own tests. */
function read(posted: string): AccessRecord {
  const line = posted.startsWith('{"log"') ? (JSON.parse(posted) as { log: string }).log : posted
  const head = /"(\S+) [^"]*" (\d{3})(?: (\d+))?/.exec(line)
  const tail = /(?:(\d+) (\d+\.\d{3}) )?\[([\w-]*)\] (?:\[[\w-]*\] )?(.*)$/.exec(line)
  const columns = ATTEMPTS.exec(tail?.[4] ?? '')?.slice(1)
  const isWhole = columns !== undefined
  const up = columns?.every(column => column === '-') ? '-' : (columns ?? ADDRESSES.exec(tail?.[4] ?? '')?.slice(1, 2))
  return accessRecord({
    method: head?.[1] ?? null,
    status: head ? Number(head[2]) : null,
    bodyBytes: head?.[3] ? Number(head[3]) : null,
    requestLength: tail?.[1] ? Number(tail[1]) : null,
    requestTimeMs: tail?.[2] ? Number(tail[2]) * 1000 : null,
    upstreamName: isWhole || up !== undefined ? tail![3]! : null,
    up: typeof up === 'string' ? up : (up?.join('|') ?? null),
    truncated: !isWhole && up !== undefined,
    attemptsUncertain: !isWhole && up !== undefined
  })
}

const BY_HAND = new Map<string, AccessRecord>([
  // Two JSON formats: one failure with lists of unequal length, one success cut before its upstream's length.
  [
    'v0035',
    accessRecord({
      status: 502,
      bodyBytes: 157,
      requestTimeMs: 3010,
      upstreamName: null,
      up: '10.0.0.41:8096, 10.0.0.42:8096||0.002, 3.008|502, 502',
      connect: '0.001, -',
      attemptsUncertain: true
    })
  ],
  ['v0029', accessRecord({ status: 200, bodyBytes: 1155, up: '10.12.15.234:5000||0.001|200', truncated: true })]
])

test.each(samples.map(sample => [sample.id, sample.note, sample] as const))('%s: %s', (id, _note, sample) => {
  const record = BY_HAND.get(id) ?? read(sample.line)
  if (sample.expect.status !== null) expect(record.status).toBe(sample.expect.status)
  expect(sample.expect.acceptable_causes).toContain(classifyAccess(record).cause)
})
