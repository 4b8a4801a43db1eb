/** Root causes in the catalogue that `causes` prints. */

import { rootCauseInfo } from '../diagnose/catalogue.ts'
import { ROOT_CAUSES, type RootCause } from '../diagnose/rootCauses.ts'
import type { Style } from '../terminal.ts'
import { clip } from '../text.ts'

export function isRootCause(slug: string): slug is RootCause {
  return (ROOT_CAUSES as readonly string[]).includes(slug)
}

export function rootCauseEntry(cause: RootCause): object {
  return { kind: 'root_cause', root_cause: cause, ...rootCauseInfo(cause) }
}

export function rootCausesTable(style: Style): string {
  const width = Math.max(...ROOT_CAUSES.map(cause => cause.length))
  const lines = ROOT_CAUSES.map(cause => {
    const { severity, title } = rootCauseInfo(cause)
    return clip(`${cause.padEnd(width)}  ${severity.padEnd(8)}  ${title}`, style.width)
  })
  return [style.dim(`${'ROOT CAUSE'.padEnd(width)}  SEVERITY  MEANING`), ...lines].join('\n')
}

export function rootCausePage(cause: RootCause, style: Style): string {
  const { title, meaning, severity, advice, check, fix } = rootCauseInfo(cause)
  return `${style.bold(cause)}: ${title}
root cause, severity ${severity} (S1 all requests of a backend fail, S2 part of them, S3 nuisance, S4 expected)

${meaning}
In short: ${advice}.

${style.bold('Check')} ($NS, $POD, … are names: why5xx fix fills them in)
${check.map(item => `  ${item}`).join('\n')}

${style.bold('Do')}
${fix.map(item => `  - ${item}`).join('\n')}
`
}
