/** What `fix` prints: a diagnosis with what to check, what would be changed, and how to take it back. */

import { rootCauseInfo, sentenceOf } from '../diagnose/catalogue.ts'
import { labelOf } from '../diagnose/confidence.ts'
import type { Diagnosis } from '../diagnose/diagnosis.ts'
import type { Change, Remediation } from '../diagnose/remediation.ts'
import { runbookOf } from '../diagnose/runbook.ts'
import { remediationText, verdictOf } from '../diagnose/verdict.ts'
import type { Style } from '../terminal.ts'
import { safeJson, safeText } from '../text.ts'

export interface Fixed {
  /** Of the failure, or of the case. */
  id: string
  diagnosis: Diagnosis
  remediation: Remediation | null
}

export function fixJson({ id, diagnosis, remediation }: Fixed): object {
  const { severity, fix } = rootCauseInfo(diagnosis.rootCause)
  const said = { sentence: sentenceOf(diagnosis), severity, fix }
  return { id, ...said, ...verdictOf(diagnosis), remediation: remediationText(remediation) }
}

export function fixText({ id, diagnosis, remediation }: Fixed, style: Style): string {
  const { rootCause, variant, confidence, evidence, wouldDecide } = diagnosis
  const { title, severity, fix } = rootCauseInfo(rootCause)
  const kind = variant === null ? rootCause : `${rootCause} (${safeText(variant)})`
  const label = labelOf(confidence)
  const sure = label === null ? '' : `, confidence ${confidence.toFixed(2)} (${label})`
  const parts = [
    `${style.bold(sentenceOf(diagnosis))}\n${kind}: ${title}; ${severity}${sure}; ${safeText(id)}`,
    section(
      'Evidence',
      evidence.map(({ cite, text }) => `${safeText(text)}\n    ${style.dim(safeText(cite))}`),
      style
    ),
    section('What would decide it', wouldDecide.map(safeText), style),
    section('Check', runbookOf(diagnosis), style, ''),
    section('Do', fix, style),
    ...(remediation === null ? [] : remedyText(remediation, style))
  ]
  return `${parts.filter(part => part !== '').join('\n\n')}\n`
}

function remedyText({ commands, diff, undo, manifest, note, isAutomatic }: Remediation, style: Style): string[] {
  return [
    isAutomatic
      ? section('Try it: dry runs, without --dry-run=server they change the cluster', commands, style, '')
      : '',
    section(
      'Would change',
      diff.map(change => changeText(change, style)),
      style,
      ''
    ),
    manifest === null ? '' : `${style.bold('Manifest to review')}\n${safeJson(manifest)}`,
    section('Take it back', undo, style, ''),
    note === null ? '' : `${style.bold('Note')}: ${safeText(note)}`
  ]
}

function changeText({ object, path, from, to }: Change, style: Style): string {
  const lines = [`${safeText(object)} ${safeText(path)}`]
  if (from !== null) lines.push(style.red(`  - ${safeText(from)}`))
  if (to !== null) lines.push(style.green(`  + ${safeText(to)}`))
  return lines.join('\n  ')
}

/** '' when there is nothing in it. Commands have no mark in front: they are copied. */
function section(title: string, items: readonly string[], style: Style, mark = '- '): string {
  if (items.length === 0) return ''
  return `${style.bold(title)}\n${items.map(item => `  ${mark}${item}`).join('\n')}`
}
