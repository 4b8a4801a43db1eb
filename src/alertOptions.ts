/** The options of alerts: who is told; a part of the table of options. */

import type { OptionInfo } from './optionTable.ts'

export const ALERT_OPTIONS: readonly OptionInfo[] = [
  {
    path: 'alerts.profile',
    type: 'choice',
    choices: ['normal', 'sensitive'],
    default: 'normal',
    unit: null,
    sentence:
      'How improbable a spike must be: normal 1e-6, sensitive 1e-5, which finds a little more and is wrong twice as often; of run, not of explain and replay.'
  },
  {
    path: 'alerts.alertmanager.urls',
    type: 'texts',
    default: [],
    unit: null,
    sentence:
      'Addresses of every Alertmanager (v2), such as http://alertmanager:9093; each is told, they agree among themselves.'
  },
  {
    path: 'alerts.alertmanager.username',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'User of basic authentication.'
  },
  {
    path: 'alerts.alertmanager.password',
    type: 'password',
    default: null,
    unit: null,
    sentence: 'Password that goes with it. Better in a file: alerts.alertmanager.passwordFile.'
  },
  {
    path: 'alerts.alertmanager.passwordFile',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'File that holds alerts.alertmanager.password; read at start.'
  },
  {
    path: 'alerts.alertmanager.bearerToken',
    type: 'password',
    default: null,
    unit: null,
    sentence: 'Bearer token, instead of user and password. Better in a file: alerts.alertmanager.bearerTokenFile.'
  },
  {
    path: 'alerts.alertmanager.bearerTokenFile',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'File that holds alerts.alertmanager.bearerToken; read at start.'
  },
  {
    path: 'alerts.webhooks',
    type: 'webhooks',
    default: [],
    unit: null,
    sentence:
      'Webhooks, each { url or urlFile, name, template: generic | slack | pagerduty | FILE.liquid, secret or secretFile (HMAC), routingKey or routingKeyFile (PagerDuty), headers, severities: [page, ticket] }.'
  },
  {
    path: 'alerts.topic',
    type: 'text',
    default: 'why5xx.incidents',
    unit: null,
    sentence:
      'Compacted topic with one partition that keeps incidents where source.kind is kafka: a restart needs no store.'
  },
  {
    path: 'links.incident',
    type: 'optionalText',
    placeholders: ['id', 'service', 'upstream', 'cause', 'from', 'to'],
    default: null,
    unit: null,
    sentence:
      'URL template of an incident in messages: {id}, {service}, {upstream}, {cause}, {from}, {to} (RFC 3339) are replaced; without one they name the command.'
  }
]

export interface WebhookConfig {
  /** Left out: by its place in the list. */
  name?: string
  /** One of the two. */
  url?: string
  urlFile?: string
  /** `generic`, `slack`, `pagerduty`, or a file of one's own. */
  template: string
  /** Key of the signature; without it there is none. */
  secret?: string
  secretFile?: string
  routingKey?: string
  routingKeyFile?: string
  headers: Record<string, string>
  severities: ('page' | 'ticket')[]
}

export interface AlertsConfig {
  profile: 'normal' | 'sensitive'
  alertmanager: {
    urls: string[]
    username: string | null
    password: string | null
    passwordFile: string | null
    bearerToken: string | null
    bearerTokenFile: string | null
  }
  webhooks: WebhookConfig[]
  topic: string
}
