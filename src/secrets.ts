import { readFileSync } from 'node:fs'
import { systemErrorText, Why5xxError } from './errors.ts'
import type { Config } from './optionTable.ts'

/** Shorter ones can be guessed. Printable ASCII, because it travels in a header. */
export const SECRET = /^[\x21-\x7e]{16,}$/

export interface WebTokens {
  token: string | null
  metricsToken: string | null
}

/**
 * The tokens themselves, from the configuration or the files it names. Read when they are needed, not with the
 * configuration: whoever only explains a file may not be allowed to read them.
 * Throws Why5xxError `WHY5XX_CONFIG`; no message holds a token.
 */
export function readTokens(web: Config['web']): WebTokens {
  return {
    token: web.token ?? fromFile('web.tokenFile', web.tokenFile),
    metricsToken: web.metricsToken ?? fromFile('web.metricsTokenFile', web.metricsTokenFile)
  }
}

function fromFile(path: string, file: string | null): string | null {
  if (file === null) return null
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Why5xxError('WHY5XX_CONFIG', `${path}: cannot read ${file}: ${systemErrorText(error)}`, { cause: error })
  }
  if (!SECRET.test(text))
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `${path}: ${file} must hold one token of at least 16 printable ASCII characters; it holds ${text === '' ? 'nothing' : `${text.length} characters${/\s/.test(text) ? ', some of them blanks or line ends' : ''}`}`
    )
  return text
}
