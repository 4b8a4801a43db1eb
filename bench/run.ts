import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchExplain } from './explain.ts'
import { type Finding, report } from './finding.ts'
import { runTimed } from './measure.ts'
import { benchMemory } from './memory.ts'
import { benchPipeline } from './pipeline.ts'
import { benchStartup } from './startup.ts'
import { benchStore } from './store.ts'

/**
 * All benchmarks in turn and one table, with the machine it is true for.
 *
 *   npm run bench -- [--quick] [--ratio-min 1] [--date 2026-03-12]
 */
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'ratio-min': { type: 'string', default: '1' },
    date: { type: 'string' }
  }
})
const isQuick = values.quick
const ratioMin = Number(values['ratio-min'])
const date = values.date ?? (await runTimed(['date', '+%F'])).stdout.trim()

const lines = isQuick ? 150_000 : 1_500_000
const findings: Finding[] = []
const questions = [
  () => benchExplain({ lines, rounds: isQuick ? 3 : 5, ratioMin }),
  () => benchMemory({ lines, longLines: 4 * lines, keep: false }),
  () => benchStartup(isQuick ? 5 : 15),
  () => benchPipeline({ lines, rounds: isQuick ? 3 : 5, steadySeconds: isQuick ? 15 : 60 }),
  () =>
    benchStore({ failures: isQuick ? 20_000 : 200_000, days: isQuick ? 3 : 30, rounds: isQuick ? 3 : 5, keep: false })
]
for (const ask of questions) {
  try {
    findings.push(...(await ask()))
  } catch (error) {
    // A wrong answer or a crash fails the run, but the other questions are still asked.
    console.error(String(error))
    findings.push({ question: 'a benchmark did not finish, see above', figure: '', gate: '', passes: false })
  }
}

const memoryGib = (totalmem() / 1024 ** 3).toFixed(0)
console.log(`${date}, ${cpus()[0]?.model ?? 'unknown cpu'}, ${availableParallelism()} cores, ${memoryGib} GiB`)
console.log(
  `Node ${process.version}, ${process.platform} ${release()}${isQuick ? ', --quick: figures not for RESULTS.md' : ''}`
)
console.log()
report(findings)
