/** One answer of a benchmark. `gate` says what must hold; `passes` is null for a figure that is only reported. */
export type Finding = { question: string; figure: string; gate: string; passes: boolean | null }

export function printFindings(findings: readonly Finding[]): void {
  const verdict = ({ passes }: Finding) => (passes === null ? '' : passes ? 'pass' : 'FAIL')
  const rows = [
    ['question', 'figure', 'gate', ''],
    ...findings.map(one => [one.question, one.figure, one.gate, verdict(one)])
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]!.length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()
    )
}

/** For a benchmark that is run alone: prints its table, and fails the process when a gate does. */
export function report(findings: readonly Finding[]): void {
  printFindings(findings)
  if (findings.some(({ passes }) => passes === false)) process.exitCode = 1
}
