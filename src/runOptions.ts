/** The options of the long-running process; a part of the table of options. */

import type { ElasticsearchConfig, KafkaConfig } from './clusterOptions.ts'
import type { OptionInfo } from './optionTable.ts'

export const RUN_OPTIONS: readonly OptionInfo[] = [
  {
    path: 'source.kind',
    type: 'choice',
    choices: ['files', 'stdin', 'kafka'],
    default: 'files',
    unit: null,
    sentence: 'Where run reads lines from.'
  },
  {
    path: 'source.files.paths',
    type: 'texts',
    default: ['/var/log/containers/*_ingress-nginx_controller-*.log'],
    unit: null,
    sentence: 'Files to read, by path or pattern (* ? [ab] {a,b}); patterns are looked at again while run goes on.'
  },
  {
    path: 'source.files.follow',
    type: 'boolean',
    default: true,
    unit: null,
    sentence: 'false reads the files to their end, writes everything, and ends.'
  },
  {
    path: 'sink.kind',
    type: 'choice',
    choices: ['embedded', 'elasticsearch'],
    default: 'embedded',
    unit: null,
    sentence: 'Where failures and totals are kept: embedded is a folder on this machine, elasticsearch a cluster of it.'
  },
  {
    path: 'sink.embedded.path',
    type: 'text',
    default: './why5xx-data',
    unit: null,
    sentence: 'Folder of the embedded store; it is made when it is not there.'
  },
  {
    path: 'sink.embedded.retention',
    type: 'duration',
    default: '30d',
    unit: null,
    min: 3_600_000,
    sentence: 'How long failures, totals and rejects are kept; what is older is deleted.'
  },
  {
    path: 'sink.embedded.sizeMax',
    type: 'size',
    default: null,
    unit: null,
    // A segment is sealed at 64 MB: with less there would be nothing to delete but what is being written.
    min: 256 * 2 ** 20,
    sentence: 'How large the folder may grow; the oldest goes first. null: only retention limits it.'
  },
  {
    path: 'web.listen',
    type: 'listen',
    default: '127.0.0.1:8055',
    unit: null,
    sentence: 'Address of /healthz, /readyz and /metrics; :8055 is every address of the machine, port 0 a free one.'
  },
  {
    path: 'web.token',
    type: 'secret',
    default: null,
    unit: null,
    sentence:
      'Bearer token for everything but /healthz and /readyz. Not on loopback, /metrics answers nobody without this or web.metricsToken. Better in a file: web.tokenFile.'
  },
  {
    path: 'web.tokenFile',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'File that holds web.token; read at start.'
  },
  {
    path: 'web.metricsToken',
    type: 'secret',
    default: null,
    unit: null,
    sentence: 'Bearer token that opens /metrics and nothing else.'
  },
  {
    path: 'web.metricsTokenFile',
    type: 'optionalText',
    default: null,
    unit: null,
    sentence: 'File that holds web.metricsToken; read at start.'
  },
  {
    path: 'log.level',
    type: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    unit: null,
    sentence: "How much run says on stderr; no level shows a log line's content at info or above."
  },
  {
    path: 'log.format',
    type: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    unit: null,
    sentence: 'auto: pretty on a terminal, else one JSON object a line.'
  }
]

export interface RunConfig {
  source: { kind: 'files' | 'stdin' | 'kafka'; files: { paths: string[]; follow: boolean }; kafka: KafkaConfig }
  sink: {
    kind: 'embedded' | 'elasticsearch'
    embedded: { path: string; retention: string; sizeMax: string | null }
    elasticsearch: ElasticsearchConfig
  }
  web: {
    listen: string
    token: string | null
    tokenFile: string | null
    metricsToken: string | null
    metricsTokenFile: string | null
  }
  log: { level: 'error' | 'warn' | 'info' | 'debug'; format: 'auto' | 'json' | 'pretty' }
}
