/** Receivers from the configuration. Files are read now, so that a run that could tell nobody does not start. */

import { readFileSync } from 'node:fs'
import type { WebhookConfig } from '../../alertOptions.ts'
import { systemErrorText, Why5xxError } from '../../errors.ts'
import type { Config } from '../../optionTable.ts'
import { readSecret } from '../../secrets.ts'
import { AlertmanagerReceiver } from './alertmanager.ts'
import type { Receiver } from './receiver.ts'
import { httpUrl, PAGERDUTY_URL, webhookTitle } from './receiverAddress.ts'
import { compileTemplate } from './template.ts'
import { compileShipped, isShipped } from './templates.ts'
import { WebhookReceiver } from './webhook.ts'

const ALERTMANAGER = 'alerts.alertmanager'
const WEBHOOKS = 'alerts.webhooks'

/**
 * One of each address. Throws Why5xxError `WHY5XX_CONFIG`; no message, and no name of a receiver, holds a secret: the address
 * of a webhook is one.
 */
export function openReceivers({ alerts }: Pick<Config, 'alerts'>): Receiver[] {
  const receivers = [...openAlertmanagers(alerts.alertmanager), ...openWebhooks(alerts.webhooks)]
  const names = receivers.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw wrong(WEBHOOKS, `two receivers are called ${twice}: give each a name of its own`)
  return receivers
}

function openAlertmanagers(config: Config['alerts']['alertmanager']): Receiver[] {
  if (config.urls.length === 0) return []
  const password = readSecret(`${ALERTMANAGER}.passwordFile`, config.passwordFile, config.password)
  const token = readSecret(`${ALERTMANAGER}.bearerTokenFile`, config.bearerTokenFile, config.bearerToken)
  const basic = Buffer.from(`${config.username}:${password}`).toString('base64')
  const authorization = token !== null ? `Bearer ${token}` : password !== null ? `Basic ${basic}` : null
  const secrets = [password, token, ...(authorization === null ? [] : [authorization, basic])]
  return config.urls.map(text => {
    const url = httpUrl(text)
    if (typeof url === 'string') throw wrong(`${ALERTMANAGER}.urls`, url)
    const name = `alertmanager ${url.host}${url.pathname.replace(/\/+$/, '')}`
    return new AlertmanagerReceiver({ name, url, authorization, secrets: secrets.filter(secret => secret !== null) })
  })
}

function openWebhooks(configs: readonly WebhookConfig[]): Receiver[] {
  const hosts = new Map<string, number>()
  return configs.map((config, i) => {
    const about = webhookTitle(config, i)
    const secretOf = (key: 'url' | 'secret' | 'routingKey'): string | null =>
      readSecret(`${WEBHOOKS}: ${about}: ${key}File`, config[`${key}File`] ?? null, config[key] ?? null)
    const url = httpUrl(secretOf('url') ?? PAGERDUTY_URL)
    if (typeof url === 'string') throw wrong(WEBHOOKS, `${about}: ${url}`)
    const routingKey = secretOf('routingKey')
    const nth = (hosts.get(url.host) ?? 0) + 1
    if (config.name === undefined) hosts.set(url.host, nth)
    const { template, headers, severities } = config
    return new WebhookReceiver({
      name: `webhook ${config.name ?? `${url.host}${nth === 1 ? '' : ` ${nth}`}`}`,
      url,
      template: isShipped(template)
        ? compileShipped(template)
        : compileTemplate(readTemplate(template), template, routingKey !== null),
      secret: secretOf('secret'),
      routingKey,
      headers,
      severities
    })
  })
}

function readTemplate(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw wrong(
      WEBHOOKS,
      `template ${file} is none of generic, slack, pagerduty, and cannot be read: ${systemErrorText(error)}`
    )
  }
}

function wrong(path: string, sentence: string): Why5xxError {
  return new Why5xxError('WHY5XX_CONFIG', `${path}: ${sentence}`)
}
