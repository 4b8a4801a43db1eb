import { expect, test } from 'vitest'
import { type ReadPosition, START } from '../../../src/checkpoint.ts'
import { lostText, startPoint } from '../../../src/source/kafka/startPoint.ts'
import type { StreamState } from '../../../src/source/source.ts'

const MARKS = { low: 100, high: 1_000 }
const RUNS = { some: 'runs' }
const READ: ReadPosition = {
  ...START,
  from: 500,
  fromLine: 400,
  readTo: 520,
  lines: 420,
  held: [500, 510],
  doubtful: [510],
  open: [515],
  newestMs: 7
}

/** `committed`: what was committed when it was written. */
function state(committed: number | null, read: Partial<ReadPosition> = {}): StreamState {
  const place = { topic: 'lines', partition: 0, runs: RUNS, committed, generation: 1 }
  return { stream: 'workers/lines/0', place, read: { ...READ, ...read }, isDone: false }
}

function begun(offset: number): ReadPosition {
  return { ...START, readTo: offset, from: offset }
}

test.each([
  // name, what the store knows, what the group has committed, the offset, the position, the runs, what is lost
  ['nothing is known', null, null, 100, begun(100), null, null],
  ['only a commit is known', null, 300, 300, begun(300), null, null],
  ['state and commit agree', state(480), 500, 500, READ, RUNS, null],
  ['the last commit is missing', state(480), 490, 500, READ, RUNS, null],
  ['the last commits are missing', state(480), 480, 500, READ, RUNS, null],
  ['nothing was ever committed', state(null), null, 500, READ, RUNS, null],
  ['the group forgot its commits', state(480), null, 500, READ, RUNS, null],
  ['the first commit after the state', state(null), 500, 500, READ, RUNS, null],
  ['a state that begins before what it knew to be committed', state(510), 510, 500, READ, RUNS, null],
  ['a commit behind where a late chunk let it begin', state(480), 510, 500, READ, RUNS, null],
  ['a state that begins before what was committed since', state(480), 515, 500, READ, RUNS, null],
  ['an operator moved on', state(480), 700, 700, begun(700), null, null],
  [
    'an operator moved back',
    state(480),
    450,
    450,
    { ...READ, from: 450, fromLine: 350, held: 'all', doubtful: [], newestMs: null },
    RUNS,
    null
  ],
  ['a commit that has expired', null, 40, 100, begun(100), null, { from: 40, to: 100 }],
  ['a state that has expired', state(40, { from: 40, readTo: 60 }), 40, 100, begun(100), RUNS, { from: 40, to: 100 }],
  [
    'a state that has expired in part',
    state(40, { from: 90, readTo: 120, fromLine: 80, lines: 110, held: [90, 105], doubtful: [90], open: [95, 118] }),
    90,
    100,
    { ...READ, from: 100, readTo: 120, fromLine: 90, lines: 110, held: [105], doubtful: [], open: [118] },
    RUNS,
    { from: 90, to: 100 }
  ],
  [
    'a topic made anew',
    state(1_480, { from: 1_500, readTo: 1_500 }),
    1_500,
    100,
    begun(100),
    null,
    { from: 1_500, to: null }
  ],
  ['the very end', null, 1_000, 1_000, begun(1_000), null, null]
])('%s', (_name, known, committed, offset, resume, runs, lost) => {
  expect(startPoint({ state: known, committed }, MARKS)).toEqual({ offset, resume, runs, lost })
})

test('a topic from its very beginning resumes nothing', () => {
  expect(startPoint({ state: null, committed: null }, { low: 0, high: 0 }).resume).toBe(null)
})

test('a loss is told with its size', () => {
  expect(lostText('lines/0', { from: 40, to: 100 })).toContain('60 offsets, from 40 on')
  expect(lostText('lines/0', { from: 40, to: null })).toContain('made anew')
})
