/** How one logs in to Elasticsearch and to Kibana: the same options below each. */

import { Why5xxError } from './errors.ts'
import { readSecret } from './secrets.ts'

export interface LoginConfig {
  apiKey: string | null
  apiKeyFile: string | null
  username: string | null
  password: string | null
  passwordFile: string | null
}

export type Login = { apiKey: string } | { username: string; password: string }

/** Reads files of secrets. null: nobody. Throws Why5xxError `WHY5XX_CONFIG`; no message holds a secret. */
export function loginOf(prefix: string, config: LoginConfig): Login | null {
  const option = (name: string): string => `${prefix}.${name}`
  const apiKey = readSecret(option('apiKeyFile'), config.apiKeyFile, config.apiKey)
  const password = readSecret(option('passwordFile'), config.passwordFile, config.password)
  const { username } = config
  if (apiKey !== null) {
    if (username !== null)
      throw new Why5xxError('WHY5XX_CONFIG', `${option('apiKey')} and ${option('username')}: give one of them`)
    return { apiKey }
  }
  if (username === null && password === null) return null
  if (username === null || password === null)
    throw new Why5xxError('WHY5XX_CONFIG', `${option('username')} and ${option('password')}: one needs the other`)
  return { username, password }
}

/** Throws Why5xxError `WHY5XX_CONFIG`. `expected`: `URLs such as https://elasticsearch:9200`. */
export function checkUrl(prefix: string, name: string, text: string, expected: string): void {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Why5xxError('WHY5XX_CONFIG', `${prefix}.${name}: expected ${expected}`)
  if (url.username !== '' || url.password !== '')
    throw new Why5xxError(
      'WHY5XX_CONFIG',
      `${prefix}.${name}: no user in the URL of ${url.host}; give ${prefix}.username and passwordFile`
    )
}
