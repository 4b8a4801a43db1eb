/** The real pipeline over a world of log files, with crashes wherever the seed wants them, until everything is read. */
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import { runPipeline } from '../../src/pipeline.ts'
import { DocumentSink } from '../../src/store/sink.ts'
import type { Batch, StoreWriter, TotalsRow } from '../../src/store/store.ts'
import { wire } from '../../src/wiring.ts'
import { SimulatedSource } from './simulatedSource.ts'
import type { Random, SimulatedFile } from './world.ts'

/** Ends the run it is thrown in, as `kill -9` would: nothing behind it happens. */
export class Crash extends Error {}

export interface Life {
  files: SimulatedFile[]
  random: Random
  open: () => Promise<StoreWriter>
  /** Throws a Crash when the seed wants one here. */
  mayCrash: (where: string) => void
  signal?: AbortSignal
}

/** One process from its start to its end or its crash. Throws the Crash. */
export async function live({ files, random, open, mayCrash, signal }: Life): Promise<void> {
  const settings = { clusterName: 'simulated', masker: new Masker(MASK_ALL), runbookUrl: null }
  const store = new DocumentSink(await open(), settings)
  const source = new SimulatedSource(files, store.streams, random, mayCrash)
  // The clock only says when to write: here the seed says it.
  let clockMs = 0
  const nowMs = (): number => (clockMs += random.chance(0.3) ? 1_000 : 0)
  const config = { ...defaultConfig(), clusterName: 'simulated' }
  const parts = wire({ config, maskOptions: MASK_ALL, logFormat: null, source, store, nowMs, warn: () => {} })
  await runPipeline(parts, signal ?? new AbortController().signal)
  await store.close()
}

/** What a store holds, in a form that two of them can be compared in. */
export function contentOf(batches: readonly Batch[]): {
  documents: Map<string, unknown>
  totals: Map<string, Record<string, number>>
  rejects: string[]
  controllers: string[]
} {
  const documents = new Map<string, { version: number; document: unknown }>()
  const totals = new Map<string, Record<string, number>>()
  const rejects = new Set<string>()
  const controllers = new Set<string>()
  for (const batch of batches) {
    for (const { id, version, document } of batch.failures) {
      const known = documents.get(id)
      if (known === undefined || known.version < version) documents.set(id, { version, document })
    }
    for (const { id } of batch.rejects) rejects.add(id)
    for (const { id } of batch.controllers) controllers.add(id)
    for (const row of batch.totals) addTo(totals, row)
  }
  const sorted = <T>(map: Map<string, T>): Map<string, T> => new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    documents: sorted(documents),
    totals: sorted(totals),
    rejects: [...rejects].sort(),
    controllers: [...controllers].sort()
  }
}

function addTo(totals: Map<string, Record<string, number>>, row: TotalsRow): void {
  const { minuteMs, upstream, container, stream, ...counts } = row
  const key = `${minuteMs} ${upstream} ${container} ${stream}`
  const sum = totals.get(key)
  if (sum === undefined) totals.set(key, { ...counts })
  else for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
}
