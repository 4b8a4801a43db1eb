import { Why5xxError } from '../errors.ts'
import { safeText } from '../text.ts'

/** Writes to stdout and waits while the pipe is full. A reader that went away ends the program silently (main.ts). */
export async function writeOut(text: string): Promise<void> {
  if (text === '' || process.stdout.write(text)) return
  await new Promise<void>(resolve => process.stdout.once('drain', resolve))
}

/** Says on stderr what could not be read; the rest is still reported. Returns the exit code 1; other errors go on. */
export function reportInputError(error: unknown): number {
  if (!(error instanceof Why5xxError)) throw error
  complain(error.message)
  return 1
}

/** One message on stderr. Names of files and what was typed may hold anything. */
export function complain(message: string): void {
  process.stderr.write(`why5xx: ${message.split('\n').map(safeText).join('\n')}\n`)
}
