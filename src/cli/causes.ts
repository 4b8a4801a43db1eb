import { CAUSES, type CauseInfo, causeTable, isCause } from '../../parsers/causes.ts'
import { NO_REQUESTS } from '../alert/noRequests.ts'
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
  if (slug === 'no_requests') {
    const entry = { kind: 'incident', cause: slug, ...NO_REQUESTS }
    await writeOut(format === 'json' ? `${JSON.stringify(entry, null, 2)}\n` : page(slug, NO_REQUESTS))
    return 0
  }
  if (slug !== undefined && !isCause(slug)) {
    const known = [...CAUSES, ...ROOT_CAUSES, 'no_requests']
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
  await writeOut(slug === undefined ? catalogue() : page(slug, causeTable[slug], effectOf(causeTable[slug])))
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

A cause is what the logs tell, a root cause what was wrong in the cluster; no_requests is an incident without failures. why5xx causes CAUSE says what to check and what to do.
`
}

function effectOf({ category, blame, slo }: CauseInfo): string {
  return `category ${category}, blame ${blame}, ${slo ? 'counts' : 'does not count'} against an SLO\n`
}

function page(name: string, info: Pick<CauseInfo, 'title' | 'meaning' | 'check' | 'fix'>, effect = ''): string {
  const style = styleFor(process.stdout, true)
  const list = (items: readonly string[]): string => items.map(item => `  - ${item}`).join('\n')
  return `${style.bold(name)}: ${info.title}
${effect}
${info.meaning}

${style.bold('Check')}
${list(info.check)}

${style.bold('Do')}
${list(info.fix)}
`
}
