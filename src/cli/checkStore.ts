import type { StoreCheck } from '../store/embedded/verify.ts'
import { verifyStore } from '../store/embedded/verify.ts'
import { styleFor } from '../terminal.ts'
import { grouped, jsonText, plural, safeText } from '../text.ts'
import { writeOut } from './output.ts'

/** `why5xx check --store`. Exit code 1 if anything must be mended. */
export async function runCheckStore(path: string, format: string): Promise<number> {
  const check = await verifyStore(path)
  await writeOut(format === 'json' ? `${jsonText(check, 2)}\n` : storeText(check))
  return check.problems.length > 0 ? 1 : 0
}

function storeText(check: StoreCheck): string {
  const style = styleFor(process.stdout, true)
  const { sealed, unsealed } = check.failures
  const size = (bytes: number | null): string => (bytes === null ? '' : `, ${grouped(bytes)} bytes each`)
  const days = check.days.filter(({ kind }) => kind === 'failures')
  const batches = check.segments.reduce((sum, segment) => sum + segment.batches, 0)
  const lines = [
    style.bold(safeText(check.path)),
    `  format ${check.format}, ${grouped(check.bytes)} bytes, ${check.writer === null ? 'nobody writes to it' : `written by ${safeText(check.writer)}`}`,
    `  ${grouped(sealed).padStart(12)}  failures in ${plural(days.length, 'day')} of Parquet${size(check.bytesPerFailure.sealed)}`,
    `  ${grouped(unsealed).padStart(12)}  failures in ${plural(check.segments.length, 'segment')} of ${plural(batches, 'batch', 'batches')}${size(check.bytesPerFailure.unsealed)}`
  ]
  for (const note of check.notes) lines.push(`  ${safeText(note)}`)
  for (const { what, mend } of check.problems)
    lines.push(`  ${style.red(safeText(what))}`, `    mend: ${safeText(mend)}`)
  if (check.problems.length === 0) lines.push(`  ${style.green('nothing to mend')}`)
  return `${lines.join('\n')}\n`
}
