import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import type { ClusterState } from '../src/cluster/state.ts'
import { ClusterDay } from './clusterDay.ts'
import { type Finding, report } from './finding.ts'
import { Random } from './random.ts'

/**
 * Does a day of a large cluster fit into memory, and is a question answered while a line waits? Pods that come and go, their
 * Services, EndpointSlices, nodes that say every five minutes that they live, Events, and a list of all every hour.
 *
 *   node --expose-gc dist/bench/clusterState.js [--pods 10000] [--replaced 40000] [--seed 1]
 */
const HEAP_BYTES_MAX = 200 * 1024 * 1024
const LOOK_UP_US_MAX = 20
const ROUNDS = 200_000

export function benchClusterState(pods: number, replaced: number, seed: number): Finding[] {
  const day = new ClusterDay({ pods, replaced, seed })
  let state = openClusterState()
  let events = 0
  let applyMs = 0
  for (const event of day.events()) {
    const startMs = performance.now()
    state.apply(event)
    applyMs += performance.now() - startMs
    events++
  }
  collectGarbage()
  const appliedBytes = process.memoryUsage().heapUsed
  const random = new Random(seed)
  // The first question about an object works its history out; every object has been asked about once.
  const firstMs = timed(() => askAll(state, day, pods))
  collectGarbage()
  const askedBytes = process.memoryUsage().heapUsed
  const addresses = Array.from({ length: 1_000 }, () => day.address(random.below(pods)))
  const labels = Array.from({ length: 1_000 }, (_, i) => ({ namespace: `team-${i % 40}`, own: day.serviceLabels(i) }))
  let found = 0
  const tenuresMs = timed(() => {
    for (let i = 0; i < ROUNDS; i++) found += state.tenures(addresses[i % addresses.length]!).length
  })
  const entriesMs = timed(() => {
    for (let i = 0; i < ROUNDS; i++) found += state.sliceEntries(addresses[i % addresses.length]!).length
  })
  const labelsMs = timed(() => {
    for (let i = 0; i < 2_000; i++) {
      const { namespace, own } = labels[i % labels.length]!
      found += state.podsWithLabels(namespace, own).length
    }
  })
  // What is left without the state is the day's own.
  state = openClusterState()
  collectGarbage()
  const restBytes = process.memoryUsage().heapUsed
  if (found < ROUNDS) throw new Error(`${found} answers to ${ROUNDS} questions`)
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
  const micros = (ms: number, rounds: number) => (ms * 1_000) / rounds
  const figure = (question: string, text: string): Finding => ({ question, figure: text, gate: '', passes: null })
  const what = `${pods} pods, ${replaced} replaced in a day`
  const lookUpUs = micros(tenuresMs, ROUNDS)
  return [
    {
      question: `${what}: heap after gc, every history asked for`,
      figure: mebibytes(askedBytes - restBytes),
      gate: `<= ${mebibytes(HEAP_BYTES_MAX)}`,
      passes: askedBytes - restBytes <= HEAP_BYTES_MAX
    },
    figure('heap after gc, before the first question', mebibytes(appliedBytes - restBytes)),
    {
      question: 'tenures() of an address',
      figure: `${lookUpUs.toFixed(2)} µs`,
      gate: `<= ${LOOK_UP_US_MAX} µs`,
      passes: lookUpUs <= LOOK_UP_US_MAX
    },
    figure('sliceEntries() of an address', `${micros(entriesMs, ROUNDS).toFixed(2)} µs`),
    figure('podsWithLabels() of a Service, with all its pods of the day', `${micros(labelsMs, 2_000).toFixed(1)} µs`),
    figure('every history, tenure and entry for the first time', `${firstMs.toFixed(0)} ms`),
    figure('events applied a second', Math.round(events / (applyMs / 1_000)).toLocaleString('en'))
  ]
}

function askAll(state: ClusterState, day: ClusterDay, pods: number): void {
  for (const kind of ['Pod', 'Service', 'EndpointSlice', 'Node', 'Event'] as const)
    for (const { versions } of state.all(kind, null)) if (versions.length === 0) throw new Error('a history of nothing')
  for (let i = 0; i < pods; i++) {
    state.tenures(day.address(i))
    state.sliceEntries(day.address(i))
  }
}

function timed(run: () => void): number {
  const startMs = performance.now()
  run()
  return performance.now() - startMs
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('start with node --expose-gc')
  globalThis.gc()
  globalThis.gc()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      pods: { type: 'string', default: '10000' },
      replaced: { type: 'string', default: '40000' },
      seed: { type: 'string', default: '1' }
    }
  })
  report(benchClusterState(Number(values.pods), Number(values.replaced), Number(values.seed)))
}
