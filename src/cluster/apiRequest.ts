/** One GET to an API server: the answer's stream or its JSON, and what went wrong in one sentence. */
import { type Agent, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { systemErrorText, Why5xxError } from '../errors.ts'

export interface Connection {
  /** Origin and, behind a proxy, a path that every other path follows. */
  server: URL
  /** Name in the kubeconfig. */
  context: string
  /** Of the context. */
  namespace: string
  /** Credentials and agent for the next request. */
  credentials(): Promise<Credentials>
  /** Instead of the limits of each request, ms: what a person is ready to wait. */
  silentMs?: number
}

export interface Credentials {
  headers: Record<string, string | string[]>
  /** `user:password` of a basic login. */
  auth?: string
  agent: Agent
}

export type Parameters = Record<string, string | number | undefined>

export interface RequestLimits {
  /** Longest time without one byte, connecting included, ms. */
  silentMs: number
  signal?: AbortSignal | undefined
}

/** A page of 500 objects, each far larger than any that is usual. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024
/** Of an error's text. */
const ERROR_BYTES_MAX = 16 * 1024
const SENTENCE_MAX = 300
/** Kernel probes of a quiet connection begin; with its ten tries of a second each, a dead one is an error after about 20 s. */
const KEEP_ALIVE_MS = 10_000

/** An answer that is none. `status` null: nobody answered, or not to the end. */
export class ApiError extends Why5xxError {
  readonly status: number | null
  /** The message without the server's name. */
  readonly said: string
  /** What the server asks us to wait, ms. */
  readonly retryAfterMs: number | null

  constructor(
    connection: Connection,
    said: string,
    status: number | null,
    options?: ErrorOptions & { retryAfterMs?: number | null }
  ) {
    super('WHY5XX_KUBERNETES', `API server ${connection.server.origin}: ${said}`, options)
    this.status = status
    this.said = said
    this.retryAfterMs = options?.retryAfterMs ?? null
  }
}

/** The body of a 200, not read yet. Throws ApiError for everything else, the reason of `signal` when that is aborted. */
export async function get(
  connection: Connection,
  path: string,
  parameters: Parameters,
  { silentMs, signal }: RequestLimits
): Promise<IncomingMessage> {
  signal?.throwIfAborted()
  const url = new URL(connection.server)
  url.pathname = url.pathname.replace(/\/$/, '') + path
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, String(value))
  const credentials = await connection.credentials()
  const send = url.protocol === 'http:' ? requestHttp : requestHttps
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send(url, {
      ...credentials,
      headers: { ...credentials.headers, Accept: 'application/json, */*' },
      ...(signal ? { signal } : {})
    })
    const limitMs = connection.silentMs ?? silentMs
    sent.setTimeout(limitMs, () => sent.destroy(new ApiError(connection, `no answer for ${limitMs / 1000} s`, null)))
    sent.on('socket', socket => socket.setKeepAlive(true, KEEP_ALIVE_MS))
    sent.on('error', error => reject(asApiError(error, connection, signal)))
    sent.on('response', resolve)
    sent.end()
  })
  if (response.statusCode === 200) return response
  const text = await textOf(response, ERROR_BYTES_MAX).catch(() => '')
  throw refusal(connection, response, text)
}

/** The JSON of a 200. A number or text in its place is an error too: somebody else answered. */
export async function getJson(
  connection: Connection,
  path: string,
  parameters: Parameters,
  limits: RequestLimits
): Promise<object> {
  const response = await get(connection, path, parameters, limits)
  let text: string
  try {
    text = await textOf(response, ANSWER_BYTES_MAX)
  } catch (error) {
    throw asApiError(error, connection, limits.signal)
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below, for every answer that is no object.
  }
  throw new ApiError(connection, `the answer to ${path} is no JSON object: "${sentence(text, 60)}"`, null)
}

/** Errors of a stream that was open, too. Gives the reason of `signal` back when that is what ended it. */
export function asApiError(error: unknown, connection: Connection, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof Why5xxError) return error
  const words: Record<string, string> = {
    ECONNREFUSED: 'nobody listens there',
    ECONNRESET: 'the connection was cut',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'the name cannot be resolved just now',
    EHOSTUNREACH: 'there is no way to the host',
    ETIMEDOUT: 'the connection is dead',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not of the authority in the kubeconfig',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not of the authority in the kubeconfig',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not of the authority in the kubeconfig',
    CERT_HAS_EXPIRED: 'its certificate has expired'
  }
  const code = (error as NodeJS.ErrnoException).code
  const why = code !== undefined && Object.hasOwn(words, code) ? `${words[code]} (${code})` : systemErrorText(error)
  return new ApiError(connection, sentence(why), null, { cause: error })
}

function refusal(connection: Connection, response: IncomingMessage, text: string): ApiError {
  const status = response.statusCode ?? 0
  const seconds = Number(response.headers['retry-after'])
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null
  const said = messageOf(text) ?? sentence(text)
  const hint = status === 401 ? ': log in again, or look at the user of the context' : ''
  return new ApiError(connection, `${status} ${said || response.statusMessage || ''}${hint}`.trimEnd(), status, {
    retryAfterMs
  })
}

/** Of a Status object, which is what the API answers with instead of an object. */
function messageOf(text: string): string | null {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? sentence(message) : null
  } catch {
    return null
  }
}

/** One line without control characters: it may come from anybody who listens there. */
function sentence(text: string, charactersMax = SENTENCE_MAX): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, charactersMax)
}

async function textOf(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      response.destroy()
      throw new Error(`the answer is larger than ${bytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
