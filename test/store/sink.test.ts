/** A failure goes to another thread as text: the document that is made there is the one that would be made here. */
import { expect, test, vi } from 'vitest'
import { buildDocument } from '../../src/store/document.ts'
import { DocumentSink, documentsOf, failureText, type RawBatch, rawFailure } from '../../src/store/sink.ts'
import type { StoreWriter } from '../../src/store/store.ts'
import { runEngine } from '../support/engineRun.ts'
import { EXAMPLES, options } from './examples.ts'
import { batch, stream } from './failures.ts'

test.each(Object.keys(EXAMPLES))('%s', name => {
  const { failures } = runEngine(EXAMPLES[name]!)
  expect(failures.length).toBeGreaterThan(0)
  const own = options()
  const texts = failures.map(failure => failureText(rawFailure(failure, own)))
  const direct = failures.map(failure => buildDocument(failure, own))
  const sent = documentsOf(texts, own)
  expect(sent).toEqual(direct)
  expect(direct.map(({ json }) => json)).toEqual(direct.map(({ document }) => JSON.stringify(document)))
})

test('behind a batch that fails nothing is written: its positions would say that it was read', async () => {
  const stored: string[] = []
  const store = storeOf(stored)
  const sink = new DocumentSink(store, options())
  await sink.write(batchOf([], 'before'))
  const results = await Promise.allSettled([
    sink.write(batchOf(['{"failure":{"access":null,"errors":[]}}'], 'bad')),
    sink.write(batchOf([], 'behind'))
  ])
  const reasons = results.map(result => (result.status === 'rejected' ? (result.reason as unknown) : null))
  expect(reasons[0]).toBeInstanceOf(Error)
  expect(reasons[1]).toBe(reasons[0])
  await expect(sink.write(batchOf([], 'later'))).rejects.toBe(reasons[0])
  expect(stored).toEqual(['before'])
})

test('what keeps rejects beside the store holds it up, and is closed with it', async () => {
  const beside = { pausedBecause: 'cannot write to topic x' as string | null, close: vi.fn() }
  const sink = new DocumentSink(storeOf([]), options(), beside)
  expect(sink.pausedBecause).toBe('cannot write to topic x')
  beside.pausedBecause = null
  expect(sink.pausedBecause).toBeNull()
  await sink.close()
  expect(beside.close).toHaveBeenCalledOnce()
})

/** Tells `stored` of the streams of each batch. */
function storeOf(stored: string[]): StoreWriter {
  return {
    streams: [],
    engine: null,
    pausedBecause: null,
    async write({ streams }) {
      stored.push(...streams.map(state => state.stream))
      return { written: 0, known: 0 }
    },
    facts: null,
    claim: () => Promise.resolve({ streams: [], engines: [] }),
    countedMinutes: async () => new Set(),
    close: async () => {}
  }
}

function batchOf(failures: string[], name: string): RawBatch {
  return { ...batch({ streams: [stream(name, 1)] }), failures, built: [] }
}
