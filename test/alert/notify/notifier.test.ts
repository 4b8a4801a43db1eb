/** Who is told what, when: on a scripted clock, with receivers that fail as they are told. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/alert/incident.ts'
import { Notifier, type NotifierOptions } from '../../../src/alert/notify/notifier.ts'
import { incident, noticeOf, START_MS, single } from './incidents.ts'
import { ScriptedClock } from './scriptedClock.ts'
import { AWAY, ScriptedReceiver, TAKEN } from './scriptedReceiver.ts'

const MINUTE_MS = 60_000
let time: ScriptedClock
let webhook: ScriptedReceiver
let alertmanager: ScriptedReceiver
let stored: { id: string; told: string }[]
let said: string[]

beforeEach(() => {
  time = new ScriptedClock(START_MS)
  webhook = new ScriptedReceiver('webhook', time.clock)
  alertmanager = new ScriptedReceiver('alertmanager', time.clock, MINUTE_MS)
  stored = []
  said = []
})

function start(receivers = [webhook, alertmanager], options: Partial<NotifierOptions> = {}): Notifier {
  const say = (message: string, { receiver, why }: Record<string, unknown> = {}) =>
    void said.push(`${String(receiver)}: ${message}${typeof why === 'string' ? ` (${why})` : ''}`)
  return new Notifier({
    receivers,
    noticeOf,
    onTold: ({ id, told }) =>
      void stored.push({
        id,
        told: Object.entries(told)
          .map(([name, { state }]) => `${name} ${state}`)
          .join(', ')
      }),
    log: { error: say, warn: say, info: say, debug: say },
    clock: time.clock,
    wait: time.wait,
    random: () => 0.5,
    ...options
  })
}

function over(one: Incident): Incident {
  return { ...one, state: 'resolved', endMs: time.nowMs, updatedMs: time.nowMs }
}

describe('an incident', () => {
  test('is told once, and once that it is over; every mark is stored', async () => {
    const notifier = start()
    const one = incident('inc-1')
    for (let minute = 0; minute < 5; minute++) {
      notifier.tell([single(one)])
      await time.advance(MINUTE_MS)
    }
    one.state = 'resolved'
    one.endMs = time.nowMs
    for (let minute = 0; minute < 5; minute++) {
      notifier.tell([single(one)])
      await time.advance(MINUTE_MS)
    }
    expect(webhook.told).toEqual(['inc-1 open', 'inc-1 resolved'])
    // Alertmanager forgets what is not repeated: every minute, and its end once.
    expect(alertmanager.told).toEqual([...Array(6).fill('inc-1 open'), 'inc-1 resolved'])
    expect(stored.map(({ told }) => told)).toEqual([
      'webhook open',
      'webhook open, alertmanager open',
      'webhook resolved, alertmanager open',
      'webhook resolved, alertmanager resolved'
    ])
    expect(notifier.facts.receivers.map(({ name, sent, pending }) => [name, sent, pending])).toEqual([
      ['webhook', { open: 1, update: 0, resolved: 1, repeat: 0 }, 0],
      ['alertmanager', { open: 1, update: 0, resolved: 1, repeat: 5 }, 0]
    ])
    await notifier.close()
    expect(webhook.isClosed).toBe(true)
  })

  test('is repeated to an Alertmanager also while nothing new is told: the way to us may be cut', async () => {
    const notifier = start([alertmanager])
    notifier.tell([single(incident('inc-1'))])
    await time.advance(10 * MINUTE_MS)
    expect(alertmanager.taken.map(({ atMs }) => (atMs - START_MS) / MINUTE_MS)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    ])
    await notifier.close()
  })

  test('that a former process has told is repeated from the first word on, as what it was', async () => {
    const mark = { state: 'open', atMs: START_MS - 3 * MINUTE_MS, failures: 10, severity: 'page' } as const
    const told = { webhook: { ...mark }, alertmanager: { ...mark } }
    const notifier = start()
    // As it was loaded: nothing has been counted since.
    notifier.tell([single(incident('inc-1', { told }))])
    await time.settle()
    expect(alertmanager.taken).toEqual([{ key: 'inc-1', kind: 'open', failures: 10, atMs: START_MS }])
    await time.advance(3 * MINUTE_MS)
    expect(alertmanager.told).toHaveLength(4)
    expect([webhook.told, stored]).toEqual([[], []])
    await notifier.close()
  })

  test.each([0.5, 30])('is repeated every minute or two when the clock is set back by %d minutes', async minutes => {
    const notifier = start([alertmanager])
    notifier.tell([single(incident('inc-1'))])
    await time.advance(5 * MINUTE_MS)
    alertmanager.taken.length = 0
    time.setBack(minutes * MINUTE_MS)
    const setMs = time.nowMs
    await time.advance(5 * MINUTE_MS)
    const moments = [setMs, ...alertmanager.taken.map(({ atMs }) => atMs), time.nowMs]
    const gaps = moments.slice(1).map((atMs, i) => atMs - moments[i]!)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * MINUTE_MS)
    expect(alertmanager.taken.length).toBeGreaterThanOrEqual(4)
    await notifier.close()
  })

  test('that a receiver did not take is tried again soon also when the clock is set back meanwhile', async () => {
    webhook.answer = () => AWAY
    const notifier = start([webhook])
    notifier.tell([single(incident('inc-1'))])
    await time.settle()
    webhook.answer = () => TAKEN
    time.setBack(30 * MINUTE_MS)
    await time.advance(MINUTE_MS)
    expect(webhook.told).toEqual(['inc-1 open'])
    await notifier.close()
  })

  test('that begins again within half an hour calls nobody until it is twice as bad', async () => {
    const notifier = start()
    const told = { state: 'resolved', atMs: START_MS - 10 * MINUTE_MS, failures: 10 } as const
    const one = incident('inc-1', { failures: 12, told: { webhook: { ...told }, alertmanager: { ...told } } })
    notifier.tell([single(one)])
    await time.advance(5 * MINUTE_MS)
    expect([webhook.told, alertmanager.told]).toEqual([[], []])
    one.failures = 25
    notifier.tell([single(one)])
    await time.advance(MINUTE_MS / 2)
    expect([webhook.told, alertmanager.told]).toEqual([['inc-1 update'], ['inc-1 update']])
    await notifier.close()
  })

  test('that becomes a page is told so at once, and once', async () => {
    const notifier = start()
    const one = incident('inc-1', { severity: 'ticket', failures: 200, masked: 200 })
    notifier.tell([single(one)])
    await time.advance(10 * MINUTE_MS)
    one.severity = 'page'
    one.failures = 240
    notifier.tell([single(one)])
    await time.settle()
    expect(webhook.told).toEqual(['inc-1 open', 'inc-1 update'])
    expect(one.told.webhook).toMatchObject({ state: 'open', failures: 240, severity: 'page' })
    await time.advance(10 * MINUTE_MS)
    expect(webhook.told).toEqual(['inc-1 open', 'inc-1 update'])
    await notifier.close()
  })

  test('of severity none is told to nobody, one that a webhook does not want not to it', async () => {
    webhook.severities = ['page']
    const notifier = start()
    notifier.tell([single(incident('inc-1', { severity: 'none' })), single(incident('inc-2', { severity: 'ticket' }))])
    await time.settle()
    expect([webhook.told, alertmanager.told]).toEqual([[], ['inc-2 open']])
    await notifier.close()
  })

  test('is marked where it is kept now, not where it was when the message left', async () => {
    let open = (): void => {}
    webhook.answer = () => new Promise(resolve => (open = () => resolve(TAKEN)))
    const notifier = start([webhook])
    notifier.tell([single(incident('inc-1'))])
    await time.settle()
    const copy = incident('inc-1', { failures: 15 })
    notifier.tell([single(copy)])
    open()
    await time.settle()
    // Marked with what was said, so that doubling counts from there.
    expect(copy.told.webhook).toMatchObject({ state: 'open', failures: 10 })
    notifier.tell([single(incident('inc-1', { failures: 16 }))])
    await time.settle()
    expect(webhook.told).toEqual(['inc-1 open'])
    await notifier.close()
  })
})

describe('a receiver that is away for 20 minutes', () => {
  test('is told of each incident once, as it is then', async () => {
    webhook.answer = () => AWAY
    const notifier = start([webhook])
    const incidents = Array.from({ length: 40 }, (_, i) => incident(`inc-${i}`))
    for (let minute = 0; minute < 20; minute++) {
      for (const one of incidents) one.failures += 10
      notifier.tell(incidents.map(single))
      await time.advance(MINUTE_MS)
    }
    for (const one of incidents.slice(0, 10)) {
      one.state = 'resolved'
      one.endMs = time.nowMs
    }
    // No storm of tries either: at most one a minute once it has been away for a while.
    expect(webhook.tries.length).toBeLessThan(50)
    expect(notifier.pending('webhook')).toBe(40)
    webhook.answer = () => TAKEN
    notifier.tell(incidents.map(single))
    await time.advance(MINUTE_MS)
    expect(webhook.taken.length).toBeLessThanOrEqual(40)
    const firstMinute = webhook.taken.filter(({ atMs }) => atMs < webhook.taken[0]!.atMs + MINUTE_MS).length
    expect(firstMinute).toBeLessThanOrEqual(20)
    await time.advance(3 * MINUTE_MS)
    expect(new Set(webhook.told).size).toBe(40)
    expect(webhook.told).toHaveLength(40)
    expect(webhook.told.filter(told => told.endsWith('resolved'))).toHaveLength(10)
    expect(webhook.taken.every(({ failures }) => failures === 210)).toBe(true)
    expect(said).toEqual([
      'webhook: a receiver does not take alerts; they are tried again (refuses connections)',
      'webhook: a receiver takes alerts again'
    ])
    await notifier.close()
  })

  test('learns of an end that came meanwhile, also when it is listed no more, also after a restart', async () => {
    const first = start([webhook])
    const one = incident('inc-1')
    first.tell([single(one)])
    await time.settle()
    webhook.answer = () => AWAY
    // Two hours of sleep: when it is looked at again it is over, and not among those that ended lately.
    first.tell([])
    await time.advance(120 * MINUTE_MS)
    expect(webhook.told).toEqual(['inc-1 open'])
    await first.close()
    webhook.answer = () => TAKEN
    const second = start([webhook])
    second.tell([single(over(one))])
    await time.settle()
    expect(webhook.told).toEqual(['inc-1 open', 'inc-1 resolved'])
    await second.close()

    const third = start([webhook])
    third.tell([single(incident('inc-2'))])
    await time.settle()
    webhook.answer = () => AWAY
    third.tell([])
    await time.advance(180 * MINUTE_MS)
    webhook.answer = () => TAKEN
    await time.advance(2 * MINUTE_MS)
    expect(webhook.told.slice(2)).toEqual(['inc-2 open', 'inc-2 resolved'])
    third.tell([])
    expect(third.pending()).toBe(0)
    await third.close()
  })

  test('a try again has the same key, the next message another', async () => {
    webhook.answer = () => AWAY
    const notifier = start([webhook])
    const one = incident('inc-1')
    notifier.tell([single(one)])
    await time.advance(5 * MINUTE_MS)
    webhook.answer = () => TAKEN
    await time.advance(MINUTE_MS)
    one.failures = 100
    notifier.tell([single(one)])
    await time.settle()
    one.failures = 1_000
    notifier.tell([single(one)])
    await time.settle()
    const keys = [...new Set(webhook.tries.map(({ idempotencyKey }) => idempotencyKey))]
    expect(webhook.tries.length).toBeGreaterThan(5)
    expect(keys).toEqual([
      'inc-1:open:0',
      `inc-1:update:${webhook.taken[0]!.atMs}`,
      // Both in one scripted moment: the newer mark is the later one all the same.
      `inc-1:update:${webhook.taken[1]!.atMs}`
    ])
    await notifier.close()
  })
})

describe('receivers fail each in its own way', () => {
  test('one that hangs delays nobody', async () => {
    webhook.answer = (_notices, signal) =>
      new Promise(resolve => signal.addEventListener('abort', () => resolve(AWAY), { once: true }))
    const notifier = start()
    notifier.tell([single(incident('inc-1'))])
    await time.advance(3 * MINUTE_MS)
    expect(alertmanager.told).toHaveLength(4)
    expect(notifier.pending('webhook')).toBe(1)
    const closed = notifier.close()
    await time.advance(5_000)
    await closed
    expect(webhook.isClosed).toBe(true)
  })

  test('it waits as long as it is asked to', async () => {
    webhook.answer = () => ({ kind: 'later', why: 'answers 429', afterMs: 300_000 })
    const notifier = start([webhook])
    notifier.tell([single(incident('inc-1'))])
    await time.advance(299_000)
    notifier.tell([single(incident('inc-1')), single(incident('inc-2'))])
    await time.settle()
    expect(webhook.tries).toHaveLength(1)
    await time.advance(1_000)
    expect(webhook.tries).toHaveLength(2)
    await notifier.close()
    expect(webhook.tries).toHaveLength(2)
  })

  test('what it refuses is said, counted, and sent again when it has changed', async () => {
    webhook.answer = ([notice]) =>
      notice!.key === 'inc-1' ? { kind: 'refused', why: 'answers 400', status: 400 } : TAKEN
    const notifier = start([webhook])
    const one = incident('inc-1')
    for (let minute = 0; minute < 5; minute++) {
      one.failures *= 3
      notifier.tell([single(one), single(incident('inc-2'))])
      await time.advance(MINUTE_MS)
    }
    expect(webhook.tries.map(({ key }) => key)).toEqual(['inc-1', 'inc-2'])
    expect(said).toEqual(['webhook: a receiver refuses an alert; it is not sent again until it changes (answers 400)'])
    expect(notifier.facts.receivers[0]).toMatchObject({ refused: { open: 1 }, sent: { open: 1 }, pending: 0 })
    webhook.answer = () => TAKEN
    notifier.tell([single(over(one)), single(incident('inc-2'))])
    await time.settle()
    expect(webhook.told).toContain('inc-1 resolved')
    await notifier.close()
  })

  test('one wrong alert among many does not keep the others from an Alertmanager', async () => {
    alertmanager.answer = notices =>
      notices.some(({ key }) => key === 'inc-1') ? { kind: 'refused', why: 'answers 400', status: 400 } : TAKEN
    const notifier = start([alertmanager])
    notifier.tell(['inc-0', 'inc-1', 'inc-2'].map(id => single(incident(id))))
    await time.settle()
    expect(alertmanager.told).toEqual(['inc-0 open', 'inc-2 open'])
    await time.advance(MINUTE_MS)
    expect(alertmanager.told.slice(2)).toEqual(['inc-0 open', 'inc-2 open'])
    await notifier.close()
  })

  test('one message that never works holds up no other', async () => {
    webhook.answer = ([notice]) => (notice!.key === 'inc-0' ? AWAY : TAKEN)
    const notifier = start([webhook])
    notifier.tell(['inc-0', 'inc-1', 'inc-2'].map(id => single(incident(id))))
    await time.advance(MINUTE_MS)
    expect(webhook.told.sort()).toEqual(['inc-1 open', 'inc-2 open'])
    await notifier.close()
  })

  test('an incident of which no notice can be made, a receiver that throws, a store that throws: the others go on', async () => {
    let throws = 1
    webhook.answer = () => {
      if (throws-- > 0) throw new Error('a bug')
      return TAKEN
    }
    const notifier = start([webhook], {
      noticeOf(group, kind) {
        if (group.head.id === 'inc-0') throw new Error('no words')
        return noticeOf(group, kind)
      },
      onTold() {
        throw new Error('full')
      }
    })
    notifier.tell(['inc-0', 'inc-1', 'inc-2'].map(id => single(incident(id))))
    await time.advance(MINUTE_MS)
    expect(webhook.told.sort()).toEqual(['inc-1 open', 'inc-2 open'])
    expect(said).toContainEqual(expect.stringContaining('no notice can be made of it: no words'))
    await notifier.close()
  })
})

test('pages go before tickets, and a flood of incidents comes a few at a time', async () => {
  const notifier = start([webhook], { messagesPerMinute: 3 })
  const groups = [
    ...Array.from({ length: 4 }, (_, i) => single(incident(`ticket-${i}`, { severity: 'ticket' }))),
    ...Array.from({ length: 3 }, (_, i) => single(incident(`page-${i}`)))
  ]
  notifier.tell(groups)
  await time.settle()
  expect(webhook.told).toEqual(['page-0 open', 'page-1 open', 'page-2 open'])
  expect(notifier.pending()).toBe(4)
  await time.advance(MINUTE_MS)
  expect(webhook.told).toHaveLength(6)
  await time.advance(MINUTE_MS)
  expect(webhook.told).toHaveLength(7)
  await notifier.close()
})

test('closing tries once more what is due', async () => {
  webhook.answer = () => AWAY
  const notifier = start([webhook])
  notifier.tell(['inc-0', 'inc-1'].map(id => single(incident(id))))
  await time.advance(10 * MINUTE_MS)
  webhook.answer = () => TAKEN
  await notifier.close()
  expect(webhook.told.sort()).toEqual(['inc-0 open', 'inc-1 open'])
})
