/** What a test needs and this machine lacks: said once, aloud; on CI it fails the run, because a skipped test proves nothing. */
const said = new Set<string>()

/** True when nothing is missing (`null`). Else says the sentence on stderr; with CI=true throws it. */
export function isAvailable(what: string, missing: string | null): boolean {
  if (missing === null) return true
  const sentence = `${what} is not to be had: ${missing}`
  const { CI } = process.env
  if (CI !== undefined && CI !== '' && CI !== 'false') throw new Error(sentence)
  if (!said.has(sentence)) process.stderr.write(`${sentence}; its tests are skipped\n`)
  said.add(sentence)
  return false
}
