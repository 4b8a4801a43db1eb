/**
 * Where every stream stands, one document a stream, and whose it is. Each write names the version it replaces
 * (`if_seq_no`): whoever claims a stream writes its document, and what the owner before it still writes is refused.
 */

import type { Client } from '@elastic/elasticsearch'
import type { StreamState } from '../../source/source.ts'
import { DOCUMENT_SCHEMA } from '../document.ts'
import type { ClaimedStreams } from '../store.ts'
import { wellFormedJson } from '../wellFormed.ts'
import type { BulkQueue } from './bulk.ts'
import type { BulkItem } from './bulkAnswer.ts'
import { engineId, type IndexNames, stateId } from './names.ts'
import type { Patience } from './patience.ts'
import { deleteDocuments, type FoundDocument, getDocuments, refresh } from './requests.ts'

interface ClaimsParts {
  client: Client
  patience: Patience
  queue: BulkQueue
  names: IndexNames
  /** Name of this process, the same after a restart. */
  instance: string
  /** Unique for this run of it. */
  claim: string
}

/** The version of a document that the next write replaces; null: there must be none. */
type Token = Pick<FoundDocument, 'seqNo' | 'primaryTerm'> | null

/** `why5xx.state` of a document. */
interface StateSource {
  kind: 'stream' | 'engine'
  stream?: string
  instance: string
  claim: string
  is_done?: boolean
  /** Of a stream that was claimed and not written since: who wrote it, and whose engine knows what it needs. */
  engine_of?: string
  /** Of an engine: counts up. */
  version?: number
  /** Of a stream its state, or `null`: claimed and not read yet. Of an engine what it knows. */
  json: string
}

const FIELDS = ['why5xx.state']
const STREAMS_AT_ONCE = 1_000

export class Claims {
  readonly #parts: ClaimsParts
  /** Of our streams. */
  readonly #tokens = new Map<string, Token>()
  /** Claimed by others since: nothing more is written of them. */
  readonly #lost = new Set<string>()
  /** Of our engine's document: an older one that comes late must not replace a newer one. */
  #engineVersion = 0

  constructor(parts: ClaimsParts) {
    this.#parts = parts
  }

  /** What earlier runs of this instance have left, oldest first. */
  async readOwn(): Promise<{ streams: StreamState[]; engine: Record<string, unknown> | null }> {
    const { client, patience, names, instance } = this.#parts
    await refresh(client, patience, names.state)
    const streams: { state: StreamState; writtenMs: number }[] = []
    for (let after: string | null = null; ; ) {
      const page = await patience.ask(() =>
        client.search<Record<string, unknown>>({
          index: names.state,
          ignore_unavailable: true,
          allow_partial_search_results: false,
          size: STREAMS_AT_ONCE,
          track_total_hits: false,
          query: {
            bool: {
              filter: [{ term: { 'why5xx.state.instance': instance } }, { term: { 'why5xx.state.kind': 'stream' } }]
            }
          },
          sort: [{ 'why5xx.state.stream': { order: 'asc', missing: '_last' } }],
          ...(after !== null && { search_after: [after] }),
          _source: [...FIELDS, '@timestamp']
        })
      )
      const { hits } = page.hits
      for (const { _source } of hits) {
        const state = stateOf(_source!)
        if (state !== null) streams.push({ state, writtenMs: Date.parse(_source!['@timestamp'] as string) })
      }
      if (hits.length < STREAMS_AT_ONCE) break
      after = hits.at(-1)!.sort![0] as string
    }
    streams.sort((a, b) => a.writtenMs - b.writtenMs)
    const [engine] = await this.#readEngines([instance])
    this.#engineVersion = engine?.version ?? 0
    return { streams: streams.map(({ state }) => state), engine: engine === undefined ? null : knownOf(engine) }
  }

  /** Makes streams ours, whoever had them, and returns what is known of them. */
  async claim(streams: readonly string[]): Promise<ClaimedStreams> {
    const states: StreamState[] = []
    const instances = new Set<string>()
    let open = [...new Set(streams)]
    while (open.length > 0) {
      const found = await this.#read(open)
      const items = open.map((stream, i) => {
        const document = found[i]!
        if (document === null) return this.#item(stream, null, null)
        return this.#item(stream, stateOf(document.source), document, writerOf(document.source))
      })
      const results = await this.#parts.queue.add(items, true)
      open = open.filter((stream, i) => {
        const result = results[i]!
        // Somebody else has written meanwhile, or our own request came through unnoticed: read again.
        if (result.kind !== 'written') return true
        this.#tokens.set(stream, tokenOf(result))
        this.#lost.delete(stream)
        if (found[i] === null) return false
        const state = stateOf(found[i]!.source)
        if (state !== null) states.push(state)
        instances.add(writerOf(found[i]!.source))
        return false
      })
    }
    return { streams: states, engines: (await this.#readEngines([...instances])).map(knownOf) }
  }

  /**
   * Writes where streams stand and what the engine knows (null: as before). Returns the streams that others have claimed
   * since: nothing of them is written. Streams that nobody claimed here are claimed by this.
   */
  async write(states: readonly StreamState[], engine: Record<string, unknown> | null): Promise<string[]> {
    const { queue } = this.#parts
    let open = states.filter(({ stream }) => !this.#lost.has(stream))
    const unclaimed = open.map(({ stream }) => stream).filter(stream => !this.#tokens.has(stream))
    if (unclaimed.length > 0) await this.claim(unclaimed)
    // First, and not in one request, of which a part may fail: a restart knows at least as much as it did there.
    if (engine !== null) await queue.add([this.#engineItem(engine)], true)
    while (open.length > 0) {
      const items = open.map(state => this.#item(state.stream, state, this.#tokens.get(state.stream)!))
      const results = await queue.add(items, true)
      const refused = open.filter(({ stream }, i) => {
        const result = results[i]!
        if (result.kind !== 'written') return true
        this.#tokens.set(stream, tokenOf(result))
        return false
      })
      open = await this.#stillOurs(refused)
    }
    return states.map(({ stream }) => stream).filter(stream => this.#lost.has(stream))
  }

  /** Deletes what is known of streams, unless others have claimed them since. Returns how many we could not delete. */
  async forget(streams: readonly string[]): Promise<number> {
    const { client, patience, names } = this.#parts
    const refs = streams
      .filter(stream => !this.#lost.has(stream))
      .map(stream => ({ index: names.state, id: stateId(stream), ...this.#tokens.get(stream) }))
    for (const stream of streams) this.#tokens.delete(stream)
    return deleteDocuments(client, patience, refs)
  }

  /** Of those whose write was refused: they are ours when our own request came through unnoticed, or the index is gone. */
  async #stillOurs(refused: StreamState[]): Promise<StreamState[]> {
    const found = await this.#read(refused.map(({ stream }) => stream))
    return refused.filter(({ stream }, i) => {
      const document = found[i]!
      if (document !== null && sourceOf(document.source).claim !== this.#parts.claim) {
        this.#tokens.delete(stream)
        this.#lost.add(stream)
        return false
      }
      this.#tokens.set(stream, document)
      return true
    })
  }

  #read(streams: readonly string[]): Promise<(FoundDocument | null)[]> {
    const { client, patience, names } = this.#parts
    const refs = streams.map(stream => ({ index: names.state, id: stateId(stream) }))
    return getDocuments(client, patience, refs, FIELDS)
  }

  async #readEngines(instances: readonly string[]): Promise<StateSource[]> {
    const { client, patience, names } = this.#parts
    const refs = instances.map(instance => ({ index: names.state, id: engineId(instance) }))
    const found = await getDocuments(client, patience, refs, FIELDS)
    return found.filter(one => one !== null).map(({ source }) => sourceOf(source))
  }

  #item(stream: string, state: StreamState | null, token: Token, engineOf?: string): BulkItem {
    const { names, instance, claim } = this.#parts
    const source: StateSource = {
      kind: 'stream',
      stream,
      instance,
      claim,
      is_done: state?.isDone ?? false,
      ...(engineOf !== undefined && { engine_of: engineOf }),
      json: JSON.stringify(state)
    }
    const place = { _index: names.state, _id: stateId(stream) }
    const action =
      token === null
        ? { create: place }
        : { index: { ...place, if_seq_no: token.seqNo, if_primary_term: token.primaryTerm } }
    return this.#stateItem(place._id, action, source)
  }

  #engineItem(engine: Record<string, unknown>): BulkItem {
    const { names, instance, claim } = this.#parts
    const id = engineId(instance)
    const version = ++this.#engineVersion
    const source: StateSource = { kind: 'engine', instance, claim, version, json: JSON.stringify(engine) }
    const action = { index: { _index: names.state, _id: id, version, version_type: 'external' } }
    return this.#stateItem(id, action, source)
  }

  #stateItem(id: string, action: object, state: StateSource): BulkItem {
    const document = {
      '@timestamp': new Date(this.#parts.patience.timing.now()).toISOString(),
      event: { dataset: 'why5xx.state' },
      why5xx: { schema: DOCUMENT_SCHEMA, state }
    }
    const json = wellFormedJson(JSON.stringify(document))
    return { kind: 'state', id, index: this.#parts.names.state, action: JSON.stringify(action), document: json }
  }
}

function tokenOf(result: { seqNo: number | null; primaryTerm: number | null }): Token {
  return { seqNo: result.seqNo!, primaryTerm: result.primaryTerm! }
}

function sourceOf(source: Record<string, unknown>): StateSource {
  return (source.why5xx as { state: StateSource }).state
}

function knownOf({ json }: StateSource): Record<string, unknown> {
  return JSON.parse(json) as Record<string, unknown>
}

/** Who wrote the state that is there. */
function writerOf(document: Record<string, unknown>): string {
  const { instance, engine_of: engineOf } = sourceOf(document)
  return engineOf ?? instance
}

/** null: claimed, and never read. */
function stateOf(source: Record<string, unknown>): StreamState | null {
  return JSON.parse(sourceOf(source).json) as StreamState | null
}
