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
  const text = readFile(path, file).trim()
  if (!SECRET.test(text))
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `${path}: ${file} must hold one token of at least 16 printable ASCII characters; it holds ${text === '' ? 'nothing' : `${text.length} characters${/\s/.test(text) ? ', some of them blanks or line ends' : ''}`}`
    )
  return text
}

/**
 * A secret that somebody else made, so of any form: the value, or what stands in the file without the blanks around it; null:
 * neither is given. Throws Why5xxError `WHY5XX_CONFIG` without the secret.
 */
export function readSecret(option: string, file: string | null, value: string | null): string | null {
  if (value !== null || file === null) return value
  const text = readFile(option, file).trim()
  if (text === '') throw new Why5xxError('WHY5XX_CONFIG', `${option}: ${file} is empty`)
  return text
}

/** Throws Why5xxError `WHY5XX_CONFIG`. */
export function readFile(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Why5xxError('WHY5XX_CONFIG', `${option}: cannot read ${file}: ${systemErrorText(error)}`, {
      cause: error
    })
  }
}
