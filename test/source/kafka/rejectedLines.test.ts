/** Messages of the topic of rejects stand where their lines were read first. */
import { expect, test } from 'vitest'
import { RejectedLines, type RejectedMessage } from '../../../src/source/kafka/rejectedLines.ts'

/** As it lies at `offset`; `origin` as `topic/partition@offset`, null: nobody said. */
function message(offset: number, value: string | null, origin: string | null): RejectedMessage {
  const [, topic, partition, first] = /^(.*)\/(.*)@(.*)$/.exec(origin ?? '') ?? []
  const headers =
    topic === undefined
      ? {}
      : { 'why5xx.topic': Buffer.from(topic), 'why5xx.partition': partition, 'why5xx.offset': Buffer.from(first!) }
  return { offset: String(offset), value: value === null ? null : Buffer.from(value), headers }
}

/** `stream@offset` and value of everything that is told. */
function told(
  lines: RejectedLines,
  messages: RejectedMessage[],
  partition = 0
): [place: string, value: string | null][] {
  const found: [string, string | null][] = []
  for (const event of lines.events('rejects', partition, messages)) {
    if (event.kind !== 'messages') throw new Error(event.kind)
    const { offsets, starts, ends, bytes, count } = event.batch
    for (let i = 0; i < count; i++) {
      const value = ends[i]! < 0 ? null : Buffer.from(bytes).toString('utf8', starts[i], ends[i])
      found.push([`${event.stream.id}@${offsets[i]}`, value])
    }
  }
  return found
}

test('each has the place of its line, one stream a partition', () => {
  const lines = new RejectedLines()
  expect(told(lines, [message(0, 'a', 'raw/3@17'), message(1, '', 'raw/1@4'), message(2, null, 'raw/3@12')])).toEqual([
    ['reject raw/3@17', 'a'],
    ['reject raw/3@12', null],
    ['reject raw/1@4', '']
  ])
  expect([...lines.streams].map(({ name, partition }) => [name, partition?.topic, partition?.partition])).toEqual([
    ['raw/3', 'raw', 3],
    ['raw/1', 'raw', 1]
  ])
})

test('one that is there twice is told once, whichever partition has it', () => {
  const lines = new RejectedLines()
  expect(told(lines, [message(0, 'a', 'raw/3@17'), message(1, 'a', 'raw/3@17')])).toEqual([['reject raw/3@17', 'a']])
  expect(told(lines, [message(9, 'a', 'raw/3@17'), message(10, 'a', 'raw/3@18')], 1)).toEqual([
    ['reject raw/3@18', 'a']
  ])
})

test('two lines of one message are two', () => {
  const twice = [message(0, 'first line', 'raw/0@5'), message(1, 'second line', 'raw/0@5')]
  expect(told(new RejectedLines(), twice)).toHaveLength(2)
})

test.each([
  ['nobody says where', null],
  ['no number', 'raw/x@5'],
  ['no whole number', 'raw/1@1e3'],
  ['too large', 'raw/1@99999999999999999999'],
  ['negative', 'raw/-1@5'],
  ['no topic', '/1@5']
])('it stands where it lies: %s', (_, origin) => {
  expect(told(new RejectedLines(), [message(6, 'a', origin)], 2)).toEqual([['reject rejects/2@6', 'a']])
})
