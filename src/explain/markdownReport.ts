import { causeTable } from '../../parsers/causes.ts'
import { grouped, percent } from '../text.ts'
import * as say from './report.ts'
import { whyTexts } from './whyText.ts'

/** The same answer for an issue, a chat or a postmortem. Log text is escaped: no links, mentions, HTML or headings of its own. */
export function markdownReport(facts: say.ReportFacts): string {
  const { engine, summary } = facts
  const { failed, beside, masked } = say.splitGroups(summary)
  const out = ['# Failed requests', '', say.headline(facts).map(escapeMarkdown).join(' · '), '']
  const empty = say.emptyAnswer(facts)
  if (empty.length > 0) out.push(...empty.map(escapeMarkdown), '')
  const detailed = new Set(failed)
  if (failed.length > 0)
    out.push('## By cause', '', ...table(facts, failed, 'Failed', engine.totals.failures, detailed), '')
  for (const row of failed) out.push(...details(facts, row), '')
  if (masked.length > 0)
    out.push('## Saved by a retry', '', ...table(facts, masked, 'Saved', engine.counts.masked, detailed), '')
  if (beside.length > 0) out.push('## Not counted as failed', '', ...table(facts, beside, 'Count', 0, detailed), '')
  const controller = say.controllerLines(facts)
  if (controller.length > 0)
    out.push('## What the controller said', '', ...controller.map(line => `- ${escapeMarkdown(line)}`), '')
  const caveats = say.caveats(facts)
  if (caveats.length > 0) out.push('## Not covered', '', ...caveats.map(line => `- ${escapeMarkdown(line)}`), '')
  return `${out.join('\n').trimEnd()}\n`
}

/** `whole` 0: no share. */
function table(
  facts: say.ReportFacts,
  rows: say.Row[],
  title: string,
  whole: number,
  detailed: Set<say.Row>
): string[] {
  const lines = [`| Cause | ${title} | Share | Where | First | Last | Blame |`, '|---|---:|---:|---|---|---|---|']
  for (const row of rows) {
    const { group, tally } = row
    const cells = [
      say.causeText(row),
      grouped(tally.count),
      whole === 0 ? '' : percent(tally.count, whole),
      escapeMarkdown(say.where(group)),
      facts.clock.short(tally.firstMs),
      facts.clock.short(tally.lastMs),
      causeTable[group.cause].blame
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  for (const note of say.doubtNotes(rows, detailed)) lines.push('', escapeMarkdown(note))
  return lines
}

function details(facts: say.ReportFacts, { group, tally }: say.Row): string[] {
  const lines = [`### ${group.cause}, ${escapeMarkdown(say.where(group))}`, '', `${causeTable[group.cause].title}.`]
  const about = [say.addressLine(group), say.statusLine(tally), say.doubtLine(tally)].filter(Boolean)
  if (about.length > 0) lines.push('', escapeMarkdown(about.join('; ')))
  const { example } = group
  if (example) {
    const code = [`${say.exampleLine(example)}   ${say.positionText(example.access, facts.inputs)}`]
    if (example.error)
      code.push(`${say.errorText(example.error)}   ${say.positionText(example.error.position, facts.inputs)}`)
    lines.push('', ...code.map(line => `    ${line.trimEnd()}`))
  }
  const { shown, rest } = whyTexts(group.cause, group.why, facts.clock)
  for (const { sentence, evidence, advice } of shown) {
    lines.push('', `**Why:** ${escapeMarkdown(sentence)}. ${escapeMarkdown(capital(advice))}`)
    if (evidence.length > 0) lines.push('', ...evidence.map(cite => `    ${cite}`))
  }
  if (rest) lines.push('', escapeMarkdown(rest))
  lines.push('', `Check: ${escapeMarkdown(say.checkText(group))} (\`why5xx causes ${group.cause}\`)`)
  return lines
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
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
