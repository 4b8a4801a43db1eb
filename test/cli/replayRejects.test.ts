/** Wrong usage of `replay --rejects` is told before anything is asked of anybody. */
import { expect, test } from 'vitest'
import { why5xxHere } from '../support/program.ts'

const CLUSTER = ['--set', 'source.kind=kafka', '--set', 'sink.kind=elasticsearch']

test.each([
  ['files beside it', ['a.log', ...CLUSTER], /reads files or --rejects, not both/],
  ['an embedded store', ['--store', 'x', ...CLUSTER], /leave --store out/],
  ['a format it does not know', ['--format', 'xml', ...CLUSTER], /expected text or json/],
  [
    'no cluster at all',
    [],
    /set source\.kind to kafka \(it is files\) and sink\.kind to elasticsearch \(it is embedded\)/
  ],
  ['no Elasticsearch', ['--set', 'source.kind=kafka'], /\(it is kafka\).*\(it is embedded\)/]
])('%s', async (_, args, text) => {
  const { code, stdout, stderr } = await why5xxHere(['replay', '--rejects', ...args])
  expect(stderr).toMatch(text)
  expect([code, stdout]).toEqual([2, ''])
})
