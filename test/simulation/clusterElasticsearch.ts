/** As much of Elasticsearch as a writer asks for, in memory: versions, sequence numbers, and refusals where a seed wants them. */
import { type Client, errors } from '@elastic/elasticsearch'
import type { Random } from '../../bench/random.ts'
import type { Host, Wire } from './clusterWire.ts'

/** Probabilities. */
export interface ElasticsearchFaults {
  /** Of a request: answered with 429 or 503, and not carried out. */
  request: number
  /** Of an item of a bulk request, likewise. */
  item: number
}

export const HEALTHY: ElasticsearchFaults = { request: 0, item: 0 }

interface Kept {
  json: string
  version: number
  seqNo: number
}

interface ActionPlace {
  _index: string
  _id: string
  version?: number
  if_seq_no?: number
}

interface MgetQuestion {
  docs: { _index: string; _id: string }[]
}

interface StateDocument {
  why5xx: { state: { kind: string; instance: string; stream: string } }
}

const CONFLICT = { type: 'version_conflict_engine_exception', reason: 'version conflict' }
const BAD_FIELD = { type: 'document_parsing_exception', reason: 'failed to parse field [url.path]' }

export class SimulatedElasticsearch {
  faults: ElasticsearchFaults = HEALTHY
  /** By `index/id`. */
  readonly documents = new Map<string, Kept>()
  /** Ids of documents that the mapping did not take. */
  readonly refused = new Set<string>()
  readonly #random: Random
  /** Documents that the mapping does not take, by index and id. */
  readonly #isRefused: (index: string, id: string) => boolean
  #seqNo = 0

  constructor(random: Random, isRefused: (index: string, id: string) => boolean) {
    this.#random = random
    this.#isRefused = isRefused
  }

  /** The methods that a writer uses, of a process. */
  client(host: Host, wire: Wire): Client {
    const ask = <T>(serve: () => T): Promise<T> =>
      wire.ask(
        host,
        () => {
          this.#refuse()
          return serve()
        },
        () => this.#loss()
      )
    return {
      bulk: ({ operations }: { operations: string[] }) => ask(() => this.#bulk(operations)),
      mget: ({ docs }: MgetQuestion) => ask(() => ({ docs: docs.map(({ _index, _id }) => this.#get(_index, _id)) })),
      search: ({ index, query }: { index: string; query: unknown }) => ask(() => this.#search(index, query)),
      indices: { refresh: () => ask(() => ({})) },
      close: () => Promise.resolve()
    } as unknown as Client
  }

  /** Documents of an index whose name begins so, by `index/id`. */
  *sources(index: string): Generator<[string, Record<string, unknown>]> {
    for (const [key, { json }] of this.documents)
      if (key.startsWith(index)) yield [key, JSON.parse(json) as Record<string, unknown>]
  }

  #refuse(): void {
    if (this.#random.share() >= this.faults.request) return
    const statusCode = this.#random.share() < 0.5 ? 429 : 503
    const body = { error: { type: 'overloaded', reason: 'the seed wants it' } }
    throw new errors.ResponseError({ statusCode, body, warnings: null, meta: {} as never })
  }

  #loss(): Error {
    return this.#random.share() < 0.5 ? new errors.TimeoutError('timed out') : new errors.ConnectionError('cut')
  }

  #bulk(lines: string[]): { items: object[] } {
    const items: object[] = []
    for (let i = 0; i < lines.length; i += 2) {
      const [[operation, place]] = Object.entries(JSON.parse(lines[i]!) as object) as [[string, ActionPlace]]
      items.push({ [operation]: this.#write(operation, place, lines[i + 1]!) })
    }
    return { items }
  }

  #write(operation: string, place: ActionPlace, json: string): object {
    const { _index, _id, version } = place
    if (this.#random.share() < this.faults.item) {
      const status = this.#random.share() < 0.5 ? 429 : 503
      return { _id, status, error: { type: 'es_rejected_execution_exception', reason: 'queue is full' } }
    }
    const key = `${_index}/${_id}`
    const known = this.documents.get(key)
    if (this.#isConflict(operation, place, known)) return { _id, status: 409, error: CONFLICT }
    if (this.#isRefused(_index, _id)) {
      this.refused.add(_id)
      return { _id, status: 400, error: BAD_FIELD }
    }
    const seqNo = this.#seqNo++
    this.documents.set(key, { json, version: version ?? (known?.version ?? 0) + 1, seqNo })
    return { _id, status: known === undefined ? 201 : 200, _seq_no: seqNo, _primary_term: 1 }
  }

  #isConflict(operation: string, { version, if_seq_no: ifSeqNo }: ActionPlace, known: Kept | undefined): boolean {
    if (operation === 'create') return known !== undefined
    if (ifSeqNo !== undefined) return known?.seqNo !== ifSeqNo
    return version !== undefined && known !== undefined && known.version >= version
  }

  #get(_index: string, _id: string): object {
    const known = this.documents.get(`${_index}/${_id}`)
    if (known === undefined) return { _index, _id, found: false }
    return { _index, _id, found: true, _seq_no: known.seqNo, _primary_term: 1, _source: JSON.parse(known.json) }
  }

  /** The one search that a writer makes: streams of an instance. */
  #search(index: string, query: unknown): object {
    const text = JSON.stringify(query)
    const hits = [...this.sources(`${index}/`)]
      .map(([, source]) => source as unknown as StateDocument)
      .filter(({ why5xx: { state } }) => state.kind === 'stream' && text.includes(JSON.stringify(state.instance)))
      .sort((a, b) => (a.why5xx.state.stream < b.why5xx.state.stream ? -1 : 1))
      .map(source => ({ _source: source, sort: [source.why5xx.state.stream] }))
    return { hits: { hits } }
  }
}
