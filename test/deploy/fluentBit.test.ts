/** What deploy/fluent-bit/ promises, held by its text: where Fluent Bit itself is there, test/integration/kafka/shipper.test.ts runs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { KNOWN_FORMATS } from '../../parsers/logFormat.ts'
import { OPTIONS } from '../../src/optionTable.ts'
import { FLUENT_BIT_FOLDER, fluentBitText, fluentBitValues, VALUES_PATH } from '../support/fluentBitValues.ts'

interface Plugin extends Record<string, unknown> {
  name: string
}

const { service, pipeline } = parse(fluentBitText()) as {
  service: Record<string, unknown>
  pipeline: { inputs: Plugin[]; filters: Plugin[]; outputs: Plugin[] }
}
const [tail] = pipeline.inputs as [Plugin]
const [kafka] = pipeline.outputs as [Plugin]

/** Of the pages "Service", "Tail", "Record Modifier", "Kafka", "Scheduling and retries", "Buffering" of Fluent Bit 5's manual. */
const DOCUMENTED = {
  service: [
    ...['flush', 'grace', 'log_level', 'http_server', 'http_listen', 'http_port', 'health_check', 'scheduler.cap'],
    ...['storage.path', 'storage.sync', 'storage.max_chunks_up', 'storage.backlog.mem_limit']
  ],
  tail: [
    ...[
      'name',
      'tag',
      'path',
      'multiline.parser',
      'read_from_head',
      'refresh_interval',
      'rotate_wait',
      'skip_long_lines'
    ],
    ...['buffer_chunk_size', 'buffer_max_size', 'db', 'db.compare_filename', 'path_key', 'offset_key', 'storage.type']
  ],
  record_modifier: ['name', 'match', 'record'],
  kafka: [
    ...['name', 'match', 'brokers', 'topics', 'format', 'timestamp_format', 'message_key_field', 'retry_limit'],
    'storage.total_limit_size'
  ],
  /** Of librdkafka, behind `rdkafka.`. */
  rdkafka: [
    ...[
      'acks',
      'enable.idempotence',
      'message.timeout.ms',
      'queue.buffering.max.kbytes',
      'queue.buffering.max.messages'
    ],
    ...['linger.ms', 'compression.codec', 'partitioner', 'log.connection.close']
  ]
}

test('Fluent Bit has every key that is set', () => {
  expect(Object.keys(service).filter(key => !DOCUMENTED.service.includes(key))).toEqual([])
  const plugins = [...pipeline.inputs, ...pipeline.filters, ...pipeline.outputs]
  expect(plugins.map(({ name }) => name)).toEqual(['tail', 'record_modifier', 'kafka'])
  for (const plugin of plugins) {
    const known = DOCUMENTED[plugin.name as 'tail' | 'record_modifier' | 'kafka']
    const unknown = Object.keys(plugin).filter(key =>
      key.startsWith('rdkafka.') ? !DOCUMENTED.rdkafka.includes(key.slice('rdkafka.'.length)) : !known.includes(key)
    )
    expect(unknown, plugin.name).toEqual([])
  }
})

test('records have what a worker needs, and go where it reads', () => {
  const topic = OPTIONS.find(({ path }) => path === 'source.kafka.topic')!
  const files = OPTIONS.find(({ path }) => path === 'source.files.paths')!
  expect(kafka.topics).toBe(topic.default)
  expect([tail.path]).toEqual(files.default)
  // `time`, `stream` and `_p` are the parser's; the others are named here.
  expect(tail).toMatchObject({ 'multiline.parser': 'cri', path_key: 'log_path', offset_key: 'log_offset' })
  expect(kafka).toMatchObject({ format: 'json', message_key_field: 'log_path' })
  expect(pipeline.filters[0]!.record).toEqual(
    ['node NODE_NAME', 'cluster CLUSTER_NAME'].map(text => text.replace(/\w+$/, name => `$\{${name}}`))
  )
  expect(kafka.match).toBe(tail.tag)
})

test('what librdkafka has taken is not given up, and a chunk that is not sent lies on the disk', () => {
  expect(kafka).toMatchObject({
    retry_limit: 'no_limits',
    'rdkafka.acks': 'all',
    'rdkafka.enable.idempotence': 'true',
    'rdkafka.message.timeout.ms': '0'
  })
  // librdkafka's defaults are 1 GB and 100,000: what a kill would cost.
  expect(Number(kafka['rdkafka.queue.buffering.max.kbytes'])).toBeLessThanOrEqual(16_384)
  expect(Number(kafka['rdkafka.queue.buffering.max.messages'])).toBeLessThanOrEqual(20_000)
  expect(tail['storage.type']).toBe('filesystem')
  expect(`${String(service['storage.path'])} ${String(tail.db)}`).toMatch(
    /^\/var\/lib\/fluent-bit\/\S+ \/var\/lib\/fluent-bit\/\S+$/
  )
})

test('the values hold the same configuration, and leave the pod no rights', async () => {
  await expect(fluentBitValues(fluentBitText())).toMatchFileSnapshot(VALUES_PATH)
  const values = parse(readFileSync(VALUES_PATH, 'utf8')) as {
    config: { extraFiles: Record<string, string> }
    env: { name: string; valueFrom?: unknown }[]
    daemonSetVolumeMounts: { mountPath: string; readOnly?: boolean }[]
    terminationGracePeriodSeconds: number
  }
  expect(values.config.extraFiles).toEqual({ 'fluent-bit.yaml': fluentBitText() })
  // The chart reads its values as templates.
  expect(fluentBitText()).not.toContain('{{')
  expect(values).toMatchObject({ rbac: { create: false }, automountServiceAccountToken: false })
  expect(values.daemonSetVolumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath)).toEqual([
    '/var/lib/fluent-bit'
  ])
  expect(values.terminationGracePeriodSeconds).toBeGreaterThan(service.grace as number)
  const named = [...fluentBitText().matchAll(/^(?! *#).*\$\{(\w+)\}/gm)].map(([, name]) => name!)
  expect(named.length).toBe(3)
  for (const name of named) expect(values.env.map(variable => variable.name)).toContain(name)
})

test('the log format is one that the parser knows by itself, in both files', () => {
  const read = (file: string): unknown => parse(readFileSync(join(FLUENT_BIT_FOLDER, file), 'utf8'))
  const { controller } = read('log-format.yaml') as { controller: { config: Record<string, string> } }
  const { data } = read('log-format.configmap.yaml') as { data: Record<string, string> }
  const shipped = KNOWN_FORMATS.find(({ name }) => name === 'upstreaminfo+why5xx')!
  expect(controller.config).toEqual({ 'log-format-upstream': shipped.format })
  expect(data).toEqual(controller.config)
})
