import { verdictOf } from '../diagnose/verdict.ts'
import { Why5xxError } from '../errors.ts'
import { openInput } from '../source/input.ts'
import { jsonText } from '../text.ts'
import { CASE_BYTES_MAX, isJson, judgedCase } from './judgedCase.ts'
import { complain, reportInputError, writeOut } from './output.ts'

const NEWLINE = 10

/**
 * Prints one verdict a line, in the order of the cases, which are JSON objects a line; a file may also hold a single one over
 * many lines. Exit code 1 when a case could not be read: the others are judged all the same.
 */
export async function runDiagnose(paths: string[]): Promise<number> {
  let exitCode = 0
  for (const path of paths) {
    let cases = 0
    let bad = 0
    try {
      const input = openInput(path)
      for await (const { text, line } of caseTexts(input.chunks())) {
        try {
          await writeOut(`${jsonText(judged(text))}\n`)
          cases++
        } catch (error) {
          if (!(error instanceof Why5xxError) && !(error instanceof SyntaxError)) throw error
          const why = error instanceof Why5xxError ? error.message : 'no JSON'
          complain(
            `${input.name}:${line}: ${why}; a case is one JSON object a line: {"id", "now", "failure", "objects"}`
          )
          bad++
        }
      }
      if (cases + bad === 0) complain(`${input.name}: it holds no case`)
    } catch (error) {
      exitCode = reportInputError(error)
    }
    if (cases === 0 || bad > 0) exitCode = 1
  }
  return exitCode
}

function judged(text: string): object {
  const { id, diagnosis, state } = judgedCase(JSON.parse(text))
  return { id, ...(diagnosis === null ? { root_cause: null } : verdictOf(diagnosis, state)) }
}

/** Lines that hold something, counted from 1; all of it as one when the first line alone is no JSON. */
async function* caseTexts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ text: string; line: number }> {
  let rest: Buffer[] = []
  let bytes = 0
  let line = 0
  let isOne: boolean | null = null
  for await (const chunk of chunks) {
    // A copy: the input reads over its buffer.
    let bytesLeft = Buffer.from(chunk)
    for (let end = bytesLeft.indexOf(NEWLINE); end >= 0 && isOne !== true; end = bytesLeft.indexOf(NEWLINE)) {
      const text = Buffer.concat([...rest, bytesLeft.subarray(0, end)]).toString()
      if (text.trim() !== '' && isOne === null) isOne = !isJson(text)
      if (isOne === true) break
      line++
      rest = []
      bytes = 0
      bytesLeft = bytesLeft.subarray(end + 1)
      if (text.trim() !== '') yield { text, line }
    }
    rest.push(bytesLeft)
    bytes += bytesLeft.length
    if (bytes > CASE_BYTES_MAX)
      throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', `line ${line + 1} is longer than a case may be (256 MiB)`)
  }
  const text = Buffer.concat(rest).toString()
  if (text.trim() !== '') yield { text, line: line + 1 }
}
