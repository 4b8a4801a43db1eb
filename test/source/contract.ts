/** What every source must do, whatever it reads from. */
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Source, SourceEvent, StreamState } from '../../src/source/source.ts'
import { ReadingRun } from './reading.ts'

/** A place to read from, prepared by a test of one source. */
export interface SourceBed {
  /** Opens a source; `known` as the store remembers it. */
  open(known: StreamState[]): Source
  /** Adds bytes to the end of one of its streams, by name; the first call makes it. */
  write(stream: string, bytes: string): Promise<void> | void
  /** Nothing more will be written; for sources that have an end. */
  finish(): Promise<void> | void
  /** Bytes that were taken from where they lie so far; null where nobody can tell. */
  taken(): number | null
  remove(): Promise<void> | void
}

export interface SourceTraits {
  /** Streams it can read side by side. */
  streams: number
  /** It finds its place again after a restart. */
  resumes: boolean
  /** It ends by itself. */
  ends: boolean
}

function block(name: string, bytes: number): string {
  const lines: string[] = []
  for (let i = 0, length = 0; length < bytes; i++) {
    const line = `${name} ${i} ${'x'.repeat((i * 37) % 300)}\n`
    lines.push(line)
    length += line.length
  }
  return lines.join('')
}

export function describeSource(name: string, traits: SourceTraits, makeBed: () => SourceBed): void {
  describe(`source contract: ${name}`, () => {
    let bed: SourceBed
    const runs: ReadingRun[] = []
    const start = (known: StreamState[] = []) => {
      const run = new ReadingRun(bed.open(known), known)
      runs.push(run)
      return run
    }
    const setUp = () => {
      bed = makeBed()
    }

    afterEach(async () => {
      for (const run of runs.splice(0)) await run.crash()
      await bed.remove()
    })

    test('bytes come whole and in order, and streams do not mix', async () => {
      setUp()
      const texts = Array.from({ length: traits.streams }, (_, i) => block(`s${i}`, 700_000))
      for (const [i, text] of texts.entries()) await bed.write(`s${i}`, text)
      await bed.finish()
      const run = start()
      await run.settle()
      expect(run.texts().sort()).toEqual(texts)
      const chunks = run.events.filter(event => event.kind === 'chunk')
      expect(Math.max(...chunks.map(chunk => chunk.bytes.length))).toBeLessThanOrEqual(1 << 20)
      for (const { stream, text } of run.streams.values())
        expect(Buffer.from(stream.head).toString()).toBe(text.slice(0, 1_024))
      expect(new Set(run.streams.keys()).size).toBe(traits.streams)
      expect(run.gaps).toEqual([])
    })

    test('it is idle only when all was read', async () => {
      setUp()
      await bed.write('s0', block('s0', 400_000))
      const run = start()
      await run.settle(2_000)
      const kinds = run.events.map(event => event.kind)
      expect(kinds.lastIndexOf('chunk')).toBeLessThan(kinds.indexOf('idle'))
      expect(run.events.filter(event => event.kind === 'idle').map(event => event.idleMs)).toEqual([1_000, 2_000])
      await bed.write('s0', 'more\n')
      await run.settle(1_000)
      expect(run.events.filter(event => event.kind === 'idle').at(-1)).toMatchObject({ idleMs: 1_000 })
      expect(run.texts().join('')).toBe(`${block('s0', 400_000)}more\n`)
    })

    test('nothing is read while nobody asks', async () => {
      setUp()
      await bed.write('s0', block('s0', 3_000_000))
      await bed.finish()
      const run = start()
      while ((await run.next())?.kind !== 'chunk');
      const before = bed.taken()
      for (let i = 0; i < 20; i++) await setImmediate()
      expect(bed.taken()).toBe(before)
      if (before !== null) expect(before).toBeLessThan(2_000_000)
      expect(run.texts()[0]!.length).toBeLessThan(2_000_000)
    })

    test('an aborted reading stops at once', async () => {
      setUp()
      await bed.write('s0', block('s0', 3_000_000))
      const run = start()
      await run.next()
      const count = run.events.length
      await run.stop()
      expect(run.events.length).toBeLessThanOrEqual(count + 1)
      expect(run.isOver).toBe(true)
    })

    test.runIf(traits.resumes)('after a restart exactly the rest comes, from wherever it stood', async () => {
      setUp()
      const text = block('s0', 900_000)
      await bed.write('s0', text)
      let known: StreamState[] = []
      let read = ''
      const ids = new Set<string>()
      for (let start_ = 0; start_ < 3; start_++) {
        const run = start(known)
        while ((await run.next())?.kind !== 'chunk');
        read += wholeLines(run)
        known = run.states()
        for (const id of run.streams.keys()) ids.add(id)
        await run.crash()
      }
      const run = start(known)
      await run.settle()
      expect(read + run.texts()[0]!).toBe(text)
      expect(ids.size).toBe(1)
    })

    test.runIf(traits.resumes)('an abandoned reading can be started anew', async () => {
      setUp()
      const text = block('s0', 300_000)
      await bed.write('s0', text)
      const source = bed.open([])
      const first = new ReadingRun(source)
      await first.next()
      await first.crash()
      const second = new ReadingRun(source)
      runs.push(second)
      await second.settle()
      expect(second.texts()).toEqual([text])
    })

    test.runIf(traits.ends)('every stream ends once, and with the last the reading', async () => {
      setUp()
      await bed.write('s0', 'a\nb')
      await bed.finish()
      const run = start()
      await run.settle(60_000)
      expect(run.isOver).toBe(true)
      expect(run.events.map((event: SourceEvent) => event.kind).filter(kind => kind === 'end')).toEqual(['end'])
      expect(run.lines).toEqual(['a', 'b'])
    })
  })
}

function wholeLines(run: ReadingRun): string {
  const text = run.texts()[0]!
  return text.slice(0, text.lastIndexOf('\n') + 1)
}
