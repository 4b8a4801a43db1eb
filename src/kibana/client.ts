/** One Kibana and one space of it, asked over HTTP; and what its refusals mean, in sentences without secrets. */

import { errors, Transport, UndiciConnection, WeightedConnectionPool } from '@elastic/transport'
import { checkUrl, loginOf } from '../elasticLogin.ts'
import { Why5xxError } from '../errors.ts'
import type { KibanaConfig } from '../kibanaOptions.ts'
import { readFile } from '../secrets.ts'
import { sentenceOf } from '../store/elasticsearch/connection.ts'
import { clip, safeText } from '../text.ts'
import { DEFAULT_SPACE } from './object.ts'

/** An import of some tens of objects takes seconds in a busy Kibana. */
const REQUEST_TIMEOUT_MS = 60_000
/** Of the shape of answers; the only one there is of the APIs we ask. */
const API_VERSION = '2023-10-31'
const SAID_CHARS_MAX = 300

export interface KibanaAnswer {
  status: number
  /** What JSON says; any other text as it is. */
  body: unknown
}

export interface KibanaRequest {
  method: 'GET' | 'POST' | 'PUT'
  /** Of the space, unless `isGlobal`: `/api/dashboards/why5xx-overview`. */
  path: string
  query?: Record<string, string | number | boolean>
  body?: Record<string, unknown>
  /** Lines of NDJSON, sent as an uploaded file. */
  lines?: readonly Record<string, unknown>[]
  isGlobal?: boolean
}

export class Kibana {
  readonly space: string
  readonly #transport: Transport
  readonly #pool: WeightedConnectionPool

  private constructor(space: string, pool: WeightedConnectionPool) {
    this.space = space
    this.#pool = pool
    // The transport would repeat without telling. What it takes for Elasticsearch's own headers is not Kibana's.
    this.#transport = new Transport({
      connectionPool: pool,
      maxRetries: 0,
      requestTimeout: REQUEST_TIMEOUT_MS,
      enableMetaHeader: false
    })
  }

  /** Files of secrets are read now; nothing is asked yet. Throws Why5xxError `WHY5XX_CONFIG`; no message holds a secret. */
  static open(config: KibanaConfig): Kibana {
    checkUrl('kibana', 'url', config.url, 'a URL such as https://kibana:5601')
    const login = loginOf('kibana', config)
    const pool = new WeightedConnectionPool({
      Connection: UndiciConnection,
      ...(login !== null && { auth: login }),
      ...(config.caFile !== null && { tls: { ca: readFile('kibana.caFile', config.caFile) } })
    })
    pool.addConnection(config.url)
    return new Kibana(config.space, pool)
  }

  /** Any answer is one, also a refusal. Throws Why5xxError `WHY5XX_KIBANA` where there is none. */
  async ask({ method, path, query, body, lines, isGlobal = false }: KibanaRequest): Promise<KibanaAnswer> {
    const upload = lines === undefined ? null : await uploadOf(lines)
    const prefix = this.space === DEFAULT_SPACE || isGlobal ? '' : `/s/${this.space}`
    try {
      const { statusCode, body: answer } = await this.#transport.request(
        {
          method,
          path: `${prefix}${path}`,
          ...(query !== undefined && { querystring: query }),
          ...(upload !== null ? { body: upload.text } : body !== undefined && { body })
        },
        {
          meta: true,
          headers: {
            'kbn-xsrf': 'true',
            'elastic-api-version': API_VERSION,
            ...(upload !== null && { 'content-type': upload.type })
          }
        }
      )
      return { status: statusCode, body: answer }
    } catch (error) {
      if (error instanceof errors.ResponseError) return { status: error.statusCode ?? 0, body: error.body }
      throw new Why5xxError('WHY5XX_KIBANA', `Kibana ${sentenceOf(error)}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    await this.#pool.empty()
  }
}

/** As a browser would send it: Kibana takes only files whose name ends in `.ndjson`. */
async function uploadOf(lines: readonly Record<string, unknown>[]): Promise<{ text: string; type: string }> {
  const form = new FormData()
  const text = ndjson(lines)
  form.append('file', new Blob([text], { type: 'application/ndjson' }), 'why5xx.ndjson')
  const encoded = new Response(form)
  return { type: encoded.headers.get('content-type')!, text: await encoded.text() }
}

export function ndjson(lines: readonly Record<string, unknown>[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

/** `answer` was none that we can go on with. `what`: `the dashboard why5xx-overview`. */
export function refusal({ status, body }: KibanaAnswer, what: string, space: string): Why5xxError {
  const said = saidIn(body)
  const text = said === '' ? '' : `: ${said}`
  const explained = (): string => {
    if (status === 401) return 'Kibana does not accept our credentials (401): see kibana.apiKey, username and password'
    if (/licen[cs]e/i.test(said)) return `the licence of this Kibana does not allow ${what} (${status})${text}`
    if (status === 403)
      return `Kibana does not allow ${what} (403)${text}. In space ${space} the user needs All of Discover, Dashboard, Data View Management, Saved Objects Management and Stack Rules, and in Elasticsearch read and view_index_metadata on why5xx-*`
    if (status === 409) return `${what} is there in another space, or somebody else is at it (409)${text}`
    if (/encryption key/i.test(said))
      return `Kibana cannot keep ${what}: set xpack.encryptedSavedObjects.encryptionKey in kibana.yml${text}`
    return `Kibana answers ${status} to ${what}${text}`
  }
  return new Why5xxError('WHY5XX_KIBANA', explained())
}

/** Kibana says `{"statusCode":…,"error":"Not Found","message":"…"}`. */
export function saidIn(body: unknown): string {
  const { message, error } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const said = typeof message === 'string' ? message : typeof error === 'string' ? error : ''
  return clip(safeText(said), SAID_CHARS_MAX)
}
