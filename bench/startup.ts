import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Finding, report } from './finding.ts'
import { MAIN, median, runTimed } from './measure.ts'

/**
 * Does the command line answer at once? Wall time of `--help`: whatever `main` imports before it knows the command is paid
 * by every command.
 *
 *   node dist/bench/startup.js [--runs 15]
 */
const WALL_MS_MAX = 150

export async function benchStartup(runs: number): Promise<Finding[]> {
  const command = [process.execPath, MAIN, '--help']
  await runTimed(command) // Not counted: the page cache.
  const wallMs: number[] = []
  for (let run = 0; run < runs; run++) wallMs.push((await runTimed(command)).wallSeconds * 1000)
  const middle = median(wallMs)
  return [
    {
      question: `--help, wall, median of ${runs}`,
      figure: `${middle.toFixed(0)} ms`,
      gate: `<= ${WALL_MS_MAX} ms`,
      passes: middle <= WALL_MS_MAX
    }
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' } } })
  report(await benchStartup(Number(values.runs)))
}
