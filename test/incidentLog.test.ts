import { expect, test } from 'vitest'
import { IncidentLog } from '../src/incidentLog.ts'
import { incident } from './support/incidents.ts'

test('a line for each turn, none for a minute more', () => {
  const log = new IncidentLog()
  const open = incident({ id: 'inc-1', state: 'open', severity: 'ticket', failures: 41, expected: 1.234 })
  const told = (changed: Partial<typeof open>) => [...log.linesOf([{ ...open, ...changed }])]
  expect(told({})).toEqual([
    {
      text: 'incident',
      fields: {
        id: 'inc-1',
        severity: 'ticket',
        upstream: open.upstream,
        cause: open.cause,
        failures: 41,
        expected: 1.23
      }
    }
  ])
  expect(told({ failures: 50 })).toEqual([])
  expect(told({ failures: 60, severity: 'page' })).toMatchObject([
    { text: 'incident goes on', fields: { failures: 60 } }
  ])
  expect(told({ severity: 'page', state: 'resolved' })).toMatchObject([{ text: 'incident is over' }])
  expect(told({ severity: 'page', state: 'resolved' })).toEqual([])
  expect(told({ severity: 'page', continued: 1 })).toMatchObject([{ text: 'incident goes on' }])
})
