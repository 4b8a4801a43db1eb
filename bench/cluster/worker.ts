import type { Counters } from '../../src/counters.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { runPipeline } from '../../src/pipeline.ts'
import { openKafkaSource } from '../../src/source/kafka/open.ts'
import { DocumentSink } from '../../src/store/sink.ts'
import type { Batch, StoreWriter } from '../../src/store/store.ts'
import { openSink, type SinkOptions, wire } from '../../src/wiring.ts'

/**
 * Our worker over a topic, as the conventional one beside it: it stops behind the number of messages given. Without an
 * Elasticsearch the documents are built and dropped, and nothing is committed: the price of the guarantees is the difference.
 *
 *   node dist/bench/cluster/worker.js BROKERS TOPIC MESSAGES [ELASTICSEARCH NAMESPACE]
 */
const [brokers = '', topic = '', count = '', node, namespace = ''] = process.argv.slice(2)
const config = defaultConfig()
Object.assign(config.source, { kind: 'kafka' })
Object.assign(config.source.kafka, { brokers: brokers.split(','), topic, groupId: `bench-${process.pid}` })
const options: SinkOptions = { notify: console.error, log: () => {} }
if (node !== undefined) {
  config.sink.kind = 'elasticsearch'
  Object.assign(config.sink.elasticsearch, { nodes: [node], namespace })
}

/** Takes everything and keeps nothing. */
const nothing: StoreWriter = {
  streams: [],
  engine: null,
  pausedBecause: null,
  facts: null,
  write: ({ failures }: Batch) => Promise.resolve({ written: failures.length, known: 0 }),
  claim: () => Promise.resolve({ streams: [], engines: [] }),
  countedMinutes: () => Promise.resolve(new Set<string>()),
  close: () => Promise.resolve()
}
const store =
  node === undefined
    ? new DocumentSink(nothing, { clusterName: 'default', masker: new Masker(MASK_ALL), runbookUrl: null })
    : await openSink({ config, maskOptions: MASK_ALL }, options)
const source = await openKafkaSource(
  config.source.kafka,
  { claim: async ids => (await store.claim(ids)).streams },
  options.log
)
if (node === undefined) source.durable = () => {}
const parts = wire({ config, maskOptions: MASK_ALL, logFormat: null, source, store, nowMs: Date.now, warn: () => {} })
const stop = new AbortController()
const counters: Counters = parts.counters
const watch = setInterval(() => {
  const read = Object.values(counters.lines).reduce((sum, lines) => sum + lines, 0)
  if (read >= Number(count)) stop.abort()
}, 20)
await runPipeline(parts, stop.signal)
clearInterval(watch)
await source.close()
await store.close()
const requests = [...counters.requests.values()].reduce((sum, one) => sum + one, 0)
console.log(JSON.stringify({ requests, documents: counters.written.documents }))
