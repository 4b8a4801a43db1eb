/** Failures that are judged a second time: what a round does that cannot judge one of them, or does not come to its end. */
import { describe, expect, test } from 'vitest'
import { T } from './store/examples.ts'
import { SettlerBed as Bed, failure, HOUR_MS, knowledgeOf, stateAt } from './support/settlerBed.ts'

describe('a document that cannot be judged does not stop the others', () => {
  test.each([
    [
      'its cause is one of a later version',
      { why5xx: { ...(failure().document.why5xx as object), cause: 'from_the_future' } },
      0
    ],
    ['it is not of our making', { kubernetes: 'text' }, 1]
  ])('%s', async (_, fields, sentences) => {
    const bed = new Bed()
    bed.settler.own([])
    const other = failure({ path: '/other' })
    Object.assign(other.document, fields)
    await bed.put(other, failure())
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
    expect(bed.counters.settled).toEqual({ judged: 1, changed: 1, unjudged: 1 })
    expect(bed.said).toHaveLength(sentences)
    await bed.round(T + 2 * HOUR_MS)
    expect(bed.counters.settled.unjudged).toBe(1)
  })

  test('the state throws', async () => {
    const state = new Proxy(stateAt(T + HOUR_MS), {
      get: (target, name) => {
        if (name === 'forgottenToMs') throw new RangeError('no state')
        const value = Reflect.get(target, name) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
    const bed = new Bed({ knowledge: knowledgeOf(state) })
    bed.settler.own([])
    await bed.put(failure({ path: '/1' }), failure({ path: '/2' }))
    expect(await bed.round(T + HOUR_MS)).toEqual([])
    expect(bed.counters.settled).toEqual({ judged: 0, changed: 0, unjudged: 2 })
    expect(bed.said).toEqual([expect.stringContaining('RangeError at ')])
  })
})

describe('a round that does not come to its end begins again', () => {
  test('because the reader throws', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    let failing = true
    bed.store.beforePage = () => {
      if (failing) throw new Error('no answer')
    }
    await expect(bed.round(T + HOUR_MS)).rejects.toThrow('no answer')
    failing = false
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })

  test('because there is no reader yet', async () => {
    let isThere = false
    const bed = new Bed()
    const { store } = bed
    bed
      .start({
        openReader: async () => {
          if (!isThere) throw new Error('no store')
          return store
        }
      })
      .own([])
    await bed.put(failure())
    await expect(bed.round(T + HOUR_MS)).rejects.toThrow('no store')
    isThere = true
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })

  test('because it is told to stop', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    bed.nowMs = T + HOUR_MS
    await bed.settler.settle(AbortSignal.abort())
    await bed.mark('a')
    expect(bed.store.streams[0]!.settledToMs).toBe(T - 1)
  })

  test('because the store does not take what it has found', async () => {
    const bed = new Bed()
    bed.settler.own([])
    await bed.put(failure())
    bed.store.beforeWrite = () => Promise.reject(new Error('full'))
    await expect(bed.round(T + HOUR_MS)).rejects.toThrow('full')
    bed.store.beforeWrite = () => {}
    expect(await bed.round(T + HOUR_MS)).toEqual(['/cart'])
  })
})
