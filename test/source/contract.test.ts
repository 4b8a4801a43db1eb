import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { FileSource } from '../../src/source/files.ts'
import { openInput } from '../../src/source/input.ts'
import { StdinSource } from '../../src/source/stdin.ts'
import { Folder } from '../support/program.ts'
import { describeSource, type SourceBed } from './contract.ts'
import { FakeTicker, ReadingRun } from './reading.ts'

function filesBed(follow: boolean): SourceBed {
  const folder = new Folder()
  return {
    open: known => new FileSource({ paths: [join(folder.path, '*.log')], follow }, known, new FakeTicker()),
    write: (stream, bytes) => appendFileSync(join(folder.path, `${stream}.log`), bytes),
    finish: () => {},
    taken: () => null,
    remove: () => folder.remove()
  }
}

/** A pipe that is full: whoever reads takes one block after the other. */
function stdinBed(): SourceBed {
  const blocks: Buffer[] = []
  let isOver = false
  let taken = 0
  let wake = () => {}
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const block = blocks.shift()
      if (block) {
        taken += block.length
        yield block
      } else if (isOver) return
      else
        await new Promise<void>(resolve => {
          wake = resolve
        })
    }
  }
  return {
    open: () =>
      new StdinSource(
        () => ({ name: 'stdin', size: null, modifiedMs: null, chunks, close: () => {} }),
        new FakeTicker()
      ),
    write: (_stream, bytes) => {
      for (let at = 0; at < bytes.length; at += 65_536) blocks.push(Buffer.from(bytes.slice(at, at + 65_536)))
      wake()
    },
    finish: () => {
      isOver = true
      wake()
    },
    taken: () => taken,
    remove: () => {}
  }
}

describeSource('files, followed', { streams: 3, resumes: true, ends: false }, () => filesBed(true))
describeSource('stdin', { streams: 1, resumes: false, ends: true }, stdinBed)

test('files to their end: every stream ends once, and with the last the reading', async () => {
  const bed = filesBed(false)
  await bed.write('a', 'a\nb')
  await bed.write('c', 'c\n')
  const run = new ReadingRun(bed.open([]))
  await run.settle()
  expect(run.isOver).toBe(true)
  expect(run.events.filter(event => event.kind === 'end')).toHaveLength(2)
  expect(run.lines.sort()).toEqual(['a', 'b', 'c'])
  await bed.remove()
})

test('stdin may be compressed; damaged data is a gap and an end', async () => {
  const folder = new Folder()
  const packed = gzipSync('a\nb\n')
  const whole = folder.write('whole.gz', packed)
  const run = new ReadingRun(new StdinSource(() => openInput(whole), new FakeTicker()))
  while ((await run.next()) !== null);
  expect(run.lines).toEqual(['a', 'b'])
  const cut = folder.write('cut.gz', packed.subarray(0, packed.length - 6))
  const broken = new ReadingRun(new StdinSource(() => openInput(cut), new FakeTicker()))
  while ((await broken.next()) !== null);
  const kinds = broken.events.map(event => event.kind)
  expect(kinds.filter(kind => kind === 'gap' || kind === 'end')).toEqual(['gap', 'end'])
  folder.remove()
})
