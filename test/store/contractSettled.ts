/** What a store does with failures that are judged a second time. */
import { expect, test } from 'vitest'
import { diagnose } from '../../src/diagnose/diagnose.ts'
import { inputOfDocument } from '../../src/failureInput.ts'
import { rejudged } from '../../src/store/rejudged.ts'
import { failureRow } from '../../src/store/store.ts'
import { failure, stateAt } from '../support/settlerBed.ts'
import type { Contract } from './contract.ts'
import { T } from './examples.ts'
import { all, batch, EVERYTHING } from './failures.ts'

export function testSettled({ write, open }: Contract): void {
  const early = failure()
  const diagnosis = diagnose(inputOfDocument(early.document), stateAt(T + 60_000))
  const settled = rejudged(early.document, { isKnown: true, diagnosis }, [])!

  test('a settled failure replaces the first verdict, in every column', async () => {
    await write(
      writer => writer.write(batch({ failures: [early] })),
      writer => writer.write(batch({ failures: [settled] }))
    )
    const reader = await open()
    const { rows } = await reader.search(EVERYTHING, { limit: 9, order: 'oldest', after: null })
    expect(rows).toEqual([{ ...failureRow(settled), document: settled.document }])
    expect(rows).toMatchObject([{ rootCause: 'oom_killed', pod: expect.stringContaining('cart-') as string }])
    expect(await all(reader.scan(EVERYTHING))).toEqual([failureRow(settled)])
  })

  test('a worker that reads its lines again writes nothing over it', async () => {
    await write(
      async writer => {
        await writer.write(batch({ failures: [early] }))
        await writer.write(batch({ failures: [settled] }))
      },
      async writer => {
        await writer.write(batch({ failures: [early] }))
        await writer.write(batch({ failures: [settled] }))
      }
    )
    expect(await all((await open()).scan(EVERYTHING))).toEqual([failureRow(settled)])
  })

  test('what was read in certain partitions is found', async () => {
    const given = [0, 1, 2, null].map(partition => failure({ path: `/${partition}`, partition }))
    await write(writer => writer.write(batch({ failures: given })))
    const reader = await open()
    const pathsOf = async (partitions: number[], limit = 9): Promise<(string | null)[]> => {
      const { rows, next } = await reader.search({ ...EVERYTHING, partitions }, { limit, order: 'oldest', after: null })
      expect(next).toBeNull()
      return rows.map(({ path }) => path).filter(path => partitions.some(partition => path === `/${partition}`))
    }
    expect(new Set(await pathsOf([0, 2]))).toEqual(new Set(['/0', '/2']))
    expect(await pathsOf([1])).toEqual(['/1'])
    expect(await pathsOf([7])).toEqual([])
  })
}
