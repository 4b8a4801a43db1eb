/** The tap on the pipeline: what is counted, when it is judged, and who is told. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import './support/seed.ts'
import type { Alerting } from '../src/alert/alerting.ts'
import type { Incident } from '../src/alert/incident.ts'
import { newestOf, tellHistory } from '../src/alertHistory.ts'
import { AlertJournal } from '../src/alertJournal.ts'
import { AlertStart } from '../src/alertStart.ts'
import {
  alertBed,
  CAUSE,
  failureAt,
  freshAlerting,
  MINUTE_MS,
  minuteBatch,
  storedMinutes,
  UPSTREAM
} from './support/alertBed.ts'

const T = Date.UTC(2026, 10, 21, 10)
const HOUR_MS = 60 * MINUTE_MS

/** Counts what it is told, and finds nothing. */
class Counting implements Alerting {
  readonly requests = new Map<number, number>()
  readonly failures = new Map<number, number>()
  readonly advanced: number[] = []
  adopted: Incident[] = []
  readonly groups = []
  readonly facts = { services: 0, series: 0, dropped: 0, late: 0 }

  addRequests(_upstream: string, minuteMs: number, count: number): void {
    this.requests.set(minuteMs, (this.requests.get(minuteMs) ?? 0) + count)
  }

  addFailures(_upstream: string, _cause: string, minuteMs: number, count: number): void {
    this.failures.set(minuteMs, (this.failures.get(minuteMs) ?? 0) + count)
  }

  add({ timeMs }: { timeMs: number }): void {
    this.addFailures('', '', Math.floor(timeMs / MINUTE_MS) * MINUTE_MS, 1)
  }

  adopt(incidents: readonly Incident[]): void {
    this.adopted = [...incidents]
  }

  announce(): void {}

  advance(clockMs: number): { changed: Incident[] } {
    this.advanced.push(clockMs)
    return { changed: [] }
  }
}

describe('what is counted', () => {
  test('requests of every minute, and failures, each once', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting })
    service.judged(minuteBatch(T, 100, 3))
    service.judged(minuteBatch(T, 20, 1))
    service.judged({ ...minuteBatch(T + MINUTE_MS, 7, 0), classified: [failureAt(T + MINUTE_MS, true)] })
    expect([...alerting.requests.values()]).toEqual([120, 7])
    expect([...alerting.failures]).toEqual([[T, 4]])
  })

  test('what lies before the counted part of a topic is history', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting, fromMs: T })
    service.judged(minuteBatch(T - MINUTE_MS, 100, 3))
    service.judged(minuteBatch(T, 50, 1))
    expect([...alerting.requests]).toEqual([[T, 50]])
    expect([...alerting.failures]).toEqual([[T, 1]])
  })

  test('where the store tells no past, more is counted: requests as well as failures', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting, fromMs: T + HOUR_MS })
    service.countFrom(T, alerting)
    service.judged(minuteBatch(T, 50, 1))
    expect([...alerting.requests]).toEqual([[T, 50]])
    expect([...alerting.failures]).toEqual([[T, 1]])
  })

  test('what comes more than 15 minutes late is counted, through a new beginning too, and said once', () => {
    const { service, said } = alertBed()
    for (let minute = 0; minute < 60; minute++) {
      service.judged(minuteBatch(T + minute * MINUTE_MS, 100, 0))
      if (minute === 30) service.judged(minuteBatch(T + 10 * MINUTE_MS, 40, 4))
      if (minute === 40) service.judged(minuteBatch(T + 20 * MINUTE_MS, 40, 4))
      service.passed(Number.POSITIVE_INFINITY, T + (minute + 1) * MINUTE_MS + 10_000)
    }
    expect(service.facts.late).toBe(88)
    service.takeOver(freshAlerting(), [])
    expect(service.facts.late).toBe(88)
    expect(said).toEqual([expect.stringContaining('more than 15 minutes late')])
  })

  test('an error of ours stops nothing, and is said without what the log said', () => {
    const alerting = new Counting()
    alerting.add = () => {
      throw new TypeError('secret of a log line')
    }
    const { service, said } = alertBed({ alerting })
    service.judged(minuteBatch(T, 100, 3))
    service.judged(minuteBatch(T, 100, 3))
    expect(said).toEqual([expect.stringMatching(/^looking for incidents has failed: TypeError at /)])
    expect(said[0]).not.toContain('secret')
    expect(service.facts.failed).toBe(2)
  })
})

describe('when minutes are judged', () => {
  test('once each, and never back', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting })
    service.passed(T + 70_000, T + 80_000)
    service.passed(T + 75_000, T + 80_000)
    service.passed(T - HOUR_MS, T + 85_000)
    service.passed(Number.POSITIVE_INFINITY, T + 140_000)
    expect(alerting.advanced).toEqual([T + 60_000, T + 130_000])
  })

  test('of what has an end all together, when everything was read', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting, pace: 'end' })
    service.judged(minuteBatch(T, 100, 3))
    service.passed(Number.POSITIVE_INFINITY, T + HOUR_MS)
    service.finish(T + HOUR_MS)
    expect(alerting.advanced).toEqual([])
    service.ended()
    service.finish(T + HOUR_MS)
    expect(alerting.advanced).toEqual([T + MINUTE_MS])
  })

  test('a line from the future does not move the end of a log', () => {
    const alerting = new Counting()
    const { service } = alertBed({ alerting, pace: 'end' })
    service.judged(minuteBatch(T, 100, 3))
    service.judged(minuteBatch(T + 48 * HOUR_MS, 1, 0))
    service.ended()
    service.finish(T + HOUR_MS)
    expect(alerting.advanced).toEqual([T + HOUR_MS + 2 * MINUTE_MS])
  })
})

describe('who is told', () => {
  /** Two quiet hours, then ten minutes of failures, read at full speed. */
  function spike(bed: ReturnType<typeof alertBed>, nowMs: number): void {
    for (let minute = 0; minute < 130; minute++) {
      bed.service.judged(minuteBatch(T + minute * MINUTE_MS, 300, minute < 120 ? minute % 2 : 40))
      bed.service.passed(T + (minute + 1) * MINUTE_MS, nowMs)
    }
  }

  test('nobody of what is older than 20 minutes: it is found and stored; and all that is open when it is current', () => {
    const bed = alertBed()
    const nowMs = T + 6 * HOUR_MS
    spike(bed, nowMs)
    expect([...bed.stored.values()]).toMatchObject([{ state: 'open', cause: CAUSE, upstream: UPSTREAM }])
    expect(bed.told).toEqual([])
    expect(bed.service.facts).toMatchObject({ isCurrent: false, opened: new Map([[CAUSE, 1]]) })
    // The clock of the wall was an hour wrong, say: the same record time is now.
    bed.service.passed(Number.POSITIVE_INFINITY, T + 131 * MINUTE_MS)
    expect(bed.told.at(-1)).toMatchObject([{ head: { state: 'open', cause: CAUSE } }])
  })

  test('nobody while the beginning is read again, and everybody when it has come to the present', () => {
    const bed = alertBed({ readsAgain: true, fromMs: T })
    const nowMs = T + 133 * MINUTE_MS
    for (let minute = 0; minute < 129; minute++) {
      bed.service.judged(minuteBatch(T + minute * MINUTE_MS, 300, minute < 120 ? minute % 2 : 40))
      bed.service.passed(T + (minute + 1) * MINUTE_MS, nowMs)
    }
    expect(bed.told).toEqual([])
    expect(bed.stored.size).toBe(0)
    bed.service.judged(minuteBatch(T + 130 * MINUTE_MS, 300, 40))
    bed.service.passed(Number.POSITIVE_INFINITY, nowMs)
    expect(bed.told.at(-1)).toMatchObject([{ head: { state: 'open', cause: CAUSE } }])
    expect(bed.stored.size).toBe(1)
  })

  test('when reading falls behind by more than that, that is said', () => {
    const bed = alertBed()
    bed.service.passed(Number.POSITIVE_INFINITY, T)
    expect(bed.service.facts.isCurrent).toBe(true)
    bed.service.passed(T, T + 21 * MINUTE_MS)
    expect(bed.said).toEqual([expect.stringContaining('older than 20 minutes')])
    expect(bed.service.facts.isCurrent).toBe(false)
  })
})

describe('when the source was away', () => {
  /** Seven hours of traffic that is read as it comes; `failures` in each minute of the last ten. */
  function until(minutes: number, failures: number) {
    const bed = alertBed()
    for (let minute = -420; minute < minutes; minute++) {
      const atMs = T + minute * MINUTE_MS
      bed.service.judged(minuteBatch(atMs, 500, minute >= 0 ? failures : 0))
      bed.service.passed(Number.POSITIVE_INFINITY, atMs + MINUTE_MS)
    }
    return bed
  }

  test('twelve minutes later it stands at its end, and shippers bring them only then: no service was silent', () => {
    const bed = until(0, 0)
    bed.service.passed(Number.NEGATIVE_INFINITY, T + 6 * MINUTE_MS)
    for (let second = 0; second < 600; second += 10) {
      if (second === 60)
        for (let minute = 0; minute < 13; minute++) bed.service.judged(minuteBatch(T + minute * MINUTE_MS, 500, 0))
      const nowMs = T + 12 * MINUTE_MS + second * 1_000
      if (second > 60 && second % 60 === 0) bed.service.judged(minuteBatch(nowMs - MINUTE_MS, 500, 0))
      bed.service.passed(Number.POSITIVE_INFINITY, nowMs)
    }
    expect([...bed.stored.values()]).toEqual([])
    expect(bed.service.facts.clockMs).toBe(T + 22 * MINUTE_MS - 20_000)
  })

  test('a service that nobody asks for even then was silent', () => {
    const bed = until(0, 0)
    for (let second = 0; second <= 180; second += 10)
      bed.service.passed(Number.POSITIVE_INFINITY, T + (720 + second) * 1_000)
    expect([...bed.stored.values()]).toMatchObject([{ cause: 'no_requests', state: 'open' }])
  })

  test('what is open does not end meanwhile', () => {
    const bed = until(10, 40)
    for (let second = 0; second < 180; second += 10)
      bed.service.passed(Number.POSITIVE_INFINITY, T + (17 * 60 + second) * 1_000)
    for (let minute = 10; minute < 20; minute++) bed.service.judged(minuteBatch(T + minute * MINUTE_MS, 500, 40))
    bed.service.passed(Number.POSITIVE_INFINITY, T + 20 * MINUTE_MS)
    bed.service.passed(Number.POSITIVE_INFINITY, T + 21 * MINUTE_MS)
    expect([...bed.stored.values()]).toMatchObject([{ state: 'open', continued: 0, failures: 800 }])
  })
})

describe('history', () => {
  const minutes = fc.array(fc.record({ requests: fc.nat(50), failures: fc.nat(5) }), { minLength: 1, maxLength: 120 })

  test('ends where counting begins: no minute twice, none missing, whenever the store answers', () =>
    fc.assert(
      fc.asyncProperty(
        minutes,
        fc.nat(),
        fc.nat(),
        fc.constantFrom<'topic' | 'files'>('topic', 'files'),
        async (list, cut, late, source) => {
          const all = list.map((counts, i) => ({ minuteMs: T + i * MINUTE_MS, ...counts }))
          const seam = cut % (list.length + 1)
          const answers = seam + (late % (list.length - seam + 1))
          const seamMs = T + seam * MINUTE_MS
          const alerting = new Counting()
          const fresh = new Counting()
          const fromMs = source === 'topic' ? seamMs : Number.NEGATIVE_INFINITY
          const { service, said } = alertBed({ alerting, fromMs })
          let isAway = answers > seam
          let stored = all.slice(0, seam)
          let ask = (): void => {}
          const start = new AlertStart({
            service,
            openFresh: () => fresh,
            openReader: async () => {
              if (isAway) throw new Error('away')
              return storedMinutes(stored)
            },
            readTopic: null,
            until: source === 'topic' ? fromMs : 'now',
            nowMs: () => seamMs,
            say: text => void said.push(text),
            wait: (ms, signal) =>
              new Promise(resolve => {
                signal.addEventListener('abort', () => resolve())
                if (ms === 30_000) ask = resolve
              })
          })
          await start.begin()
          // A topic is read from before the seam on; files go on behind what was stored.
          for (const { minuteMs, requests, failures } of all.slice(source === 'topic' ? 0 : seam, answers))
            service.judged(minuteBatch(minuteMs, requests, failures))
          // The worker goes on storing meanwhile.
          stored = all.slice(0, answers)
          if (isAway) {
            isAway = false
            ask()
            for (let turn = 0; turn < 500 && service.takesHistory; turn++) await new Promise(setImmediate)
          }
          for (const { minuteMs, requests, failures } of all.slice(answers))
            service.judged(minuteBatch(minuteMs, requests, failures))
          start.stop()
          const counted = (counts: Map<number, number>) =>
            [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
          const want = (name: 'requests' | 'failures') =>
            all
              .filter(row => row[name] > 0)
              .map(row => [row.minuteMs, row[name]] as [number, number])
              .sort(([a], [b]) => a - b)
          expect(counted(fresh.requests)).toEqual(want('requests'))
          expect(counted(fresh.failures)).toEqual(want('failures'))
        }
      )
    ))

  test('is judged no further than it goes: what lies behind was not read yet', async () => {
    const alerting = new Counting()
    const list = [0, 1, 2, 90].map(minute => ({ minuteMs: T + minute * MINUTE_MS, requests: 5, failures: 0 }))
    expect(await tellHistory(storedMinutes(list), alerting, { fromMs: T - HOUR_MS, toMs: T + 3 * HOUR_MS })).toBe(T)
    expect(Math.max(...alerting.advanced)).toBe(T + 90 * MINUTE_MS)
    expect(alerting.advanced).toEqual([...alerting.advanced].sort((a, b) => a - b))
  })

  test('without a store incidents of the topic go on', async () => {
    const alerting = new Counting()
    const { service, said } = alertBed({ alerting })
    const open = { id: 'inc-1', updatedMs: T, state: 'open' } as Incident
    const start = new AlertStart({
      service,
      openFresh: freshAlerting,
      openReader: () => Promise.reject(new Error('no answer of 127.0.0.1:9200')),
      readTopic: async () => [open],
      until: T,
      nowMs: () => T,
      say: text => void said.push(text),
      wait: (_ms, signal) => new Promise(resolve => signal.addEventListener('abort', () => resolve()))
    })
    await start.begin()
    expect(alerting.adopted).toEqual([open])
    expect(said).toEqual([
      'alerts begin without what is stored of the last day, it is asked for again: no answer of 127.0.0.1:9200'
    ])
    start.stop()
  })

  test('of an incident that several places keep the newest version counts', () => {
    const version = (id: string, updatedMs: number) => ({ id, updatedMs }) as Incident
    expect(newestOf([version('a', 1), version('b', 5)], [version('a', 2), version('b', 4), version('c', 1)])).toEqual([
      version('a', 2),
      version('b', 5),
      version('c', 1)
    ])
  })

  test('a journal that is too large gives up, and says so', () => {
    const journal = new AlertJournal(2)
    journal.add('a', '', T, 1)
    journal.add('a', '', T, 1)
    journal.add('a\nb', CAUSE, T + MINUTE_MS, 2)
    const counting = new Counting()
    journal.tell(counting)
    expect([...counting.requests]).toEqual([[T, 2]])
    expect([...counting.failures]).toEqual([[T + MINUTE_MS, 2]])
    expect(journal.isFull).toBe(false)
    journal.add('c', '', T, 1)
    expect(journal.isFull).toBe(true)
  })
})
