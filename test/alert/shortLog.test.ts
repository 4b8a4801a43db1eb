/** Spikes in logs that are too short for the detector, by hand. */
import { describe, expect, test } from 'vitest'
import { shortLogFindings } from '../../src/alert/shortLog.ts'

const FROM = 29_000_000

/** Failures minute by minute, of so many requests each; what began and ended, by minutes of the log. */
function found(failures: number[], requests: number | number[] = 100, profile: 'normal' | 'sensitive' = 'normal') {
  const counts = failures.map((_, i) => (typeof requests === 'number' ? requests : requests[i]!))
  const series = {
    upstream: 'shop-cart-80',
    cause: 'read_timeout',
    fromMinute: FROM,
    failures,
    requests: counts
  } as const
  return shortLogFindings(series, profile)
    .filter(({ kind }) => kind !== 'firing')
    .map(({ kind, minute, startMinute }) => `${kind} ${minute - FROM}, since ${startMinute - FROM}`)
}

const zeros = (count: number): number[] => Array<number>(count).fill(0)

describe('what it finds', () => {
  test.each<[string, number[], string[]]>([
    ['nothing where nothing fails', zeros(30), []],
    ['a minute', [...zeros(10), 20, ...zeros(15)], ['fired 10, since 10', 'resolved 19, since 10']],
    ['one that begins the log', [20, 20, ...zeros(15)], ['fired 0, since 0', 'resolved 10, since 0']],
    ['one that goes on at its end', [...zeros(10), 20, 20, 20], ['fired 10, since 10']],
    [
      'one that fills more than half of it',
      [...zeros(5), ...Array<number>(12).fill(9), ...zeros(5)],
      ['fired 5, since 5']
    ],
    // One a minute is no excess in five minutes.
    [
      'a slow one, from its first failure',
      [...zeros(12), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ...zeros(12)],
      ['fired 19, since 12', 'resolved 24, since 12']
    ],
    [
      'two that are apart',
      [...zeros(8), 20, ...zeros(14), 20, ...zeros(12)],
      ['fired 8, since 8', 'resolved 17, since 8', 'fired 23, since 23', 'resolved 32, since 23']
    ]
  ])('%s', (_name, failures, want) => {
    expect(found(failures)).toEqual(want)
  })
})

describe('what it does not', () => {
  test.each<[string, number[], number | number[]]>([
    ['a level that is always there', Array.from({ length: 30 }, (_, i) => 8 + (i % 5)), 100],
    ['rare failures that are always there', Array.from({ length: 30 }, (_, i) => [1, 0, 2, 0, 0, 1][i % 6]!), 50],
    [
      'every request of a service that always fails',
      [2, 0, 5, 1, 3, 8, 2, 1, 0, 6, 2, 3],
      [2, 0, 5, 1, 3, 8, 2, 1, 0, 6, 2, 3]
    ],
    [
      'a surge of traffic',
      [2, 1, 2, 3, 2, 1, 2, 20, 21, 19, 20, 2, 1, 3, 2],
      [100, 100, 100, 100, 100, 100, 100, 1000, 1000, 1000, 1000, 100, 100, 100, 100]
    ],
    ['four failures', [...zeros(10), 4, ...zeros(10)], 100],
    ['anything with four other minutes', [...zeros(4), 50], 100],
    ['anything of a service without requests', [...zeros(10), 50, ...zeros(10)], 0]
  ])('%s', (_name, failures, requests) => {
    expect(found(failures, requests)).toEqual([])
  })
})

test('five other minutes are enough', () => {
  expect(found([...zeros(5), 50])).toEqual(['fired 5, since 5'])
})

test('the sensitive profile finds more', () => {
  // Six where 0.36 were to be expected: p = 2e-6.
  const failures = [...zeros(12), 1, 1, 1, 1, 1, 1, ...zeros(29)]
  expect(found(failures)).toEqual([])
  expect(found(failures, 100, 'sensitive')).toEqual(['fired 17, since 12', 'resolved 22, since 12'])
})

test('what was expected is told', () => {
  const [first] = shortLogFindings(
    {
      upstream: 'a',
      cause: 'read_timeout',
      fromMinute: FROM,
      failures: [...zeros(10), 20, ...zeros(5)],
      requests: Array<number>(16).fill(100)
    },
    'normal'
  )
  const minute = first!.windows.find(({ minutes }) => minutes === 1)!
  // Behind its beginning it goes on to the end of the log; the minutes before had 1,000 requests and no failure: one in 2,000.
  expect(minute).toMatchObject({ failures: 20, requests: 100, spread: 1 })
  expect(minute.expected).toBeCloseTo(100 / 2_000, 6)
  expect(minute.pValue).toBeLessThan(1e-40)
})
