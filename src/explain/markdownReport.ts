import { causeTable } from '../../parsers/causes.ts'
import { grouped, percent } from '../text.ts'
import * as say from './report.ts'
import type { Group } from './summary.ts'

/** The same answer for an issue, a chat or a postmortem. Log text is escaped: no links, mentions, HTML or headings of its own. */
export function markdownReport(facts: say.ReportFacts): string {
  const { engine, summary } = facts
  const { failed, beside, masked } = say.splitGroups(summary)
  const out = ['# Failed requests', '', say.headline(facts).map(escapeMarkdown).join(' · '), '']
  if (failed.length > 0)
    out.push('## By cause', '', ...table(facts, failed, 'Failed', group => group.failed, engine.totals.failures), '')
  for (const group of failed) out.push(...details(facts, group), '')
  if (masked.length > 0)
    out.push(
      '## Saved by a retry',
      '',
      ...table(facts, masked, 'Saved', group => group.masked, engine.counts.masked),
      ''
    )
  if (beside.length > 0) {
    out.push(
      '## Not counted as failed',
      '',
      ...table(facts, beside, 'Count', group => group.documents - group.failed - group.masked, 0),
      ''
    )
  }
  const controller = say.controllerLines(facts)
  if (controller.length > 0)
    out.push('## What the controller said', '', ...controller.map(line => `- ${escapeMarkdown(line)}`), '')
  const caveats = say.caveats(facts)
  if (caveats.length > 0) out.push('## Not covered', '', ...caveats.map(line => `- ${escapeMarkdown(line)}`), '')
  return `${out.join('\n').trimEnd()}\n`
}

function table(
  facts: say.ReportFacts,
  groups: Group[],
  title: string,
  count: (group: Group) => number,
  whole: number
): string[] {
  const lines = [`| Cause | ${title} | Share | Where | First | Last | Blame |`, '|---|---:|---:|---|---|---|---|']
  for (const group of groups) {
    const cells = [
      group.cause,
      grouped(count(group)),
      whole === 0 ? '' : percent(count(group), whole),
      escapeMarkdown(say.where(group)),
      facts.clock.short(group.firstMs),
      facts.clock.short(group.lastMs),
      causeTable[group.cause].blame
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  return lines
}

function details(facts: say.ReportFacts, group: Group): string[] {
  const lines = [`### ${group.cause}, ${escapeMarkdown(say.where(group))}`, '', `${causeTable[group.cause].title}.`]
  const about = [say.addressLine(group), say.statusLine(group), say.doubtLine(group)].filter(Boolean)
  if (about.length > 0) lines.push('', escapeMarkdown(about.join('; ')))
  const { example } = group
  if (example) {
    const code = [`${say.exampleLine(example)}   ${say.positionText(example.access, facts.inputs)}`]
    if (example.error)
      code.push(`${say.errorText(example.error)}   ${say.positionText(example.error.position, facts.inputs)}`)
    lines.push('', ...code.map(line => `    ${line.trimEnd()}`))
  }
  lines.push('', `Check: ${escapeMarkdown(say.checkText(group))}`)
  return lines
}

/**
 * Everything that Markdown or a chat would read as more than text. Entities and backslashes keep no address and no mention
 * from becoming a link, because these are looked for in the finished text: words with one are put in code.
 */
export function escapeMarkdown(text: string): string {
  return text
    .split(' ')
    .map(word => (/[@#]|:\/\/|www\.|\bGH-\d/i.test(word) ? codeSpan(word) : escapeWord(word)))
    .join(' ')
}

function escapeWord(word: string): string {
  return word.replace(/[\\`*_{}[\]()#+!|<>~$&]/g, char =>
    char === '<' ? '&lt;' : char === '>' ? '&gt;' : char === '&' ? '&amp;' : `\\${char}`
  )
}

/** In tables a pipe ends the cell even in code. */
function codeSpan(text: string): string {
  const fence = '`'.repeat(Math.max(0, ...[...text.matchAll(/`+/g)].map(run => run[0].length)) + 1)
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${text.replaceAll('|', '\\|')}${pad}${fence}`
}
