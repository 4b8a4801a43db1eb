/** The real pipeline and the real store over a world of log files, on a disk that fails and crashes wherever the seed wants. */
import type { Random } from '../../bench/random.ts'
import type { LogFormat } from '../../parsers/logFormat.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { runPipeline } from '../../src/pipeline.ts'
import { isDiskTrouble } from '../../src/store/embedded/disk.ts'
import { REJECTS_FOLDER } from '../../src/store/embedded/rejectLog.ts'
import type { TotalsLine } from '../../src/store/embedded/segment.ts'
import type { EmbeddedWriter } from '../../src/store/embedded/writer.ts'
import { DocumentSink } from '../../src/store/sink.ts'
import { wire } from '../../src/wiring.ts'
import type { DiskFaults, MemoryDisk } from '../support/memoryDisk.ts'
import { openMemoryWriter, readMemory, type StoredRow } from '../support/memoryStore.ts'
import { readerOf, SETTLE_MS, SimulatedKnowledge } from './simulatedCluster.ts'
import { SimulatedSource } from './simulatedSource.ts'
import type { SimulatedFile } from './world.ts'

/** Probabilities, of one step of the source or of the disk. */
export interface Faults {
  /** `kill -9` while something is read. */
  kill: number
  /** SIGTERM. */
  stop: number
  disk: Partial<DiskFaults>
}

export const NO_FAULTS: Faults = { kill: 0, stop: 0, disk: {} }

/** A segment of a few batches: it is left and sealed often. */
const SEGMENT_BYTES = 12_000
const SEGMENT_AGE_MS = 60_000
const START_MS = Date.UTC(2026, 10, 21, 10)

export interface World {
  files: SimulatedFile[]
  random: Random
  /** null: detected. */
  logFormat: LogFormat | null
  /** null: nobody watches the cluster. */
  cluster: { events: ClusterEvent[]; clockMs: number } | null
  /** How far each stream was read by what a process was told is durable. */
  promised: Map<string, number>
}

/** How a process ended. */
export type Ending = 'never open' | 'crashed' | 'stopped' | 'done'

/** One process from its start to its end or its crash. */
export async function live(world: World, disk: MemoryDisk, faults: Faults): Promise<Ending> {
  const { files, random, logFormat, promised, cluster } = world
  let isOpen = false
  const stop = new AbortController()
  // The clock only says when to write and when a segment is old: here the seed says it.
  let clockMs = cluster?.clockMs ?? START_MS
  const nowMs = (): number => {
    const stepMs = random.share() < 0.3 ? 1_000 : 0
    if (cluster !== null) cluster.clockMs += stepMs
    return (clockMs += stepMs)
  }
  try {
    const store = await openMemoryWriter(disk, {
      segmentBytesMax: SEGMENT_BYTES,
      segmentAgeMsMax: SEGMENT_AGE_MS,
      now: () => clockMs
    })
    isOpen = true
    keepPromises(store, promised)
    const step = (): void => {
      if (random.share() < faults.kill) {
        disk.crash()
        throw new Error('killed')
      }
      if (random.share() < faults.stop) stop.abort()
      if (random.share() < 0.05) store.tend()
      if (cluster !== null && random.share() < 0.05) settling = settleOnce().catch(error => void (failed ??= error))
    }
    let settling: Promise<void> = Promise.resolve()
    let failed: unknown = null
    const settleOnce = async (): Promise<void> => {
      await settling
      knowledge!.read()
      await parts.settler!.settle(stop.signal)
    }
    const knowledge =
      cluster &&
      new SimulatedKnowledge(
        cluster.events,
        () => cluster.clockMs,
        () => random.share() < 0.2
      )
    const source = new SimulatedSource(files, store.streams, random, step)
    const config = { ...defaultConfig(), clusterName: 'simulated', diagnosis: { settleMs: SETTLE_MS } }
    const { clusterName } = config
    const sink = new DocumentSink(store, { clusterName, masker: new Masker(MASK_ALL), runbookUrl: null })
    const parts = wire({
      config,
      maskOptions: MASK_ALL,
      logFormat,
      source,
      store: sink,
      nowMs,
      warn: () => {},
      knowledge,
      openReader: async () => readerOf(disk)
    })
    await runPipeline(parts, stop.signal)
    await settling
    // A reader that misses a segment, because it was sealed, fails its round; the next one begins again.
    if (failed !== null && (failed as NodeJS.ErrnoException).code !== 'ENOENT') throw failed
    if (disk.isDead) throw new Error('crashed while settling')
    if (cluster !== null && !stop.signal.aborted) {
      await store.idle()
      cluster.clockMs = clockMs += 600_000
      await settleOnce()
    }
    await store.close()
  } catch (error) {
    // A disk that fails at the start ends it; somebody starts it again.
    if (!disk.isDead && (isOpen || !isDiskTrouble(error))) throw error
  }
  if (!isOpen) return 'never open'
  if (disk.isDead) return 'crashed'
  return stop.signal.aborted ? 'stopped' : 'done'
}

/** What was promised to the processes before must be there, and what is promised to this one is remembered. */
function keepPromises(store: EmbeddedWriter, promised: Map<string, number>): void {
  const known = new Map(store.streams.map(state => [state.stream, state.read.readTo]))
  for (const [stream, readTo] of promised) {
    const found = known.get(stream) ?? 0
    if (found < readTo) throw new BrokenPromise(`${stream} was durable to byte ${readTo}, and is to ${found}`)
  }
  const write = store.write.bind(store)
  store.write = async batch => {
    const result = await write(batch)
    for (const { stream, read } of batch.streams) promised.set(stream, read.readTo)
    return result
  }
}

export class BrokenPromise extends Error {}

export interface Content {
  /** Failures, rejects and controller lines, whole, by kind and id. */
  rows: Map<string, StoredRow>
  /** Per minute × upstream × container × stream. */
  totals: TotalsLine[]
  /** How far each stream was read; `done` behind its end. */
  streams: string[]
  /** Original bytes of rejects. */
  rejected: string[]
}

/** What a disk holds, in a form that two of them can be compared in. */
export async function contentOf(disk: MemoryDisk): Promise<Content> {
  const { rows, totals, streams } = await readMemory(disk)
  const rejected = new Set<string>()
  for (const { name } of await disk.list(REJECTS_FOLDER)) {
    // A crash may leave a torn line, and the same one again behind it.
    for (const line of disk.contents(name).toString().split('\n')) if (isWhole(line)) rejected.add(line)
  }
  for (const row of rows) {
    // When it was written says nothing about a document.
    delete (row.document as { event?: { ingested?: string } } | undefined)?.event?.ingested
    // One that was judged late was right at once, and needed no second judgement.
    if (row.kind === 'failure') row.version = row.version! & ~6
  }
  const byKey = rows.map(row => [`${row.kind} ${row.id}`, row] as const).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    rows: new Map(byKey),
    totals,
    streams: streams.map(({ stream, read, isDone }) => `${stream} ${read.readTo}${isDone ? ' done' : ''}`).sort(),
    rejected: [...rejected].sort()
  }
}

function isWhole(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}')
}
