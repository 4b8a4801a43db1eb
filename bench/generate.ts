import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Traffic } from './traffic.ts'
import { type Truth, TruthCounter } from './truth.ts'

/**
 * Writes a log file of the default `upstreaminfo` format and, beside it, FILE.truth.json with what it holds.
 *
 *   node dist/bench/generate.js --lines 1500000 --seed 1 --out FILE [--failing 0.02] [--with-errors]
 */
export type GenerateOptions = {
  /** Physical lines, error lines included. */
  lines: number
  seed: number
  out: string
  /** Share of the requests that fail, 499 included. */
  failing: number
  withErrors: boolean
}

const SPAN_SECONDS = 3600
const WRITE_BYTES = 1 << 20
// A refused request writes at most three error lines and its access line.
const LINES_PER_REQUEST_MAX = 4

export function truthPath(file: string): string {
  return `${file}.truth.json`
}

export function generate(options: GenerateOptions): Truth {
  mkdirSync(dirname(options.out), { recursive: true })
  const counter = new TruthCounter()
  const traffic = new Traffic({ ...options, truth: counter })
  const partial = `${options.out}.partial`
  const file = openSync(partial, 'w')
  let text = ''
  let written = 0
  const write = (line: string) => {
    text += line
    written++
    if (text.length < WRITE_BYTES) return
    flush(file, text)
    text = ''
  }

  // Lines that belong to a later second: what is left of a read timeout in flight.
  const later = new Map<number, string[]>()
  let waiting = 0
  let second = 0
  const advance = (target: number) => {
    while (second < target) {
      second++
      for (const line of later.get(second) ?? []) {
        write(line)
        waiting--
      }
      later.delete(second)
    }
  }

  while (written + waiting < options.lines) {
    advance(Math.floor((written * SPAN_SECONDS) / options.lines))
    if (options.lines - written - waiting < LINES_PER_REQUEST_MAX) {
      write(traffic.plain(second))
      continue
    }
    for (const { second: due, line } of traffic.next(second, SPAN_SECONDS)) {
      if (due <= second) {
        write(line)
        continue
      }
      const lines = later.get(due)
      if (lines === undefined) later.set(due, [line])
      else lines.push(line)
      waiting++
    }
  }
  advance(SPAN_SECONDS)
  flush(file, text)
  closeSync(file)

  const truth = counter.toTruth(written)
  writeFileSync(truthPath(options.out), `${JSON.stringify(truth, null, 2)}\n`)
  // Last: a file under its final name is complete and has its truth.
  renameSync(partial, options.out)
  return truth
}

/** One char a byte: error lines hold a client's raw bytes, valid UTF-8 or not. */
function flush(file: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '1500000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      failing: { type: 'string', default: '0.02' },
      'with-errors': { type: 'boolean', default: false }
    }
  })
  if (values.out === undefined) throw new Error('--out FILE is missing')
  const { lines, requests, failures, masked, multiAttempt } = generate({
    lines: Number(values.lines),
    seed: Number(values.seed),
    out: values.out,
    failing: Number(values.failing),
    withErrors: values['with-errors']
  })
  console.log({ lines, requests, failures, masked, multiAttempt })
}
