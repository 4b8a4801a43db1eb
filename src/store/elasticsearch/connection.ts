/** The client of one cluster, from the configuration; and what its errors mean, in sentences without secrets. */

import { Client, errors } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../../clusterOptions.ts'
import { checkUrl, loginOf } from '../../elasticLogin.ts'
import { Why5xxError } from '../../errors.ts'
import { readFile } from '../../secrets.ts'
import { clip } from '../../text.ts'

type ClientOptions = ConstructorParameters<typeof Client>[0]

/** Bulk requests of a busy cluster take seconds; what takes longer is sent again. */
const REQUEST_TIMEOUT_MS = 60_000
const OLDEST_MAJOR = 9
const PATH = 'sink.elasticsearch'

/**
 * A client for `sink.elasticsearch`. Files of secrets are read now. Throws Why5xxError `WHY5XX_CONFIG`; no message holds a
 * secret. Nothing is asked of the cluster yet. `requestTimeoutMs`: how long an answer may take.
 */
export function openClient(config: ElasticsearchConfig, requestTimeoutMs = REQUEST_TIMEOUT_MS): Client {
  const { nodes, caFile } = config
  for (const node of nodes) checkUrl(PATH, 'nodes', node, 'URLs such as https://elasticsearch:9200')
  const auth = loginOf(PATH, config)
  const options: ClientOptions = {
    nodes,
    compression: true,
    requestTimeout: requestTimeoutMs,
    // The transport would repeat without telling, and only some of what can be repeated.
    maxRetries: 0,
    ...(auth !== null && { auth })
  }
  if (caFile !== null) options.tls = { ca: readFile(`${PATH}.caFile`, caFile) }
  return new Client(options)
}

/**
 * Asks the cluster what it is. Throws Why5xxError `WHY5XX_STORE` when it cannot be asked, is older than 9.0, or is none
 * that the client talks to. Returns its version.
 */
export async function checkVersion(client: Client): Promise<string> {
  let number: string
  try {
    number = (await client.info()).version.number
  } catch (error) {
    throw new Why5xxError('WHY5XX_STORE', versionErrorText(error), { cause: error })
  }
  if (!(Number.parseInt(number, 10) >= OLDEST_MAJOR)) throw new Why5xxError('WHY5XX_STORE', tooOldText(number))
  return number
}

function versionErrorText(error: unknown): string {
  if (error instanceof errors.ProductNotSupportedError)
    return 'this is not Elasticsearch (OpenSearch, or something between that takes the header x-elastic-product away): why5xx writes to Elasticsearch 9.0 and later'
  // 8.x does not know the media type of a 9.x client.
  if (errorTypeOf(error) === 'media_type_header_exception') return tooOldText(null)
  return `Elasticsearch ${sentenceOf(error)}`
}

function tooOldText(number: string | null): string {
  return `Elasticsearch ${number === null ? 'is' : `${number} is`} too old: why5xx needs ${OLDEST_MAJOR}.0 or later`
}

/** The cluster or the way there is at fault, not the program. */
export function isClientError(error: unknown): boolean {
  return error instanceof errors.ElasticsearchClientError
}

/** HTTP status of an answer that was an error; null: there was no answer. */
export function statusOf(error: unknown): number | null {
  return error instanceof errors.ResponseError ? (error.statusCode ?? null) : null
}

/** Elasticsearch's name of an error: `index_not_found_exception`. */
export function errorTypeOf(error: unknown): string | null {
  if (!(error instanceof errors.ResponseError)) return null
  const body = error.body as { error?: { type?: unknown } | string } | string | undefined
  const type = typeof body === 'object' && typeof body?.error === 'object' ? body.error.type : null
  return typeof type === 'string' ? type : null
}

/** What went wrong, to stand behind the name of the cluster: `cannot be reached: connect ECONNREFUSED 127.0.0.1:9200`. */
export function sentenceOf(error: unknown): string {
  const status = statusOf(error)
  if (status !== null) {
    // The rights that would allow it stand at the end of a refusal, behind users, roles and indices.
    const reason = clip(reasonOf(error), status === 403 ? 600 : 200)
    if (status === 401)
      return 'does not accept our credentials (401): see sink.elasticsearch.apiKeyFile, username and passwordFile; files are read at the start'
    if (status === 403) return `does not allow it (403): ${reason}`
    return `answered ${status}: ${reason}`
  }
  if (error instanceof errors.TimeoutError) return 'did not answer in time'
  if (error instanceof errors.ConnectionError || error instanceof errors.NoLivingConnectionsError)
    return `cannot be reached: ${clip(error.message, 200)}`
  if (error instanceof errors.DeserializationError) return 'gave an answer that is no JSON'
  return `cannot be asked: ${clip(error instanceof Error ? error.message : String(error), 200)}`
}

function reasonOf(error: unknown): string {
  const { body } = error as InstanceType<typeof errors.ResponseError>
  const inner = typeof body === 'object' && body !== null ? (body as { error?: unknown }).error : body
  if (typeof inner === 'string') return inner
  const { type, reason } = (inner ?? {}) as { type?: string; reason?: string }
  return [type, reason].filter(part => typeof part === 'string').join(': ') || 'no reason given'
}
