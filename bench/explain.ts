import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { assertAgrees } from './agreement.ts'
import { ensureDataset } from './dataset.ts'
import { type Finding, report } from './finding.ts'
import { MAIN, median, runTimed } from './measure.ts'

/**
 * What does a whole `explain` cost, measured against an awk one-liner that takes three substrings and counts them? Both
 * read the same cached file, in turns, so that a noisy neighbour meets both.
 *
 *   node dist/bench/explain.js [--rounds 5] [--lines 1500000] [--ratio-min 1]
 */
export type ExplainOptions = { lines: number; rounds: number; ratioMin: number | null }

/** Three substrings (minute, status, beginning of the path) and one counter a line: what an awk one-liner would count. */
const MAWK =
  '{ n[substr($4, 2, 17) " " substr($9, 1, 3) " " substr($7, 1, 12)]++ } END { for (k in n) s += n[k]; print s }'
/** The least mawk can do with a line: no fields, no keys. Reported beside it, not gated. */
const MAWK_BLIND =
  '{ a = substr($0, 1, 15); b = substr($0, 20, 26); c = substr($0, length($0) - 31, 32); n++ } END { print n }'

export async function benchExplain({ lines, rounds, ratioMin }: ExplainOptions): Promise<Finding[]> {
  const { file, truth } = ensureDataset({ lines })
  const explain = [process.execPath, MAIN, 'explain', '--format', 'json', file]
  const mawk = ['mawk', MAWK, file]

  // Not counted: brings the file into the page cache, and ends here when the answer is wrong.
  assertAgrees((await runTimed(explain)).stdout, truth, file)
  await runTimed(mawk)

  const explainSeconds: number[] = []
  const explainWall: number[] = []
  const mawkSeconds: number[] = []
  const blindSeconds: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const ours = await runTimed(explain)
    assertAgrees(ours.stdout, truth, file)
    const theirs = await runTimed(mawk)
    if (Number(theirs.stdout) !== truth.lines) throw new Error(`mawk counted ${theirs.stdout.trim()} lines`)
    explainSeconds.push(ours.cpuSeconds)
    explainWall.push(ours.wallSeconds)
    mawkSeconds.push(theirs.cpuSeconds)
    blindSeconds.push((await runTimed(['mawk', MAWK_BLIND, file])).cpuSeconds)
    const figures = `explain ${ours.cpuSeconds.toFixed(3)} s cpu, ${ours.wallSeconds.toFixed(3)} s wall`
    console.error(`round ${round}: ${figures}; mawk ${theirs.cpuSeconds.toFixed(3)} s cpu`)
  }

  const ratio = median(mawkSeconds) / median(explainSeconds)
  const perSecond = Math.round(truth.lines / median(explainWall))
  const reported = { gate: '', passes: null }
  return [
    { question: `explain, ${lines} lines, cpu`, figure: `${median(explainSeconds).toFixed(3)} s`, ...reported },
    { question: 'explain, lines a second (wall)', figure: perSecond.toLocaleString('en'), ...reported },
    { question: `mawk, ${lines} lines, cpu`, figure: `${median(mawkSeconds).toFixed(3)} s`, ...reported },
    {
      question: 'cpu of mawk / cpu of explain',
      figure: ratio.toFixed(3),
      gate: ratioMin === null ? '' : `>= ${ratioMin}`,
      passes: ratioMin === null ? null : ratio >= ratioMin
    },
    {
      question: 'cpu of mawk without fields or keys / cpu of explain',
      figure: (median(blindSeconds) / median(explainSeconds)).toFixed(3),
      ...reported
    }
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '1500000' },
      rounds: { type: 'string', default: '5' },
      'ratio-min': { type: 'string', default: '1' }
    }
  })
  const ratioMin = Number(values['ratio-min'])
  report(await benchExplain({ lines: Number(values.lines), rounds: Number(values.rounds), ratioMin }))
}
