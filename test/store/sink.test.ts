/** A failure goes to another thread as text: the document that is made there is the one that would be made here. */
import { expect, test } from 'vitest'
import { buildDocument } from '../../src/store/document.ts'
import { documentsOf, failureText } from '../../src/store/sink.ts'
import { runEngine } from '../support/engineRun.ts'
import { EXAMPLES, options } from './examples.ts'

test.each(Object.keys(EXAMPLES))('%s', name => {
  const { failures } = runEngine(EXAMPLES[name]!)
  expect(failures.length).toBeGreaterThan(0)
  const own = options()
  const texts = failures.map(failure => failureText(failure, own))
  const direct = failures.map(failure => buildDocument(failure, own))
  const sent = documentsOf(texts, own)
  expect(sent).toEqual(direct)
  expect(direct.map(({ json }) => json)).toEqual(direct.map(({ document }) => JSON.stringify(document)))
})
