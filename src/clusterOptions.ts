/** The options of Kafka and Elasticsearch; a part of the table of options. */

import type { OptionInfo } from './optionTable.ts'

function option(
  path: string,
  type: OptionInfo['type'],
  value: OptionInfo['default'],
  sentence: string,
  more: Partial<OptionInfo> = {}
): OptionInfo {
  return { path, type, default: value, unit: null, sentence, ...more }
}

export const CLUSTER_OPTIONS: readonly OptionInfo[] = [
  option('source.kafka.brokers', 'texts', ['127.0.0.1:9092'], 'Brokers to ask first, as HOST:PORT.'),
  option('source.kafka.topic', 'text', 'why5xx.nginx.raw', 'Topic of access, error and controller lines.'),
  option('source.kafka.groupId', 'text', 'why5xx-worker', 'Consumer group; its members share the partitions.'),
  option('source.kafka.driver', 'choice', 'kafkajs', 'Client library; node-rdkafka must be installed beside why5xx.', {
    choices: ['kafkajs', 'node-rdkafka']
  }),
  option(
    'source.kafka.sessionTimeoutMs',
    'integer',
    45_000,
    'How long the group waits for a member that has died before others take over its partitions.',
    { unit: 'ms', min: 1_000 }
  ),
  option(
    'source.kafka.rejectTopic',
    'text',
    'why5xx.reject',
    'Topic for lines nobody could read and documents the sink refused, with their original bytes.'
  ),
  option('source.kafka.tls.enabled', 'boolean', false, 'Talk to the brokers over TLS; any file below turns it on too.'),
  option('source.kafka.tls.caFile', 'optionalText', null, 'PEM file of the authorities that may sign the brokers.'),
  option('source.kafka.tls.certFile', 'optionalText', null, 'PEM file of our certificate, where brokers ask for one.'),
  option('source.kafka.tls.keyFile', 'optionalText', null, 'PEM file of the key that belongs to it.'),
  option('source.kafka.sasl.mechanism', 'choice', 'none', 'How to log in to the brokers.', {
    choices: ['none', 'plain', 'scram-sha-256', 'scram-sha-512']
  }),
  option('source.kafka.sasl.username', 'optionalText', null, 'User of the brokers.'),
  option('source.kafka.sasl.password', 'password', null, 'Password of the user. Better in a file.'),
  option('source.kafka.sasl.passwordFile', 'optionalText', null, 'File that holds the password; read at start.'),
  option('sink.elasticsearch.nodes', 'texts', ['http://127.0.0.1:9200'], 'URLs of Elasticsearch nodes.'),
  option(
    'sink.elasticsearch.namespace',
    'text',
    'default',
    'Part of every index name, so that tenants or environments lie apart: small letters, digits and _.'
  ),
  option('sink.elasticsearch.apiKey', 'password', null, 'API key, as encoded by Elasticsearch. Better in a file.'),
  option('sink.elasticsearch.apiKeyFile', 'optionalText', null, 'File that holds the API key; read at start.'),
  option('sink.elasticsearch.username', 'optionalText', null, 'User, where there is no API key.'),
  option('sink.elasticsearch.password', 'password', null, 'Password of the user. Better in a file.'),
  option('sink.elasticsearch.passwordFile', 'optionalText', null, 'File that holds the password; read at start.'),
  option('sink.elasticsearch.caFile', 'optionalText', null, 'PEM file of the authorities that may sign the nodes.'),
  option(
    'sink.elasticsearch.retention',
    'duration',
    '30d',
    'How long failures, controller lines and rejects are kept.',
    {
      min: 86_400_000
    }
  ),
  option('sink.elasticsearch.rollupRetention', 'duration', '90d', 'How long totals per minute are kept.', {
    min: 86_400_000
  }),
  option(
    'sink.elasticsearch.lifecycle',
    'choice',
    'ilm',
    'Who deletes what is older: a lifecycle policy made by setup, or the worker itself where there is no ILM.',
    { choices: ['ilm', 'own'] }
  )
]

export interface KafkaConfig {
  brokers: string[]
  topic: string
  groupId: string
  driver: 'kafkajs' | 'node-rdkafka'
  sessionTimeoutMs: number
  rejectTopic: string
  tls: { enabled: boolean; caFile: string | null; certFile: string | null; keyFile: string | null }
  sasl: {
    mechanism: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512'
    username: string | null
    password: string | null
    passwordFile: string | null
  }
}

export interface ElasticsearchConfig {
  nodes: string[]
  namespace: string
  apiKey: string | null
  apiKeyFile: string | null
  username: string | null
  password: string | null
  passwordFile: string | null
  caFile: string | null
  retention: string
  rollupRetention: string
  lifecycle: 'ilm' | 'own'
}
