/** Options of alerts that are right by themselves and wrong together; a part of combinations.ts. */

import { httpUrl, webhookTitle } from './alert/notify/receiverAddress.ts'
import type { AlertsConfig, WebhookConfig } from './alertOptions.ts'

/** Ours, or made by the connection. */
const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'transfer-encoding',
  'x-why5xx-signature'
])
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
/** Tab, printable ASCII and Latin-1: what a header may hold. */
const HEADER_VALUE = /^[\t\x20-\x7e\xa0-\xff]*$/
/** A name is a label of metrics and a key of marks. */
const NAME = /^[\w .:@/-]{1,80}$/

/** Sentences without secrets, and without addresses, which are secrets too. */
export function impossibleAlerts({ alertmanager, webhooks }: AlertsConfig): string[] {
  return [...impossibleAlertmanager(alertmanager), ...webhooks.flatMap(impossibleWebhook), ...namesTwice(webhooks)]
}

function impossibleAlertmanager(config: AlertsConfig['alertmanager']): string[] {
  const problems: string[] = []
  const { urls, username, password, passwordFile, bearerToken, bearerTokenFile } = config
  const hasPassword = (password ?? passwordFile) !== null
  const hasToken = (bearerToken ?? bearerTokenFile) !== null
  if ((username !== null) !== hasPassword)
    problems.push('alerts.alertmanager.username and alerts.alertmanager.password (or passwordFile) go together')
  if (username?.includes(':')) problems.push('alerts.alertmanager.username holds a colon, which ends a user name')
  if (hasToken && (username !== null || hasPassword))
    problems.push('alerts.alertmanager has a bearer token and a username: give one of them')
  if (urls.length === 0 && (username !== null || hasPassword || hasToken))
    problems.push('alerts.alertmanager has a login, and alerts.alertmanager.urls is an empty list')
  for (const [i, text] of urls.entries()) {
    const url = httpUrl(text)
    if (typeof url === 'string') problems.push(`alerts.alertmanager.urls: number ${i + 1}: ${url}`)
    else if (/\/api\/v[12](?:\/alerts)?\/*$/.test(url.pathname))
      problems.push(`alerts.alertmanager.urls: number ${i + 1}: leave ${url.pathname} out, it is added`)
    else if (url.search !== '' || url.hash !== '')
      problems.push(`alerts.alertmanager.urls: number ${i + 1}: nothing may follow the path`)
  }
  const bases = urls.map(url => url.replace(/\/+$/, ''))
  if (new Set(bases).size < bases.length) problems.push('alerts.alertmanager.urls names an address twice')
  return problems
}

function impossibleWebhook(webhook: WebhookConfig, index: number): string[] {
  const about = `alerts.webhooks: ${webhookTitle(webhook, index)}`
  const problems: string[] = []
  const { name, url, urlFile, template, secret, secretFile, routingKey, routingKeyFile, headers } = webhook
  for (const [key, value, file] of [
    ['url', url, urlFile],
    ['secret', secret, secretFile],
    ['routingKey', routingKey, routingKeyFile]
  ] as const)
    if (value !== undefined && file !== undefined)
      problems.push(`${about}: ${key} and ${key}File are both given: give one of them`)
  const isPagerDuty = template === 'pagerduty'
  if ((url ?? urlFile) === undefined && !isPagerDuty) problems.push(`${about}: give url or urlFile`)
  if (url !== undefined) {
    const checked = httpUrl(url)
    if (typeof checked === 'string') problems.push(`${about}: url: ${checked}`)
  }
  const hasKey = (routingKey ?? routingKeyFile) !== undefined
  if (isPagerDuty && !hasKey)
    problems.push(`${about}: give routingKey or routingKeyFile, the key of an Events API v2 integration`)
  if ((template === 'generic' || template === 'slack') && hasKey)
    problems.push(`${about}: routingKey is for template pagerduty, or for a file that prints routing_key`)
  if (name !== undefined && !NAME.test(name))
    problems.push(`${about}: a name has at most 80 letters, digits, blanks and _ . : @ / -`)
  for (const [header, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(header)) problems.push(`${about}: ${JSON.stringify(header)} is no name of a header`)
    else if (OWN_HEADERS.has(header.toLowerCase())) problems.push(`${about}: the header ${header} is ours`)
    else if (!HEADER_VALUE.test(value))
      problems.push(`${about}: the value of the header ${header} holds what no header may`)
  }
  return problems
}

function namesTwice(webhooks: readonly WebhookConfig[]): string[] {
  const names = webhooks.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i))
  return [...twice].map(name => `alerts.webhooks: two are called ${name}: give each a name of its own`)
}
