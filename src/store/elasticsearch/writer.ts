/** Batches into Elasticsearch: documents and totals first, then where the streams stand; nothing lost, nothing twice. */

import type { Client } from '@elastic/elasticsearch'
import { Why5xxError } from '../../errors.ts'
import type { StreamState } from '../../source/source.ts'
import { grouped, plural } from '../../text.ts'
import type { StoredDocument } from '../document.ts'
import { StreamStates } from '../embedded/streamStates.ts'
import { type KeepRejects, type KeptReject, keptDocument, keptLine } from '../keptReject.ts'
import type { Batch, BulkFacts, ClaimedStreams, StoreWriter, WriteResult } from '../store.ts'
import { BulkQueue, type ItemResult } from './bulk.ts'
import type { BulkItem } from './bulkAnswer.ts'
import { Claims } from './claims.ts'
import { countedMinutes } from './countedMinutes.ts'
import { documentItem, gapDocument, refusedDocument } from './items.ts'
import type { DailyKind, IndexNames } from './names.ts'
import { Patience, type Timing } from './patience.ts'
import { sendBulk } from './requests.ts'
import { RollupCache, type RollupWrites } from './rollupCache.ts'

export interface WriterParts {
  client: Client
  names: IndexNames
  clusterName: string
  /** Name of this process, the same after a restart: its streams are those it finds again. */
  instance: string
  /** Unique for this run. */
  claim: string
  /** Where original bytes go; null: nowhere. */
  keepRejects: KeepRejects | null
  /** As `BulkQueue` takes it. */
  holdsRefused?: boolean
  timing: Timing
  /** One sentence for the log. */
  notify: (text: string) => void
  rollupKeysMax: number
  /** Streams that are done and still known; default: `DONE_STREAMS_MAX`. */
  doneStreamsMax?: number
}

/** A document and its kind of index. */
interface Sent {
  kind: DailyKind
  stored: StoredDocument
  item: BulkItem
  /** Counts in `WriteResult`. */
  isCounted: boolean
}

/** A batch, or what is to happen behind all batches before it. */
interface Pending {
  batch: Batch | null
  /** Everything of it is durable but the positions. */
  ready: Promise<WriteResult>
  isReady: boolean
  resolve: (result: WriteResult) => void
  reject: (error: unknown) => void
}

/** A stop must be over within seconds, also when a server holds its answers back. */
const CLOSE_MS_MAX = 4_000

const NOTHING: WriteResult = { written: 0, known: 0 }

export class ElasticsearchWriter implements StoreWriter {
  readonly #parts: WriterParts
  readonly #patience: Patience
  readonly #queue: BulkQueue
  readonly #claims: Claims
  readonly #rollups: RollupCache
  readonly #states: StreamStates
  #engine: Record<string, unknown> | null = null
  readonly #pending: Pending[] = []
  #ending: Promise<void> | null = null
  /** Totals are counted in the order of batches; null: nobody is reading keys. */
  #counting: Promise<RollupWrites> | null = null
  #failure: { error: unknown } | null = null
  #isClosed = false
  #closed: () => void = () => {}

  private constructor(parts: WriterParts) {
    const { client, names, instance, claim, clusterName, timing, notify, rollupKeysMax, holdsRefused = true } = parts
    this.#parts = parts
    this.#states = new StreamStates(parts.doneStreamsMax)
    this.#patience = new Patience(timing, notify)
    const patience = this.#patience
    this.#queue = new BulkQueue(lines => sendBulk(client, lines), patience, { holdsRefused })
    this.#claims = new Claims({ client, patience, queue: this.#queue, names, instance, claim })
    this.#rollups = new RollupCache({ client, patience, names, clusterName, keysMax: rollupKeysMax })
  }

  /** Reads what earlier runs of this instance have left. Templates are there already (`setup`). */
  static async open(parts: WriterParts): Promise<ElasticsearchWriter> {
    const writer = new ElasticsearchWriter(parts)
    const { streams, engine } = await writer.#claims.readOwn()
    await writer.#forget(writer.#states.apply(streams))
    writer.#engine = engine
    return writer
  }

  get streams(): readonly StreamState[] {
    return this.#states.all()
  }

  get engine(): Record<string, unknown> | null {
    return this.#engine
  }

  get pausedBecause(): string | null {
    return this.#patience.pausedBecause
  }

  get facts(): BulkFacts {
    return this.#queue.facts
  }

  /** Batches overlap on their way and resolve in order. Once one has failed, all behind it are refused. */
  write(batch: Batch): Promise<WriteResult> {
    const refused = this.#refusal()
    if (refused !== null) return Promise.reject(refused)
    const ready = Promise.all([this.#documents(batch), this.#totals(batch), this.#keepLines(batch)])
    return this.#behind(
      batch,
      ready.then(([result]) => result)
    )
  }

  async claim(streams: string[]): Promise<ClaimedStreams> {
    const refused = this.#refusal()
    if (refused !== null) throw refused
    await this.#behind(null, Promise.resolve(NOTHING))
    const claimed = await this.#claims.claim(streams)
    this.#rollups.forget(streams, claimed.streams)
    await this.#forget(this.#states.apply(claimed.streams))
    return claimed
  }

  async countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    await this.#behind(null, Promise.resolve(NOTHING))
    const { client, names } = this.#parts
    return countedMinutes(client, this.#patience, names.pattern('rollup'), containers, stream)
  }

  /** What cannot be written is given one more try and then rejected; a server that does not answer is not waited for long. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#closed()
    this.#patience.close()
    const patience = new AbortController()
    const isEnded = await Promise.race([
      Promise.resolve(this.#ending).then(() => true),
      this.#parts.timing.wait(CLOSE_MS_MAX, patience.signal).then(() => false)
    ])
    patience.abort()
    const closed = this.#parts.client.close()
    if (isEnded) return closed
    const error = new Why5xxError('WHY5XX_STORE', 'Elasticsearch did not answer before the end')
    this.#failure ??= { error }
    for (const { reject } of this.#pending.splice(0)) reject(error)
  }

  /** Ends what goes on beside the writing. */
  onClose(callback: () => void): void {
    this.#closed = callback
  }

  #refusal(): unknown {
    if (this.#failure !== null) return this.#failure.error
    return this.#isClosed ? new Why5xxError('WHY5XX_STORE', 'the writer to Elasticsearch is closed') : null
  }

  #behind(batch: Batch | null, ready: Promise<WriteResult>): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { batch, ready, isReady: false, resolve, reject }
      ready.then(
        () => (pending.isReady = true),
        () => {}
      )
      this.#pending.push(pending)
      this.#ending ??= this.#endAll()
    })
  }

  async #endAll(): Promise<void> {
    while (this.#pending.length > 0) {
      try {
        await this.#endSome()
      } catch (error) {
        // Positions behind this batch must not become durable without it.
        this.#failure ??= { error }
        for (const { reject } of this.#pending.splice(0)) reject(error)
      }
    }
    this.#ending = null
  }

  /** The oldest batch, and those behind it that are durable as well: their positions go in one request. */
  async #endSome(): Promise<void> {
    await this.#pending[0]!.ready
    let count = 1
    while (count < this.#pending.length && this.#pending[count]!.isReady) count++
    const group = this.#pending.slice(0, count)
    const newest = new StreamStates(Number.POSITIVE_INFINITY)
    let engine: Batch['engine'] = null
    for (const { batch } of group) {
      newest.apply(batch?.streams ?? [])
      engine = batch?.engine ?? engine
    }
    const lost = new Set(await this.#claims.write(newest.all(), engine))
    this.#rollups.stop([...lost])
    this.#pending.splice(0, count)
    const forgotten: string[] = []
    for (const { batch, ready, resolve } of group) {
      const streams = batch?.streams ?? []
      forgotten.push(...this.#states.apply(streams.filter(({ stream }) => !lost.has(stream))))
      this.#engine = batch?.engine ?? this.#engine
      const ofBatch = streams.map(({ stream }) => stream).filter(stream => lost.has(stream))
      resolve({ ...(await ready), ...(ofBatch.length > 0 && { lost: ofBatch }) })
    }
    await this.#forget(forgotten)
  }

  /** Files come and go for years: of those that are done only the newest are known. */
  async #forget(streams: string[]): Promise<void> {
    if (streams.length === 0) return
    try {
      const left = await this.#claims.forget(streams)
      if (left > 0)
        this.#parts.notify(
          `${plural(left, 'position')} of old files cannot be deleted: our user needs the privilege delete on ${this.#parts.names.state}`
        )
    } catch (error) {
      // Only while closing. The next run finds them once more.
      this.#parts.notify(`${plural(streams.length, 'position')} of old files not deleted: ${(error as Error).message}`)
    }
  }

  async #documents(batch: Batch): Promise<WriteResult> {
    const { names, clusterName } = this.#parts
    const sent = (kind: DailyKind, stored: StoredDocument, isCounted: boolean): Sent => {
      return { kind, stored, item: documentItem(names, kind, stored), isCounted }
    }
    const all = [
      ...batch.failures.map(stored => sent('failure', stored, true)),
      ...batch.controllers.map(stored => sent('controller', stored, true)),
      ...batch.rejects.map(stored => sent('reject', stored, true)),
      ...batch.gaps.map(gap => sent('controller', gapDocument(gap, clusterName), false))
    ]
    const results = await this.#queue.add(all.map(({ item }) => item))
    const counted = results.filter((_, i) => all[i]!.isCounted)
    await this.#keepRefused(all, results)
    return {
      written: counted.filter(({ kind }) => kind === 'written').length,
      known: counted.filter(({ kind }) => kind === 'known').length
    }
  }

  /** What Elasticsearch will never take: its bytes to where rejects are kept, and a document that says why. */
  async #keepRefused(all: readonly Sent[], results: readonly ItemResult[]): Promise<void> {
    const { names, clusterName, notify } = this.#parts
    const kept: KeptReject[] = []
    const items: BulkItem[] = []
    const counts = new Map<string, number>()
    for (const [i, result] of results.entries()) {
      const { kind, stored, item } = all[i]!
      if (result.kind !== 'refused') continue
      const what = `${kind} document (${result.status}, ${result.type})`
      counts.set(what, (counts.get(what) ?? 0) + 1)
      // Of a line nobody could read the bytes are kept already.
      if (kind === 'reject') continue
      kept.push(keptDocument(stored, item.document, result.type))
      items.push(documentItem(names, 'reject', refusedDocument(stored, item, result, clusterName)))
    }
    for (const [what, count] of counts) notify(`Elasticsearch refused for good: ${grouped(count)} × ${what}`)
    await Promise.all([this.#keep(kept), this.#queue.add(items)])
  }

  #keepLines({ rejects }: Batch): Promise<void> {
    return this.#keep(rejects.map(keptLine))
  }

  async #keep(rejects: KeptReject[]): Promise<void> {
    const { keepRejects } = this.#parts
    if (keepRejects === null || rejects.length === 0) return
    const because = (error: unknown): string =>
      `${plural(rejects.length, 'reject')} cannot be kept: ${(error as Error).message}`
    const dropped = await this.#patience.ask(
      () => keepRejects(rejects),
      error => ({ kind: 'retry', because: because(error) })
    )
    this.#queue.countDropped(dropped)
  }

  /** In the same tick where every key is known, so that documents and totals go in one request. */
  async #totals({ totals, streams }: Batch): Promise<void> {
    const rollups = this.#rollups
    let writes: RollupWrites
    if (this.#counting === null && rollups.has(totals)) writes = rollups.add(totals, streams)
    else {
      const turn = (this.#counting ?? Promise.resolve()).then(async () => {
        while (!rollups.has(totals)) await rollups.load(totals, streams)
        return rollups.add(totals, streams)
      })
      this.#counting = turn
      writes = await turn
      if (this.#counting === turn) this.#counting = null
    }
    await this.#queue.add(writes.items)
    writes.durable()
  }
}
