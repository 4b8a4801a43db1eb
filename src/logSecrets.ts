/** What may stand in no log line: the secrets of the configuration, and of the files it names. */

import { readFileSync, statSync } from 'node:fs'
import type { WebhookConfig } from './alertOptions.ts'
import type { Config } from './optionTable.ts'
import type { WebTokens } from './secrets.ts'

/** A longer file is no secret that anybody sends. */
const BYTES_MAX = 65_536
/** Of headers: a shorter value, such as `1` or `prod`, would blot out half of the log. */
const HEADER_LENGTH_MIN = 6

/** Never throws: who needs a file that cannot be read says so. */
export function logSecrets({ source, sink, alerts }: Config, tokens: WebTokens): string[] {
  const { sasl } = source.kafka
  const { apiKey, apiKeyFile, password, passwordFile } = sink.elasticsearch
  const { alertmanager, webhooks } = alerts
  const secrets = [
    tokens.token,
    tokens.metricsToken,
    ...either(sasl.password, sasl.passwordFile),
    ...either(apiKey, apiKeyFile),
    ...either(password, passwordFile),
    ...either(alertmanager.password, alertmanager.passwordFile),
    ...either(alertmanager.bearerToken, alertmanager.bearerTokenFile),
    ...webhooks.flatMap(ofWebhook)
  ]
  return [...new Set(secrets.filter(secret => secret !== null && secret !== ''))] as string[]
}

/** The address, too: whoever knows it may post there. */
function ofWebhook({ url, urlFile, secret, secretFile, routingKey, routingKeyFile, headers }: WebhookConfig) {
  return [
    ...either(url, urlFile),
    ...either(secret, secretFile),
    ...either(routingKey, routingKeyFile),
    ...Object.values(headers).flatMap(ofHeader)
  ]
}

/** `Bearer abc`, and `abc` by itself. */
function ofHeader(value: string): string[] {
  return [value, value.replace(/^\S+\s+/, '')].filter(text => text.length >= HEADER_LENGTH_MIN)
}

function either(value: string | null | undefined, file: string | null | undefined): (string | null)[] {
  return [value ?? null, file ? contentOf(file) : null]
}

/** A pipe, such as `<(pass show key)`, can be read once: that is for who uses it. */
function contentOf(file: string): string | null {
  try {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= BYTES_MAX ? readFileSync(file, 'utf8').trim() : null
  } catch {
    return null
  }
}
