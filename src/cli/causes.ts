import { CAUSES, type Cause, causeTable, isCause } from '../../parsers/causes.ts'
import { ROOT_CAUSES } from '../diagnose/rootCauses.ts'
import { Why5xxError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { styleFor } from '../terminal.ts'
import { clip } from '../text.ts'
import { writeOut } from './output.ts'
import { isRootCause, rootCauseEntry, rootCausePage, rootCausesTable } from './rootCausesPage.ts'

/** Prints the catalogue, or one cause or root cause in full. */
export async function runCauses(slug: string | undefined, flags: { format?: string }): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  if (slug !== undefined && isRootCause(slug)) {
    const page = rootCausePage(slug, styleFor(process.stdout, true))
    await writeOut(format === 'json' ? `${JSON.stringify(rootCauseEntry(slug), null, 2)}\n` : page)
    return 0
  }
  if (slug !== undefined && !isCause(slug)) {
    const known = [...CAUSES, ...ROOT_CAUSES]
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `there is no cause ${slug}; did you mean ${nearest(slug, known)}? why5xx causes lists all ${known.length}`
    )
  }
  if (format === 'json') {
    const causes = slug === undefined ? CAUSES : [slug]
    const entries = causes.map(cause => ({ kind: 'cause', cause, ...causeTable[cause] }))
    const all = slug === undefined ? [...entries, ...ROOT_CAUSES.map(rootCauseEntry)] : entries[0]
    await writeOut(`${JSON.stringify(all, null, 2)}\n`)
    return 0
  }
  await writeOut(slug === undefined ? catalogue() : page(slug))
  return 0
}

function catalogue(): string {
  const style = styleFor(process.stdout, true)
  const width = Math.max(...CAUSES.map(cause => cause.length))
  const lines = [style.dim(`${'CAUSE'.padEnd(width)}  BLAME       SLO  MEANING`)]
  for (const cause of CAUSES) {
    const { blame, slo, title } = causeTable[cause]
    lines.push(
      clip(`${cause.padEnd(width)}  ${blame.padEnd(10)}  ${(slo ? 'yes' : '-').padEnd(3)}  ${title}`, style.width)
    )
  }
  return `${lines.join('\n')}

${rootCausesTable(style)}

A cause is what the logs tell, a root cause what was wrong in the cluster. why5xx causes CAUSE says what to check and what to do.
`
}

function page(cause: Cause): string {
  const style = styleFor(process.stdout, true)
  const info = causeTable[cause]
  const list = (items: readonly string[]): string => items.map(item => `  - ${item}`).join('\n')
  return `${style.bold(cause)}: ${info.title}
category ${info.category}, blame ${info.blame}, ${info.slo ? 'counts' : 'does not count'} against an SLO

${info.meaning}

${style.bold('Check')}
${list(info.check)}

${style.bold('Do')}
${list(info.fix)}
`
}
