/** What is closed when a part of it throws. */
import { expect, test } from 'vitest'
import { closeEach } from '../../src/cli/closing.ts'

test('each part is closed, in order, whatever those before it throw', async () => {
  const done: string[] = []
  const said: unknown[] = []
  const away = new Error('away')
  const throws = (): never => {
    throw away
  }
  await closeEach(
    [
      ['the first', () => Promise.reject(away)],
      ['the second', throws],
      ['the third', null],
      ['the last', async () => void done.push('last')]
    ],
    { warn: (sentence, fields) => said.push([sentence, fields]) }
  )
  expect(done).toEqual(['last'])
  expect(said).toEqual([
    ['the first', { error: away }],
    ['the second', { error: away }]
  ])
})
