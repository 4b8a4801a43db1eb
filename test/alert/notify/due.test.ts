import { describe, expect, test } from 'vitest'
import type { IncidentSeverity, ToldMark } from '../../../src/alert/incident.ts'
import { severityOfGroup } from '../../../src/alert/noticeText.ts'
import { dueOf, subjectsOf } from '../../../src/alert/notify/due.ts'
import { incident, START_MS, single } from './incidents.ts'

const HOUR_MS = 3_600_000
const NOW_MS = START_MS + 2 * HOUR_MS

const open = (minutesAgo: number, failures = 10): ToldMark => ({
  state: 'open',
  atMs: NOW_MS - minutesAgo * 60_000,
  failures
})
const resolved = (minutesAgo: number, failures = 10): ToldMark => ({ ...open(minutesAgo, failures), state: 'resolved' })

describe('what is due', () => {
  test.each([
    // name                                  mark               failures  ended, minutes ago   due
    ['open, never told', null, 10, null, 'open'],
    ['open, told just now', open(1), 10, null, null],
    ['open, nearly twice as bad', open(1), 19, null, null],
    ['open, twice as bad', open(1), 20, null, 'update'],
    ['open, told an hour ago', open(60), 10, null, 'update'],
    ['open, told 59 minutes ago', open(59), 10, null, null],
    ['open, told in the future: a clock was set back', open(-30), 10, null, null],
    ['open without failures: none come any more', open(59, 0), 0, null, null],
    ['over, told as open', open(5), 10, 3, 'resolved'],
    ['over for days, told as open', open(5_000), 10, 4_900, 'resolved'],
    ['over, told so', resolved(1), 10, 3, null],
    ['over, never told', null, 10, 3, 'resolved'],
    ['over for an hour, never told', null, 10, 60, null],
    ['begins again, told as over', resolved(10), 12, null, null],
    ['begins again and gets twice as bad', resolved(10), 20, null, 'update'],
    ['begins again, told as over an hour ago', resolved(60), 10, null, 'update'],
    ['over again, of which nobody knew', resolved(10), 12, 1, null]
  ] as const)('%s', (_name, mark, failures, endedMinutesAgo, due) => {
    const endMs = endedMinutesAgo === null ? null : NOW_MS - endedMinutesAgo * 60_000
    const head = incident('inc-1', {
      failures,
      state: endMs === null ? 'open' : 'resolved',
      endMs,
      told: mark === null ? {} : { slack: mark }
    })
    expect(dueOf(single(head), 'slack', NOW_MS)).toBe(due)
  })

  test.each([
    // name                                     told as             is now    failures  due
    ['a ticket has become a page', open(1), { severity: 'ticket' }, 'page', 10, 'update'],
    ['the page it was told as', open(1), { severity: 'page' }, 'page', 10, null],
    ['a page that is a ticket now', open(1), { severity: 'page' }, 'ticket', 10, null],
    ['begins again, as a page this time', resolved(10), { severity: 'ticket' }, 'page', 12, 'update'],
    ['told by a version that kept no severity', open(1), {}, 'page', 10, null]
  ] as const)('%s', (_name, mark, before, severity, failures, due) => {
    const head = incident('inc-1', { severity, failures, told: { slack: { ...mark, ...before } } })
    expect(dueOf(single(head), 'slack', NOW_MS)).toBe(due)
    const member = incident('inc-2', { severity, failures: 0 })
    expect(dueOf({ head: { ...head, severity: 'ticket' }, members: [member] }, 'slack', NOW_MS)).toBe(due)
  })

  test('names of receivers are no keys of prototypes', () => {
    expect(dueOf(single(incident('inc-1')), 'constructor', NOW_MS)).toBe('open')
  })

  test('a group goes on, and is as bad, as its worst', () => {
    const over = { state: 'resolved', endMs: NOW_MS } as const
    const head = incident('inc-1', { ...over, told: { slack: open(5) } })
    const members = [incident('inc-2', { severity: 'ticket' })]
    expect(dueOf({ head, members }, 'slack', NOW_MS)).toBe('update')
    expect(dueOf({ head, members: [incident('inc-2', over)] }, 'slack', NOW_MS)).toBe('resolved')
    const severities = (...words: IncidentSeverity[]) =>
      severityOfGroup({
        head: incident('a', { severity: words[0]! }),
        members: words.slice(1).map(severity => incident('b', { severity }))
      })
    expect([severities('none', 'ticket'), severities('ticket', 'page', 'none'), severities('none')]).toEqual([
      'ticket',
      'page',
      'none'
    ])
  })
})

test('what was told by itself before it came under another is told its end by itself', () => {
  const told = incident('inc-2', { parent: 'inc-1', told: { slack: open(5) } })
  const untold = incident('inc-3', { parent: 'inc-1' })
  const group = { head: incident('inc-1'), members: [told, untold] }
  expect(subjectsOf([group], 'slack').map(({ head, members }) => [head.id, members.length])).toEqual([
    ['inc-1', 2],
    ['inc-2', 0]
  ])
  expect(subjectsOf([group], 'other')).toEqual([group])
})
