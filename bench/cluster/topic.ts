import { readFileSync } from 'node:fs'
import kafkajs from 'kafkajs'
import { ensureDataset } from '../dataset.ts'
import { shippedLines } from './shipped.ts'

const { CompressionTypes, Kafka, logLevel } = kafkajs

/** A topic filled with what Fluent Bit sends of the controllers' logs. */
export type Topic = {
  brokers: string[]
  topic: string
  messages: number
  requests: number
  failures: number
  /** Of the values, uncompressed. */
  bytes: number
}

const PODS = 12
const BATCH = 2_000
/** What Fluent Bit's kubernetes filter adds: nobody needs it here, and many have it. */
const KUBERNETES = {
  pod_name: 'ingress-nginx-controller-6c9f8d4b7-q4wnd',
  namespace_name: 'ingress-nginx',
  pod_id: '0b9e5c1e-6d2f-4c59-9c3e-0d6f5f8f3a11',
  labels: {
    'app.kubernetes.io/component': 'controller',
    'app.kubernetes.io/instance': 'ingress-nginx',
    'app.kubernetes.io/name': 'ingress-nginx',
    'pod-template-hash': '6c9f8d4b7'
  },
  host: 'worker-1',
  container_name: 'controller',
  docker_id: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  container_image: 'registry.k8s.io/ingress-nginx/controller:v1.11.3'
}

/** Sends the benchmark's log as Fluent Bit would, about 1.2 kB a message, gzip, keyed by path, and says what it holds. */
export async function fillTopic(options: {
  brokers: string[]
  topic: string
  lines: number
  partitions: number
  failing?: number
}): Promise<Topic> {
  const { brokers, topic, lines, partitions, failing = 0.02 } = options
  const { file, truth } = ensureDataset({ lines, withErrors: true, failing })
  const kafka = new Kafka({ brokers, clientId: 'why5xx-bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] })
  await admin.disconnect()
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const { requests, failures } = truth
  const filled = { brokers, topic, messages: 0, requests, failures, bytes: 0 }
  let batch: { key: string; value: string }[] = []
  const send = async (): Promise<void> => {
    await producer.send({ topic, messages: batch, acks: 1, compression: CompressionTypes.GZIP })
    batch = []
  }
  for (const { path, record } of shippedLines(readFileSync(file, 'latin1'), PODS)) {
    const kubernetes = { ...KUBERNETES, pod_name: path.slice(20, path.indexOf('_')) }
    const value = JSON.stringify({ ...record, kubernetes, node: 'worker-1', cluster: 'prod' })
    filled.bytes += value.length
    filled.messages++
    batch.push({ key: path, value })
    if (batch.length >= BATCH) await send()
  }
  if (batch.length > 0) await send()
  await producer.disconnect()
  return filled
}
