/**
 * Writes parsers/errorMessages.generated.ts from parsers/error-messages.tsv.
 *
 *   node test/support/generateErrorMessages.ts          (Node 22.18 or newer: it strips the types itself)
 *   npx vitest run --project unit test/parsers/errorMessageTable.test.ts -u  (any Node: the committed file is a snapshot)
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const TSV_PATH = fileURLToPath(new URL('../../parsers/error-messages.tsv', import.meta.url))
export const GENERATED_PATH = fileURLToPath(new URL('../../parsers/errorMessages.generated.ts', import.meta.url))

/** One line of the tsv, columns under their names. */
export interface TsvRow {
  id: string
  emitter: string
  level: string
  message: string
  phases: string[]
  typicalStatus: string
  cause: string
}

export function readTsv(text: string): TsvRow[] {
  return text
    .split('\n')
    .slice(1)
    .filter(line => line !== '')
    .map(line => {
      const [id, emitter, level, message, phase, typicalStatus, cause] = line.split('\t')
      return { id, emitter, level, message, phases: phase.split('|'), typicalStatus, cause }
    })
}

/**
 * Whether a row can be the end of a request: one alternative of `typical_status` begins with a status of 400 or more,
 * or is nginx's 009. `200 (status already sent)` and `500 on /healthz` (the kubelet's own request) do not.
 */
export function endsRequest(typicalStatus: string): boolean {
  return typicalStatus.split('|').some(alternative => /^([4-9]\d\d|009)(?! on )/.test(alternative))
}

/** The whole text of the generated module. */
export function generateErrorMessages(tsv: string): string {
  const rows = readTsv(tsv).map(row => {
    const phases = row.phases.map(phase => phase.replace(/^while /, '')).join('|')
    const ends = endsRequest(row.typicalStatus) ? 1 : 0
    return JSON.stringify([row.id, row.message, phases, row.cause, row.level, row.emitter, ends])
  })
  return `/** Generated from error-messages.tsv by test/support/generateErrorMessages.ts: edit that table, never this file. */

import type { MessageCause } from './record.ts'

/** \`message\` with its placeholders in <…>; \`phases\` without "while ", joined by "|", "-" for none; 1: can end a request. */
export type MessageRow = readonly [
  id: string,
  message: string,
  phases: string,
  cause: MessageCause,
  level: string,
  emitter: string,
  endsRequest: 0 | 1
]

/** A function, so that a run that reads no error line never builds the table. */
export function messageRows(): readonly MessageRow[] {
  return [
${rows.join(',\n')}
  ]
}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(GENERATED_PATH, generateErrorMessages(readFileSync(TSV_PATH, 'utf8')))
}
