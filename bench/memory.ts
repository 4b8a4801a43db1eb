import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { assertAgrees } from './agreement.ts'
import { ensureDataset } from './dataset.ts'
import { type Finding, report } from './finding.ts'
import { MAIN, runForMemory } from './measure.ts'

/**
 * Is memory bounded by configuration, and not by the file? Peak resident memory of `explain` on a file, on one four times
 * as long, and on one where a third of the requests fail and error lines wait for their requests.
 *
 *   node dist/bench/memory.js [--lines 1500000] [--long-lines 6000000] [--keep]
 */
export type MemoryOptions = { lines: number; longLines: number; keep: boolean }

const PEAK_BYTES_MAX = 120 * 1024 * 1024
const GROWTH_MAX = 1.3
const FAILING = 0.33

export async function benchMemory({ lines, longLines, keep }: MemoryOptions): Promise<Finding[]> {
  // The first is also the data of the explain benchmark, so it stays.
  const baseBytes = await peakBytes({ lines }, true)
  const longBytes = await peakBytes({ lines: longLines }, keep)
  const failingBytes = await peakBytes({ lines, failing: FAILING, withErrors: true }, keep)
  const grown = (question: string, bytes: number): Finding => ({
    question: `peak memory, ${question}`,
    figure: `${mebibytes(bytes)} (${(bytes / baseBytes).toFixed(2)}x)`,
    gate: `<= ${GROWTH_MAX}x`,
    passes: bytes <= baseBytes * GROWTH_MAX
  })
  const bounded = (question: string, bytes: number): Finding => ({
    question: `peak memory, ${question}`,
    figure: `${mebibytes(bytes)} (${(bytes / baseBytes).toFixed(2)}x)`,
    gate: `<= ${mebibytes(PEAK_BYTES_MAX)}`,
    passes: bytes <= PEAK_BYTES_MAX
  })
  return [
    bounded(`${lines} lines`, baseBytes),
    grown(`${longLines} lines`, longBytes),
    bounded(`${lines} lines, ${FAILING * 100} % failing, with error lines`, failingBytes)
  ]
}

async function peakBytes(data: Parameters<typeof ensureDataset>[0], keep: boolean): Promise<number> {
  const dataset = ensureDataset(data)
  const { file, truth } = dataset
  try {
    const { stdout, peakBytes } = await runForMemory([process.execPath, MAIN, 'explain', '--format', 'json', file])
    assertAgrees(stdout, truth, file)
    return peakBytes!
  } finally {
    if (!keep) dataset.remove()
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '1500000' },
      'long-lines': { type: 'string', default: '6000000' },
      keep: { type: 'boolean', default: false }
    }
  })
  const options = { lines: Number(values.lines), longLines: Number(values['long-lines']), keep: values.keep }
  report(await benchMemory(options))
}
