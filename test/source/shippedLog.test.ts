import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseTimeText } from '../../parsers/time.ts'
import { ShipperRuns } from '../../src/source/shipperRuns.ts'
import { accessLine, at } from '../support/lines.ts'
import { bytesOf, tellAll } from '../support/readLog.ts'
import {
  filebeatValue,
  fluentBitValue,
  fluentdValue,
  rawValue,
  SHIPPED_FROM,
  type ShippedRecord,
  shippedRecords,
  vectorValue
} from '../support/shippedLog.ts'

const TIME = '2026-11-21T10:02:11.5Z'
const FRAME_BYTES = `${TIME} stdout F \n`.length
const PIECES = readFileSync(new URL('../../samples/envelope/cri-pieces.log', import.meta.url))

function told(runs: ShipperRuns, records: ShippedRecord[]): boolean[] {
  return records.map(({ offset, time, bytes }) =>
    runs.isResend({ path: SHIPPED_FROM.path, offset, timeMs: parseTimeText(time)!, bytes })
  )
}

describe('records of a CRI log', () => {
  test('offsets, lengths, carriage returns, other bytes', () => {
    const log = Buffer.from(`${TIME} stdout F one\n${TIME} stderr F two\r\n${TIME} stdout F \xe0\n`, 'latin1')
    expect(shippedRecords(log)).toMatchObject([
      { stream: 'stdout', content: 'one', offset: 0, bytes: FRAME_BYTES + 3, isJoined: false },
      { stream: 'stderr', content: 'two', offset: FRAME_BYTES + 3, bytes: FRAME_BYTES + 4 },
      { stream: 'stdout', content: '\ufffd', offset: 2 * FRAME_BYTES + 7, bytes: null }
    ])
  })

  test('pieces are put together where the last one stands, with time and offset of the first', () => {
    const records = shippedRecords(PIECES)
    expect(records.map(record => [record.stream, record.isJoined, record.offset])).toEqual([
      ['stderr', true, 101],
      ['stdout', true, 0],
      ['stderr', false, expect.any(Number)],
      ['stderr', false, expect.any(Number)],
      ['stdout', false, expect.any(Number)],
      ['stderr', false, expect.any(Number)],
      ['stderr', false, expect.any(Number)],
      ['stdout', true, expect.any(Number)],
      ['stdout', true, expect.any(Number)]
    ])
    expect(records[1]!.content).toMatch(/^192\.0\.2\.10 .* 009024c0de4b1a9d3f00112233445566$/)
    for (const { offset, time } of records) expect(PIECES.toString('latin1', offset)).toMatch(new RegExp(`^${time} `))
  })

  test('a record of Fluent Bit', () => {
    const [record] = shippedRecords(Buffer.from(`${TIME} stdout F say "hi"\n`))
    expect(fluentBitValue(record!)).toBe(
      `{"@timestamp":"2026-11-21T10:02:11.500000000Z","time":"${TIME}","stream":"stdout","_p":"F","log":"say \\"hi\\"",` +
        `"log_path":"${SHIPPED_FROM.path}","log_offset":0,"node":"worker-1","cluster":"prod"}`
    )
  })

  test('lines that are interleaved with pieces: every resend is known, and no piece is a gap', () => {
    const runs = new ShipperRuns(null)
    const records = shippedRecords(PIECES)
    expect(told(runs, records)).toEqual(records.map(() => false))
    expect(told(runs, records)).toEqual(records.map(() => true))
    runs.isResend({ path: '/later', offset: 0, timeMs: Date.UTC(2026, 10, 22), bytes: 100 })
    expect(runs.takeGaps(0)).toEqual([])
  })
  test.each([
    ['Fluent Bit', fluentBitValue],
    ['Fluentd', fluentdValue],
    ['Vector', vectorValue],
    ['Filebeat', filebeatValue],
    ['nobody', rawValue]
  ])('as %s sends them they are read as in the file', (_, toValue) => {
    const lines = [
      accessLine({ timeMs: at('10:02:11'), status: 200 }),
      accessLine({ timeMs: at('10:02:11'), status: 502, request: 'GET /\\x22 HTTP/1.1' }),
      '2026/11/21 10:02:11 [error] 31#31: *812 access forbidden by rule, client: 192.0.2.10, server: _, request: "GET / HTTP/1.1", host: "a"'
    ]
    const log = Buffer.from(lines.map((line, i) => `${TIME} ${i < 2 ? 'stdout' : 'stderr'} F ${line}\n`).join(''))
    const values = shippedRecords(log).map(record => `${toValue(record).toString()}\n`)
    const kindsAndRecords = (text: string) => tellAll([bytesOf(text)]).map(({ kind, record }) => [kind, record])
    const read = kindsAndRecords(values.join(''))
    expect(read.map(([kind]) => kind)).toEqual(['access', 'access', 'error'])
    expect(read).toEqual(kindsAndRecords(`${lines.join('\n')}\n`))
  })
})
