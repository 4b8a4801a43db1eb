import { describe, expect, test } from 'vitest'
import {
  daysFromCivil,
  parseErrorTime,
  parseKlogTime,
  parseTimeText,
  Rfc3339Reader,
  TimeLocalReader,
  withNearestYear
} from '../../parsers/time.ts'
import { bytesOf } from '../support/readLog.ts'

const utc = (text: string): number => Date.parse(text)

test('daysFromCivil agrees with the calendar over four centuries', () => {
  for (let day = daysFromCivil(1900, 1, 1); day < daysFromCivil(2300, 1, 1); day += 13) {
    const date = new Date(day * 86_400_000)
    expect(daysFromCivil(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())).toBe(day)
  }
})

test.each(['0000-01-01T00:00:00Z', '0050-06-01T10:00:00Z', '1969-12-31T23:59:59Z', '9999-12-31T23:59:60-99:99'])(
  '%s is believed nowhere: a store could not find it again',
  text => {
    const [year, month, day] = text.slice(0, 10).split('-') as [string, string, string]
    const name = month === '12' ? 'Dec' : month === '06' ? 'Jun' : 'Jan'
    expect(parseTimeText(text)).toBeNull()
    expect(parseTimeText(`${day}/${name}/${year}:10:00:00 +0000`)).toBeNull()
    expect(parseErrorTime(`${year}/${month}/${day} 10:00:00`)).toBeNull()
    const bytes = bytesOf(`${text} rest`)
    expect(new Rfc3339Reader().read(bytes, 0, bytes.length)).toBeNaN()
    expect(new TimeLocalReader().read(bytesOf(`${day}/${name}/${year}:10:00:00 +0000\n`), 0)).toBeNaN()
  }
)

test('the first and the last times that are believed have years of four digits in every zone', () => {
  for (const text of ['1970-01-01T00:00:00+99:99', '9998-12-31T23:59:60-99:99'])
    expect(new Date(parseTimeText(text)!).toISOString()).toMatch(/^\d{4}-/)
})

describe('$time_local', () => {
  const read = (text: string): number => new TimeLocalReader().read(bytesOf(`${text}\n`), 0)

  test.each([
    ['21/Nov/2026:10:02:11 +0000', '2026-11-21T10:02:11Z'],
    ['29/Feb/2028:23:59:59 -0330', '2028-03-01T03:29:59Z'],
    ['01/Jan/2000:00:00:00 +1400', '1999-12-31T10:00:00Z'],
    ['31/Dec/1999:23:59:59 +0545', '1999-12-31T18:14:59Z'],
    ['29/Feb/2000:00:00:00 +0000', '2000-02-29T00:00:00Z']
  ])('%s', (text, want) => expect(read(text)).toBe(utc(want)))

  test.each([
    '21/nov/2026:10:02:11 +0000',
    '21/Nov/2026 10:02:11 +0000',
    '21/Nov/2026:24:02:11 +0000',
    '21/Nov/2026:10:60:11 +0000',
    '32/Nov/2026:10:02:11 +0000',
    '00/Nov/2026:10:02:11 +0000',
    '21/Nov/2026:10:02:xx +0000',
    '21/Nov/2026:10:02:11 00000',
    '21/Nov/2026:10:02:11+00000',
    '2x/Nov/2026:10:02:11 +0000',
    '21-Nov-2026:10:02:11 +0000'
  ])('%s is none', text => expect(read(text)).toBeNaN())

  test('one reader tells minutes, zones and seconds apart, and forgets what was none', () => {
    const reader = new TimeLocalReader()
    const next = (text: string): number => reader.read(bytesOf(`${text}\n`), 0)
    expect(next('21/Nov/2026:10:02:11 +0000')).toBe(utc('2026-11-21T10:02:11Z'))
    expect(next('21/Nov/2026:10:02:12 +0000')).toBe(utc('2026-11-21T10:02:12Z'))
    expect(next('21/Nov/2026:10:02:12 +0100')).toBe(utc('2026-11-21T09:02:12Z'))
    expect(reader.zoneMs).toBe(3_600_000)
    expect(next('21/Nov/2026:1x:02:12 +0100')).toBeNaN()
    expect(next('21/Nov/2026:10:03:00 +0100')).toBe(utc('2026-11-21T09:03:00Z'))
    expect(next('22/Nov/2026:10:03:00 +0100')).toBe(utc('2026-11-22T09:03:00Z'))
  })
})

describe('RFC 3339', () => {
  const read = (text: string): [number, number] => {
    const reader = new Rfc3339Reader()
    const bytes = bytesOf(`${text} rest`)
    return [reader.read(bytes, 0, bytes.length), reader.end]
  }

  test.each([
    ['2026-11-21T10:02:11Z', '2026-11-21T10:02:11Z', 0],
    ['2026-11-21T10:02:11.5Z', '2026-11-21T10:02:11.500Z', 0],
    ['2026-11-21T10:02:11.123456789Z', '2026-11-21T10:02:11.123Z', 0.456789],
    ['2026-11-21T10:02:11.123456789012Z', '2026-11-21T10:02:11.123Z', 0.456789],
    ['2026-11-21 10:02:11+00:00', '2026-11-21T10:02:11Z', 0],
    ['2026-11-21T10:02:11+01:00', '2026-11-21T09:02:11Z', 0],
    ['2026-11-21T10:02:11.250-0330', '2026-11-21T13:32:11.250Z', 0],
    ['2028-02-29T00:00:00.000000001Z', '2028-02-29T00:00:00Z', 0.000001]
  ])('%s', (text, want, fraction) => {
    const [ms, end] = read(text)
    expect(ms).toBeCloseTo(utc(want) + fraction, 3)
    expect(end).toBe(text.length)
  })

  test.each([
    '2026-11-21T10:02:11',
    '2026-11-21T10:02:11.Z',
    '2026-11-21T10:02Z',
    '2026-13-21T10:02:11Z',
    '2026-00-21T10:02:11Z',
    '2026-11-00T10:02:11Z',
    '2026-11-21T24:02:11Z',
    '2026/11/21T10:02:11Z',
    '2026-11-21x10:02:11Z',
    '2026-11-21T10:02:11+0x:00',
    'abcd-11-21T10:02:11Z'
  ])('%s is none', text => expect(read(text)[0]).toBeNaN())

  test('a stamp that the end of the line cuts is none', () => {
    const text = '2026-11-21T10:02:11.123456+01:00'
    const bytes = bytesOf(text)
    for (let limit = 0; limit < text.length; limit++) expect(new Rfc3339Reader().read(bytes, 0, limit)).toBeNaN()
  })
})

describe('values of JSON logs', () => {
  test.each<[string, string | null]>([
    ['2026-11-21T10:02:11+00:00', '2026-11-21T10:02:11Z'],
    ['2026-11-21T10:02:11.250Z', '2026-11-21T10:02:11.250Z'],
    ['2026-11-21 10:02:11,250', '2026-11-21T10:02:11.250Z'],
    ['2026-1-2T3:04:05Z', '2026-01-02T03:04:05Z'],
    ['21/Nov/2026:10:02:11 +0100', '2026-11-21T09:02:11Z'],
    ['1795255331', '2026-11-21T10:02:11Z'],
    ['1795255331.250', '2026-11-21T10:02:11.250Z'],
    ['1795255331250', '2026-11-21T10:02:11.250Z'],
    ['', null],
    ['-', null],
    ['yesterday', null],
    ['12', null],
    ['2026-11-21', null],
    ['2026-13-21T10:02:11Z', null],
    ['21/Foo/2026:10:02:11 +0100', null]
  ])('%s', (text, want) => expect(parseTimeText(text)).toBe(want === null ? null : utc(want)))
})

test.each<[string, string | null]>([
  ['2026/11/21 10:02:11 [error]', '2026-11-21T10:02:11Z'],
  ['2028/02/29 23:59:59', '2028-02-29T23:59:59Z'],
  ['2026/13/21 10:02:11', null],
  ['2026/11/21T10:02:11', null],
  ['26/11/21 10:02:11', null]
])('error line %s', (text, want) => expect(parseErrorTime(text)).toBe(want === null ? null : utc(want)))

describe('klog', () => {
  test.each<[string, string | null]>([
    ['1121 10:02:11.123456', '1972-11-21T10:02:11.123Z'],
    ['0229 10:02:11.000000', '1972-02-29T10:02:11Z'],
    ['0101 00:00:00.5', '1972-01-01T00:00:00.500Z'],
    ['1321 10:02:11.123456', null],
    ['1121 25:02:11.123456', null],
    ['1121 10:02:11', null]
  ])('%s', (text, want) => {
    const ms = parseKlogTime(text)
    expect(ms === null ? null : Math.floor(ms)).toBe(want === null ? null : utc(want))
  })

  test.each([
    // stamp                 nearest to                want
    ['1121 10:02:11.000000', '2026-11-21T10:02:11Z', '2026-11-21T10:02:11Z'],
    ['1231 23:59:59.000000', '2027-01-01T00:00:05Z', '2026-12-31T23:59:59Z'],
    ['0101 00:00:01.000000', '2026-12-31T23:59:58Z', '2027-01-01T00:00:01Z'],
    ['0101 00:00:01.000000', '2026-02-01T00:00:00Z', '2026-01-01T00:00:01Z'],
    ['0301 00:00:01.000000', '2028-03-02T00:00:00Z', '2028-03-01T00:00:01Z']
  ])('%s near %s is %s', (text, near, want) => expect(withNearestYear(parseKlogTime(text)!, utc(near))).toBe(utc(want)))
})
