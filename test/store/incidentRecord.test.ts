/** What is read of an incident that lies in a store. */
import { expect, test } from 'vitest'
import { INCIDENT_SCHEMA } from '../../src/store/incidentLine.ts'
import { incidentOf } from '../../src/store/incidentRecord.ts'
import { incident } from '../support/incidents.ts'

test.each([
  ['of former versions: no severity', {}, true],
  ['with the severity it was told with', { severity: 'ticket' }, true],
  ['with one that there is not', { severity: 'loud' }, false],
  ['with null', { severity: null }, false]
])('a mark %s', (_name, fields, isRead) => {
  const stored = { ...incident(), told: { slack: { state: 'open', atMs: 1, failures: 2, ...fields } } }
  expect(incidentOf(INCIDENT_SCHEMA, stored)).toEqual(isRead ? stored : null)
})
