/** What the store remembers of streams: a file that is forgotten while it still matches is counted twice. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { START } from '../../../src/checkpoint.ts'
import { DONE_STREAMS_MAX } from '../../../src/source/source.ts'
import { StreamStates } from '../../../src/store/embedded/streamStates.ts'
import { folder, follow, lines, useLogFolder } from '../../source/logFolder.ts'

useLogFolder()

test('a second start reads nothing of 1,300 finished files', async () => {
  // Batches of files: not all can be open at once.
  const paths = Array.from({ length: 1_300 }, (_, i) => join(folder.path, `${i}.log`))
  for (const [i, path] of paths.entries()) writeFileSync(path, lines(`f${i}`, 1))
  const remembered = new StreamStates()
  for (let from = 0; from < paths.length; from += 650) {
    const run = follow(paths.slice(from, from + 650), remembered.all(), { follow: false })
    await run.settle()
    remembered.apply(run.states())
  }
  const again = follow(join(folder.path, '*.log'), remembered.all(), { follow: false })
  await again.settle()
  expect(again.lines).toEqual([])
  expect(again.isOver).toBe(true)
})

test('what is done longest is forgotten beyond the limit, what is not done never', () => {
  const states = new StreamStates()
  const state = (stream: string, isDone: boolean) => ({ stream, place: {}, read: START, isDone })
  states.apply([state('read', false), state('oldest', true)])
  states.apply(Array.from({ length: DONE_STREAMS_MAX }, (_, i) => state(`${i}`, true)))
  const known = states.all().map(({ stream }) => stream)
  expect(known).toHaveLength(DONE_STREAMS_MAX + 1)
  expect(known.slice(0, 2)).toEqual(['read', '0'])
})
