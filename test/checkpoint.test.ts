/** Where a restart goes on: what waits, what is open, and what a run that was killed while it caught up still owes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgedAgain, positionOf, ReadFence, type ReadPosition, type ReadProgress, START } from '../src/checkpoint.ts'
import './support/seed.ts'

const nothingBefore = new ReadFence(START)
const at = (byteOffset: number, number: number, isDoubtful = false) => ({ byteOffset, number, isDoubtful })
const progress = (readTo: number, lines: number, more: Partial<ReadProgress> = {}): ReadProgress => ({
  readTo,
  lines,
  zoneMs: null,
  newestMs: Number.NEGATIVE_INFINITY,
  open: [],
  context: [],
  ...more
})

describe('the first run', () => {
  test('nothing waits: it goes on behind the last whole line', () => {
    expect(positionOf(progress(900, 9), [], nothingBefore)).toEqual({
      ...START,
      readTo: 900,
      lines: 9,
      from: 900,
      fromLine: 9
    })
  })

  test('it begins at the lowest line that waits, and knows its number', () => {
    const position = positionOf(progress(900, 9), [at(500, 6, true), at(300, 4)], nothingBefore)
    expect(position).toMatchObject({ from: 300, fromLine: 3, held: [300, 500], doubtful: [500], open: [] })
  })

  test('a line whose end has not come is counted when it is whole', () => {
    const position = positionOf(progress(900, 9, { open: [at(800, 9)] }), [at(850, 9)], nothingBefore)
    expect(position).toMatchObject({ from: 800, fromLine: 8, held: [850], open: [800] })
    const fence = new ReadFence(position)
    expect([800, 850, 700, 900].map(offset => [fence.isCounted(offset), fence.isDone(offset)])).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [false, false]
    ])
  })

  test('what lines to come may refer to is read again when it is near', () => {
    expect(positionOf(progress(900, 9, { context: [at(100, 2)] }), [], nothingBefore).from).toBe(100)
    const far = progress(9_000_000, 90_000, { context: [at(100, 2)] })
    expect(positionOf(far, [], nothingBefore).from).toBe(9_000_000)
  })
})

describe('a run that is killed before it has caught up', () => {
  const before: ReadPosition = {
    ...START,
    readTo: 900,
    lines: 9,
    from: 100,
    fromLine: 1,
    held: [100, 400, 700],
    open: [800]
  }

  test('owes what it has not read again', () => {
    const position = positionOf(progress(500, 5), [at(100, 2), at(400, 5)], new ReadFence(before))
    expect(position).toMatchObject({ readTo: 900, lines: 9, from: 100, held: [100, 400, 700], open: [800] })
  })

  test('and nothing more: what it has joined by now is done', () => {
    const position = positionOf(progress(500, 5), [at(400, 5)], new ReadFence(before))
    expect(position).toMatchObject({ from: 400, fromLine: 4, held: [400, 700], open: [800] })
  })

  test('a line that was told before and looks open now is held, not counted again', () => {
    const position = positionOf(progress(750, 8, { open: [at(700, 8)] }), [], new ReadFence(before))
    expect(position).toMatchObject({ from: 700, held: [700], open: [800] })
  })

  test('beyond the fence nothing of it is left', () => {
    const position = positionOf(progress(1_000, 10), [at(950, 10)], new ReadFence(before))
    expect(position).toMatchObject({ readTo: 1_000, from: 950, held: [950], open: [] })
  })
})

test('judged again: everything is told, nothing is counted that was', () => {
  const fence = new ReadFence(judgedAgain({ ...START, readTo: 900, lines: 9, from: 900, fromLine: 9 }))
  expect(fence.position).toMatchObject({ from: 0, fromLine: 0 })
  expect([fence.isCounted(300), fence.isDone(300), fence.isCounted(900)]).toEqual([true, false, false])
})

test('whatever waits: the begin is never behind a line that is needed, and every list is in order', () => {
  const line = fc.record({ byteOffset: fc.nat(1_000), number: fc.nat(100), isDoubtful: fc.boolean() })
  fc.assert(
    fc.property(fc.array(line), fc.array(line), fc.nat(1_000), fc.nat(1_000), (waiting, open, readTo, fenceAt) => {
      const told = waiting.filter(({ byteOffset }) => byteOffset < readTo)
      const untold = open.filter(({ byteOffset }) => byteOffset < readTo)
      const fence = new ReadFence({ ...START, readTo: fenceAt, held: [fenceAt >> 1], from: fenceAt >> 1 })
      const position = positionOf(progress(readTo, 100, { open: untold }), told, fence)
      const held = position.held as number[]
      expect(position.readTo).toBe(Math.max(readTo, fenceAt))
      for (const offset of [...held, ...position.open]) expect(position.from).toBeLessThanOrEqual(offset)
      for (const list of [held, position.open, position.doubtful])
        expect(list).toEqual([...new Set(list)].sort((a, b) => a - b))
      for (const offset of position.doubtful) expect(held).toContain(offset)
      for (const { byteOffset } of told) expect(held).toContain(byteOffset)
    })
  )
})
