import { CAUSES, type Cause, causeTable } from '../../parsers/causes.ts'
import { Why5xxError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { styleFor } from '../terminal.ts'
import { clip } from '../text.ts'
import { writeOut } from './output.ts'

/** Prints the catalogue, or one cause in full. */
export async function runCauses(slug: string | undefined, flags: { format?: string }): Promise<number> {
  const format = flags.format ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new Why5xxError('WHY5XX_USAGE', `--format ${format}: expected text or json`)
  if (slug !== undefined && !(CAUSES as readonly string[]).includes(slug)) {
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `there is no cause ${slug}; did you mean ${nearest(slug, CAUSES)}? why5xx causes lists all ${CAUSES.length}`
    )
  }
  const causes = slug === undefined ? CAUSES : [slug as Cause]
  if (format === 'json') {
    const entries = causes.map(cause => ({ cause, ...causeTable[cause] }))
    await writeOut(`${JSON.stringify(slug === undefined ? entries : entries[0], null, 2)}\n`)
    return 0
  }
  await writeOut(slug === undefined ? catalogue() : page(slug as Cause))
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
  return `${lines.join('\n')}\n\nwhy5xx causes CAUSE says what to check and what to do.\n`
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
