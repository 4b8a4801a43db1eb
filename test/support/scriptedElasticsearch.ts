/**
 * A server that answers as Elasticsearch does, for what a writer asks: bulk with versions, mget, refresh, the search for
 * states. A script may answer instead of it: what a real node does not do on demand.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface ScriptedRequest {
  method: string
  /** Without the query. */
  path: string
  body: string
  /** Of a bulk request: action and document, item by item. */
  items: { action: Record<string, unknown>; source: Record<string, unknown> }[]
}

export interface ScriptedAnswer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

/**
 * null: as Elasticsearch would. `cut`: the connection ends in the middle of the answer; `lost`: the request is carried out,
 * and the connection ends before any answer.
 */
export type Script = (
  request: ScriptedRequest
) => ScriptedAnswer | 'cut' | 'lost' | null | Promise<ScriptedAnswer | null>

export interface KeptDocument {
  source: Record<string, unknown>
  version: number
  seqNo: number
}

interface ItemAnswer {
  _id: string
  status: number
  _seq_no?: number
  _primary_term?: number
  error?: { type: string; reason: string }
}

const CONFLICT = { type: 'version_conflict_engine_exception', reason: 'version conflict' }

export class ScriptedElasticsearch {
  /** By `index/id`. */
  readonly documents = new Map<string, KeptDocument>()
  readonly requests: ScriptedRequest[] = []
  /** Header `authorization` of each request that had one. */
  readonly authorizations: string[] = []
  script: Script = () => null
  /** Answers one item; null: as Elasticsearch would. */
  itemScript: (index: string, id: string) => { status: number; error: { type: string; reason: string } } | null = () =>
    null
  readonly #server: Server
  #seqNo = 0

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<ScriptedElasticsearch> {
    const scripted = new ScriptedElasticsearch()
    await new Promise<void>(resolve => scripted.#server.listen(0, '127.0.0.1', resolve))
    return scripted
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get bulks(): ScriptedRequest[] {
    return this.requests.filter(({ path }) => path === '/_bulk')
  }

  /** The sources of an index whose name begins so. */
  sources(index: string): Record<string, unknown>[] {
    return [...this.documents].filter(([key]) => key.startsWith(index)).map(([, { source }]) => source)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const body = (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
    const path = incoming.url!.split('?')[0]!
    const request: ScriptedRequest = {
      method: incoming.method!,
      path,
      body,
      items: path === '/_bulk' ? itemsOf(body) : []
    }
    this.requests.push(request)
    if (incoming.headers.authorization !== undefined) this.authorizations.push(incoming.headers.authorization)
    const scripted = await this.script(request)
    if (scripted === 'cut') {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
        'content-length': 99
      })
      response.write('{"items":[')
      setImmediate(() => response.destroy())
      return
    }
    const own = scripted === null || scripted === 'lost' ? this.#handle(request) : scripted
    if (scripted === 'lost') {
      response.destroy()
      return
    }
    response.writeHead(own.status, {
      'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
      'x-elastic-product': 'Elasticsearch',
      ...own.headers
    })
    response.end(typeof own.body === 'string' ? own.body : JSON.stringify(own.body))
  }

  #handle({ path, body, items }: ScriptedRequest): ScriptedAnswer {
    if (path === '/_bulk') return { status: 200, body: { items: items.map(item => this.#write(item)) } }
    if (path === '/_mget') {
      const { docs } = JSON.parse(body) as { docs: { _index: string; _id: string }[] }
      return { status: 200, body: { docs: docs.map(({ _index, _id }) => this.#get(_index, _id)) } }
    }
    if (path.endsWith('/_search')) return { status: 200, body: this.#search(path.split('/')[1]!, body) }
    if (path.endsWith('/_refresh')) return { status: 200, body: {} }
    if (path === '/') return { status: 200, body: { version: { number: '9.5.3' } } }
    return { status: 404, body: { error: { type: 'not_scripted', reason: path } } }
  }

  #write({ action, source }: ScriptedRequest['items'][number]): Record<string, ItemAnswer> {
    const [[operation, meta]] = Object.entries(action) as [
      [string, { _index: string; _id: string; version?: number; version_type?: string; if_seq_no?: number }]
    ]
    const { _index, _id, version, version_type: versionType, if_seq_no: ifSeqNo } = meta
    const scripted = this.itemScript(_index, _id)
    if (scripted !== null) return { [operation]: { _id, ...scripted } }
    const key = `${_index}/${_id}`
    const known = this.documents.get(key)
    const isRefused =
      operation === 'create'
        ? known !== undefined
        : ifSeqNo !== undefined
          ? known?.seqNo !== ifSeqNo
          : version !== undefined &&
            known !== undefined &&
            (versionType === 'external_gte' ? known.version > version : known.version >= version)
    if (isRefused) return { [operation]: { _id, status: 409, error: CONFLICT } }
    const seqNo = this.#seqNo++
    if (operation === 'delete') {
      const isThere = this.documents.delete(key)
      return { [operation]: { _id, status: isThere ? 200 : 404, _seq_no: seqNo, _primary_term: 1 } }
    }
    this.documents.set(key, { source, version: version ?? (known?.version ?? 0) + 1, seqNo })
    return { [operation]: { _id, status: known === undefined ? 201 : 200, _seq_no: seqNo, _primary_term: 1 } }
  }

  #get(index: string, id: string): object {
    const known = this.documents.get(`${index}/${id}`)
    if (known === undefined) return { _index: index, _id: id, found: false }
    return { _index: index, _id: id, found: true, _seq_no: known.seqNo, _primary_term: 1, _source: known.source }
  }

  /** Knows the one search that a writer makes when it opens. */
  #search(index: string, body: string): object {
    const instance = /"why5xx.state.instance":("(?:[^"\\]|\\.)*")/.exec(body)?.[1]
    const hits = this.sources(`${index}/`)
      .map(source => source as { why5xx: { state: { kind: string; instance: string; stream: string } } })
      .filter(({ why5xx: { state } }) => state.kind === 'stream' && JSON.stringify(state.instance) === instance)
      .map(source => ({ _source: source, sort: [source.why5xx.state.stream] }))
    return { hits: { hits } }
  }
}

function itemsOf(body: string): ScriptedRequest['items'] {
  const lines = body.split('\n').filter(line => line !== '')
  const items: ScriptedRequest['items'] = []
  for (let i = 0; i < lines.length; i++) {
    const action = JSON.parse(lines[i]!) as Record<string, unknown>
    items.push({ action, source: 'delete' in action ? {} : (JSON.parse(lines[++i]!) as Record<string, unknown>) })
  }
  return items
}
