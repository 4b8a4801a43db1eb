import { expect, test } from 'vitest'
import { readRecordFacts, recordFinding } from '../../src/check/clusterRecord.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { MemoryRecord } from '../support/memoryRecord.ts'

const NOW = Date.parse('2026-11-21T10:00:00Z')
const never = () => new Promise<void>(() => {})

function recordOf(...events: ClusterEvent[]): MemoryRecord {
  const record = new MemoryRecord()
  record.events.push(...events.map((event, number) => ({ ...event, writer: 'a', number })))
  return record
}

const list = (at: number): ClusterEvent[] =>
  (['LIST_START', 'LIST_END'] as const).map(type => ({ at, type, kinds: ['Pod'], unreadable: {}, namespaces: null }))
const heartbeat = (at: number): ClusterEvent => ({ at, type: 'HEARTBEAT' })

async function findingOf(record: MemoryRecord, wait: () => Promise<unknown> = never) {
  const reading = readRecordFacts(record, NOW, wait)
  record.tell()
  const facts = await reading
  expect(record.reading.isClosed).toBe(true)
  return recordFinding('kubernetes.topic', 'why5xx.kubernetes', facts, NOW)
}

test('a watch that lives', async () => {
  const record = recordOf(...list(NOW - 1_800_000), heartbeat(NOW - 60_000), heartbeat(NOW - 2_000))
  expect(await findingOf(record)).toMatchObject({
    state: 'ok',
    text: 'why5xx.kubernetes: the watch was heard 2 s ago, the last whole list is of 2026-11-21T09:30:00.000Z'
  })
})

test('one that has fallen silent', async () => {
  const record = recordOf(...list(NOW - 1_800_000), heartbeat(NOW - 600_000))
  expect(await findingOf(record)).toMatchObject({
    state: 'problem',
    text: 'why5xx.kubernetes: the watch was heard 600 s ago for the last time'
  })
})

test('one that never listed anything', async () => {
  expect(await findingOf(recordOf())).toMatchObject({
    state: 'problem',
    text: expect.stringContaining('no whole list')
  })
})

test('no record: a hint, because causes come without it', async () => {
  const record = recordOf()
  record.isMissing = true
  expect(await findingOf(record)).toMatchObject({ state: 'hint', mend: expect.stringContaining('roles=watch') })
})

test('a record that does not come to its end is not waited for', async () => {
  const record = recordOf()
  record.tell = () => {}
  expect(await findingOf(record, async () => {})).toMatchObject({ state: 'problem' })
})
