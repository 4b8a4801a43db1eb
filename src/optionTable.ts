/**
 * Every option there is, once: the zod schema, `why5xx config`, the environment's names and the defaults come from here.
 * Plain data, so that a command that needs only defaults does not pay for a schema library.
 */

import { ALERT_OPTIONS, type AlertsConfig } from './alertOptions.ts'
import { CLUSTER_OPTIONS } from './clusterOptions.ts'
import { KIBANA_OPTIONS, type KibanaConfig } from './kibanaOptions.ts'
import { KUBERNETES_OPTIONS, type KubernetesConfig, type Role } from './kubernetesOptions.ts'
import { RUN_OPTIONS, type RunConfig } from './runOptions.ts'

/** `list`: of regular expressions; `texts`: of anything; `choices`: a list of some of them, or null; `secret`: a token that is never shown; `password`: any text that is never shown; `webhooks`: whom to tell, with secrets. Their forms: optionType.ts. */
export type OptionType =
  | 'text'
  | 'optionalText'
  | 'integer'
  | 'boolean'
  | 'choice'
  | 'choices'
  | 'list'
  | 'texts'
  | 'duration'
  | 'size'
  | 'listen'
  | 'secret'
  | 'password'
  | 'webhooks'

export interface OptionInfo {
  /** `join.errorWaitMs` is `join: { errorWaitMs: … }` in the file and WHY5XX_JOIN_ERROR_WAIT_MS in the environment. */
  path: string
  type: OptionType
  choices?: readonly string[]
  default: string | number | boolean | readonly string[] | null
  /** What a number counts; null for everything else. */
  unit: string | null
  /** Of integers; of durations in ms; of sizes in bytes. */
  min?: number
  sentence: string
}

const ENGINE_OPTIONS: readonly OptionInfo[] = [
  {
    path: 'clusterName',
    type: 'text',
    default: 'default',
    unit: null,
    sentence: 'Name of the cluster; part of every id and document.'
  },
  {
    path: 'timeZone',
    type: 'text',
    default: 'UTC',
    unit: null,
    sentence:
      'IANA time zone of error lines and klog lines when neither an envelope nor an access line of the same source tells it.'
  },
  {
    path: 'logFormat',
    type: 'text',
    default: 'auto',
    unit: null,
    sentence:
      "nginx's log_format string (log-format-upstream in the ConfigMap); auto knows the default of every controller version, combined, and JSON by key names."
  },
  {
    path: 'logFormatEscape',
    type: 'choice',
    choices: ['default', 'json', 'none'],
    default: 'default',
    unit: null,
    sentence: 'Escaping that goes with logFormat: json for log-format-escape-json, none for log-format-escape-none.'
  },
  {
    path: 'join.errorWaitMs',
    type: 'integer',
    default: 190_000,
    unit: 'ms of record time',
    min: 0,
    sentence: 'How long an error line waits for the access line of its request: three read timeouts of 60 s, and some.'
  },
  {
    path: 'join.accessWaitMs',
    type: 'integer',
    default: 2_000,
    unit: 'ms of record time',
    min: 0,
    sentence: 'How long a failed access line waits for error lines that were delivered late.'
  },
  {
    path: 'join.errorsHeldMax',
    type: 'integer',
    default: 10_000,
    unit: 'lines per source',
    min: 1,
    sentence: 'How many error lines may wait at once; the oldest is given up first, and counted.'
  },
  {
    path: 'masking.query',
    type: 'boolean',
    default: true,
    unit: null,
    sentence: 'Query strings and quoted header values are replaced by ***.'
  },
  {
    path: 'masking.referrer',
    type: 'boolean',
    default: true,
    unit: null,
    sentence: 'Referrers are cut down to their origin.'
  },
  {
    path: 'masking.userAgent',
    type: 'boolean',
    default: false,
    unit: null,
    sentence: 'User agents are replaced by ***.'
  },
  {
    path: 'masking.path',
    type: 'list',
    default: [],
    unit: null,
    sentence: 'Regular expressions; what they match in a path is replaced by ***.'
  },
  {
    path: 'masking.client',
    type: 'choice',
    choices: ['none', 'truncate'],
    default: 'none',
    unit: null,
    sentence: 'truncate keeps the network of a client address alone (/24, /48).'
  },
  {
    path: 'links.runbook',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'URL template of runbooks, {cause} is replaced; without one texts name `why5xx causes CAUSE`.'
  }
]

export const OPTIONS: readonly OptionInfo[] = [
  ...ENGINE_OPTIONS,
  ...RUN_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...KUBERNETES_OPTIONS,
  ...ALERT_OPTIONS,
  ...KIBANA_OPTIONS
]

/** Its value is never shown. */
export function isSecret({ type }: OptionInfo): boolean {
  return type === 'secret' || type === 'password' || type === 'webhooks'
}

/** WHY5XX_JOIN_ERROR_WAIT_MS of `join.errorWaitMs`. */
export function environmentName(path: string): string {
  return `WHY5XX_${path
    .replace(/\./g, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()}`
}

/** A nested object with every default. */
export function defaultConfig(): Config {
  const config = {}
  for (const option of OPTIONS) setPath(config, option.path, option.default)
  return config as Config
}

export function setPath(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.')
  let at = target
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>
  at[keys.at(-1)!] = value
}

export interface Config extends RunConfig {
  clusterName: string
  timeZone: string
  logFormat: string
  logFormatEscape: 'default' | 'json' | 'none'
  join: { errorWaitMs: number; accessWaitMs: number; errorsHeldMax: number }
  masking: { query: boolean; referrer: boolean; userAgent: boolean; path: string[]; client: 'none' | 'truncate' }
  links: { runbook: string | null; incident: string | null }
  /** null: what fits the source; see `rolesOf`. */
  roles: Role[] | null
  kubernetes: KubernetesConfig
  diagnosis: { settleMs: number }
  alerts: AlertsConfig
  kibana: KibanaConfig
}
