/**
 * A server that answers as the documented APIs of Kibana do, for what setup asks: status, spaces, saved objects, dashboards,
 * rules. It is a stand-in, because no Kibana is to be had where this is tested: it knows what is published of the real one, in
 * kibanaShapes.ts, and nothing beyond. A script may answer instead of it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { z } from 'zod'
import { DASHBOARD, NEW_RULE, RULE, SAVED_OBJECT } from './kibanaShapes.ts'

export interface KibanaAsked {
  method: string
  /** With the space, without the query. */
  path: string
  headers: IncomingMessage['headers']
  body: string
}

export type Answer = [status: number, body: unknown]
type Json = Record<string, unknown>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[14][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export class ScriptedKibana {
  version = '9.5.4'
  readonly spaces = new Set(['default'])
  readonly asked: KibanaAsked[] = []
  /** By space and kind: `default index-pattern/why5xx-failure`. */
  readonly objects = new Map<string, Json>()
  /** null: as Kibana would. */
  script: (asked: KibanaAsked) => Answer | null = () => null
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  static async start(): Promise<ScriptedKibana> {
    const started = new ScriptedKibana()
    await new Promise<void>(resolve => started.#server.listen(0, '127.0.0.1', resolve))
    return started
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Requests that change something, as `PUT /api/dashboards/why5xx-overview`. */
  get written(): string[] {
    return this.asked
      .filter(({ method, path }) => method !== 'GET' && !path.endsWith('/_export'))
      .map(({ method, path }) => `${method} ${path}`)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const url = new URL(request.url!, 'http://kibana')
    const asked = { method: request.method!, path: url.pathname, headers: request.headers, body }
    this.asked.push(asked)
    const [status, answer] = this.script(asked) ?? this.#answer(asked, url.searchParams)
    const isText = typeof answer === 'string'
    response.writeHead(status, {
      'content-type': isText ? (answer.startsWith('<') ? 'text/html' : 'application/ndjson') : 'application/json'
    })
    response.end(isText ? answer : JSON.stringify(answer))
  }

  #answer({ method, path, headers, body }: KibanaAsked, query: URLSearchParams): Answer {
    if (method !== 'GET' && headers['kbn-xsrf'] === undefined)
      return refused(400, 'Request must contain a kbn-xsrf header.')
    const [, space = 'default', api] = /^(?:\/s\/([^/]+))?(\/api\/.*)$/.exec(path) ?? []
    if (api === '/api/status')
      return [200, { name: 'kibana', version: { number: this.version }, status: { overall: { level: 'available' } } }]
    const id = decodeURIComponent(api?.split('/').at(-1) ?? '')
    if (api?.startsWith('/api/spaces/space/')) return this.spaces.has(id) ? [200, { id }] : NOT_FOUND
    if (api === '/api/saved_objects/_export') return this.#exported(space, JSON.parse(body) as Json)
    if (api === '/api/saved_objects/_import') return this.#imported(space, headers, body, query)
    if (api?.startsWith('/api/dashboards') && this.#minor >= 5) return this.#dashboard(space, method, api, body)
    if (api?.startsWith('/api/alerting/rule/')) return this.#rule(space, method, id, body)
    return NOT_FOUND
  }

  get #minor(): number {
    return Number(this.version.split('.')[1])
  }

  #exported(space: string, { objects }: Json): Answer {
    const asked = (objects as { type: string; id: string }[]).map(({ type, id }) => ({
      type,
      id,
      known: this.objects.get(`${space} ${type}/${id}`)
    }))
    const missing = asked.filter(({ known }) => known === undefined)
    if (missing.length === 0) return [200, asked.map(({ known }) => JSON.stringify(known)).join('\n')]
    const errors = missing.map(({ type, id }) => ({
      id,
      type,
      error: { statusCode: 404, error: 'Not Found', message: `Saved object [${type}/${id}] not found` }
    }))
    return [
      400,
      {
        statusCode: 400,
        error: 'Bad Request',
        message: 'Error fetching objects to export',
        attributes: { objects: errors }
      }
    ]
  }

  #imported(space: string, headers: IncomingMessage['headers'], body: string, query: URLSearchParams): Answer {
    const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1]
    const part = boundary === undefined ? undefined : body.split(`--${boundary}`)[1]
    const [head, ...rest] = part?.split('\r\n\r\n') ?? []
    if (!/name="file"; filename="[^"]+\.ndjson"/.test(head ?? '')) return refused(400, 'Invalid file extension')
    const lines = rest
      .join('\r\n\r\n')
      .split('\n')
      .filter(line => line.trim() !== '')
    const errors: Json[] = []
    for (const line of lines) {
      const wrong = problem(SAVED_OBJECT, JSON.parse(line))
      if (wrong !== null) return refused(400, wrong)
      const object = JSON.parse(line) as { type: string; id: string }
      const key = `${space} ${object.type}/${object.id}`
      if (this.objects.has(key) && query.get('overwrite') !== 'true')
        errors.push({ ...object, error: { type: 'conflict' } })
      else this.objects.set(key, object)
    }
    return [200, { success: errors.length === 0, successCount: lines.length - errors.length, errors }]
  }

  #dashboard(space: string, method: string, api: string, body: string): Answer {
    const [, , , id] = api.split('/')
    if (id === undefined) return [200, { dashboards: [], total: 0 }]
    const key = `${space} dashboard/${id}`
    const known = this.objects.get(key)
    if (method === 'GET')
      return known === undefined ? refused(404, `A dashboard with ID [${id}] was not found.`) : [200, known]
    const data = JSON.parse(body) as Json
    const wrong = problem(DASHBOARD, data)
    if (wrong !== null) return refused(400, wrong)
    // Defaults are filled in.
    const stored = { id, data: { ...data, options: { use_margins: true } }, meta: { managed: false } }
    this.objects.set(key, stored)
    return [known === undefined ? 201 : 200, stored]
  }

  #rule(space: string, method: string, id: string, body: string): Answer {
    const key = `${space} rule/${id}`
    const known = this.objects.get(key)
    if (method === 'GET')
      return known === undefined ? refused(404, `Saved object [alert/${id}] not found`) : [200, known]
    if (!UUID.test(id))
      return refused(
        400,
        'Predefined IDs are not allowed for saved objects with encrypted attributes unless the ID is a UUID.'
      )
    const isElsewhere = [...this.objects.keys()].some(other => other.endsWith(`rule/${id}`))
    if (method === 'POST' && isElsewhere) return refused(409, `Saved object [alert/${id}] conflict`)
    if (method === 'PUT' && known === undefined) return refused(404, `Saved object [alert/${id}] not found`)
    const given = JSON.parse(body) as Json & { params: { groupBy: string } }
    const wrong = problem(method === 'POST' ? NEW_RULE : RULE, given)
    if (wrong !== null) return refused(400, wrong)
    if (given.params.groupBy === 'row' && this.#minor < 1) return refused(400, '[groupBy]: expected all or top')
    // What an update leaves out of its artifacts is gone.
    const stored = { ...known, artifacts: {}, ...given, id, enabled: known?.enabled ?? true }
    this.objects.set(key, stored)
    return [200, stored]
  }
}

const NOT_FOUND: Answer = [404, { statusCode: 404, error: 'Not Found', message: 'Not Found' }]

export function refused(statusCode: number, message: string): Answer {
  return [statusCode, { statusCode, error: 'Refused', message }]
}

/** null: it is as published. */
function problem(shape: z.ZodType, value: unknown): string | null {
  const result = shape.safeParse(value)
  return result.success
    ? null
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}
