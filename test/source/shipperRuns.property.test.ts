/**
 * Logs that rotate, and a shipper that sends chunks late, again, in part, or never, to a process that is started anew at any
 * point: compared with a memory that forgets nothing. WHY5XX_SEED=n plays other logs.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ShippedLine, ShipperRuns } from '../../src/source/shipperRuns.ts'

const SEED = Number(process.env.WHY5XX_SEED ?? 1)
const START_MS = Date.UTC(2026, 10, 21, 10)

/** `key` names the line among all files and generations; `trueBytes` is what it takes, whether the shipper knows it or not. */
interface WrittenLine extends ShippedLine {
  key: string
  generation: number
  trueBytes: number
}

const line = fc.record({
  // Few lengths, so that lines of different generations often begin at the same offset.
  bytes: fc.constantFrom(40, 80, 80, 80, 120),
  pauseMs: fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 5, max: 20 }) }, { weight: 1, arbitrary: fc.nat(150) }),
  // null: the shipper put it together. -1: it dropped a carriage return. Others: it replaced bytes, and nobody noticed.
  error: fc.oneof(
    { weight: 20, arbitrary: fc.constant<number | null>(0) },
    { weight: 2, arbitrary: fc.constantFrom<number | null>(null, -1, 2, 25) }
  )
})
const delay = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(80) })
const chunk = fc.record({
  lines: fc.integer({ min: 1, max: 12 }),
  isLost: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  delay,
  // Sent again from a line to a line of it.
  again: fc.option(fc.record({ delay: fc.nat(80), from: fc.nat(11), to: fc.nat(11), isWhole: fc.boolean() }))
})
const log = fc.record({
  lines: fc.array(line, { minLength: 60, maxLength: 180 }),
  chunks: fc.array(chunk, { minLength: 20, maxLength: 30 }),
  linesPerGeneration: fc.integer({ min: 30, max: 60 })
})
const logs = fc.array(log, { minLength: 1, maxLength: 3 })
const restarts = fc.uniqueArray(fc.nat(400), { maxLength: 4 })
type Log = typeof log extends fc.Arbitrary<infer T> ? T : never

function written(log: Log, path: string): WrittenLine[] {
  const lines: WrittenLine[] = []
  let timeMs = START_MS
  let offset = 0
  log.lines.forEach(({ bytes, pauseMs, error }, i) => {
    if (i % log.linesPerGeneration === 0) offset = 0
    timeMs += pauseMs + 0.25
    const generation = Math.floor(i / log.linesPerGeneration)
    const known = error === null ? null : bytes + error
    lines.push({ key: `${path} ${i}`, path, generation, offset, timeMs, bytes: known, trueBytes: bytes })
    offset += bytes
  })
  return lines
}

/** Lines in the order in which they arrive. `keepsHeads`: what begins a file is never lost. */
function arrivals(log: Log, lines: WrittenLine[], keepsHeads: boolean): { at: number; line: WrittenLine }[] {
  const sent: { at: number; line: WrittenLine }[] = []
  let from = 0
  for (let n = 0; from < lines.length; n++) {
    const chunk = log.chunks[n % log.chunks.length]!
    const part = lines.slice(from, from + chunk.lines)
    from += chunk.lines
    if (chunk.isLost && !(keepsHeads && part.some(each => each.offset === 0))) continue
    for (const each of part) sent.push({ at: from + chunk.delay, line: each })
    if (chunk.again === null) continue
    const again = chunk.again.isWhole ? part : part.slice(chunk.again.from, chunk.again.to + 1)
    for (const each of again) sent.push({ at: from + chunk.delay + chunk.again.delay, line: each })
  }
  return sent
}

function inOrder(sent: { at: number; line: WrittenLine }[]): WrittenLine[] {
  return sent.sort((a, b) => a.at - b.at).map(({ line }) => line)
}

function restarted(runs: ShipperRuns): ShipperRuns {
  return new ShipperRuns(JSON.parse(JSON.stringify(runs)))
}

test('a line is a resend exactly when it came before', () => {
  fc.assert(
    fc.property(logs, restarts, (logs, restarts) => {
      const sent = logs.flatMap((log, i) => arrivals(log, written(log, `/var/log/${i}.log`), false))
      const seen = new Set<string>()
      let runs = new ShipperRuns(null)
      inOrder(sent).forEach((line, i) => {
        if (restarts.includes(i)) runs = restarted(runs)
        expect(runs.isResend(line), line.key).toBe(seen.has(line.key))
        seen.add(line.key)
      })
    }),
    { seed: SEED, numRuns: 250 }
  )
})

test('holes are what was lost, told once', () => {
  fc.assert(
    fc.property(logs, restarts, (logs, restarts) => {
      const plain = logs.map(log => ({ ...log, lines: log.lines.map(each => ({ ...each, error: 0 })) }))
      const files = plain.map((log, i) => written(log, `/var/log/${i}.log`))
      const order = inOrder(plain.flatMap((log, i) => arrivals(log, files[i]!, true)))
      const ends = files.map(lines => ({ ...lines.at(-1)!, offset: lines.at(-1)!.offset + lines.at(-1)!.trueBytes }))
      let runs = new ShipperRuns(null)
      order.forEach((line, i) => {
        if (restarts.includes(i)) runs = restarted(runs)
        runs.isResend(line)
        expect(runs.takeGaps(0)).toEqual([])
      })
      for (const end of ends) runs.isResend({ ...end, timeMs: end.timeMs + 3_600_000 })
      // An hour later the last line's own hole is as old as the line.
      for (const end of ends)
        runs.isResend({ ...end, offset: end.offset + end.trueBytes, timeMs: end.timeMs + 7_200_000 })
      const gaps = runs.takeGaps(0)

      const came = new Set(order.map(line => line.key))
      const bytesOf = (path: string) => gaps.reduce((sum, gap) => sum + (gap.name === path ? gap.bytes! : 0), 0)
      for (const lines of files) expect(bytesOf(lines[0]!.path)).toBe(lostBytes(lines, came))
      expect(restarted(runs).takeGaps(0)).toEqual([])
    }),
    { seed: SEED, numRuns: 200 }
  )
})

/** Of lines that never came, those with a later line of their generation, and the end of the last one. */
function lostBytes(lines: WrittenLine[], came: Set<string>): number {
  const generations = lines.at(-1)!.generation
  return lines.reduce((sum, line, i) => {
    const isFollowed =
      line.generation === generations ||
      lines.slice(i + 1).some(later => later.generation === line.generation && came.has(later.key))
    return sum + (!came.has(line.key) && isFollowed ? line.trueBytes : 0)
  }, 0)
}
