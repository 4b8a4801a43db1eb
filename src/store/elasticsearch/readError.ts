/** What went wrong when Elasticsearch was asked, as one sentence that says what to mend. It never holds a secret. */

import { errors } from '@elastic/elasticsearch'
import { Why5xxError } from '../../errors.ts'

/** Reasons quote queries and documents; one sentence needs their beginning. */
const REASON_CHARS_MAX = 300

/** `where`: the addresses without what logs in; `indices`: what was asked. */
export function readError(error: unknown, where: string, indices: readonly string[]): Why5xxError {
  if (error instanceof Why5xxError) return error
  return new Why5xxError('WHY5XX_STORE', sentence(error, where, indices), { cause: error })
}

export function notAllowed(indices: readonly string[], where: string): string {
  return `Elasticsearch at ${where} does not let our user read ${indices.join(', ')}: give it the index privileges read and view_index_metadata on why5xx-*`
}

function sentence(error: unknown, where: string, indices: readonly string[]): string {
  if (error instanceof errors.ResponseError) {
    const { statusCode, body } = error
    if (statusCode === 401)
      return `Elasticsearch at ${where} refuses our login (401): set sink.elasticsearch.apiKeyFile, or username and passwordFile`
    const reason = reasonOf(body)
    if (statusCode === 403) return `${notAllowed(indices, where)} (403${reason === '' ? '' : `: ${reason}`})`
    if (statusCode === 429)
      return `Elasticsearch at ${where} has too much to do (429${reason === '' ? '' : `: ${reason}`}): try again, or ask for less time`
    return `Elasticsearch at ${where} cannot answer (${statusCode ?? 'no status'}${reason === '' ? '' : `: ${reason}`})`
  }
  if (error instanceof errors.TimeoutError)
    return `Elasticsearch at ${where} did not answer in time: ask for less time, or look at its load`
  if (error instanceof errors.ProductNotSupportedError)
    return `what answers at ${where} is not Elasticsearch: set sink.elasticsearch.nodes to where it is`
  if (error instanceof errors.ConnectionError || error instanceof errors.NoLivingConnectionsError)
    return `Elasticsearch cannot be reached at ${where}: ${clipped(error.message)}; is it running, and is sink.elasticsearch.nodes right?`
  return `cannot read from Elasticsearch at ${where}: ${clipped(error instanceof Error ? error.message : String(error))}`
}

interface ErrorCause {
  type?: string
  reason?: string
  root_cause?: ErrorCause[]
  failed_shards?: { reason?: ErrorCause }[]
  caused_by?: ErrorCause
}

/** The innermost reason: the outer one says "all shards failed". */
function reasonOf(body: unknown): string {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: ErrorCause | string }
  if (error === undefined) return ''
  if (typeof error === 'string') return clipped(error)
  const { type, reason } = error.failed_shards?.[0]?.reason ?? error.root_cause?.[0] ?? error.caused_by ?? error
  return clipped([type, reason].filter(part => part !== undefined).join(': '))
}

function clipped(text: string): string {
  const [line] = text.split('\n')
  return line!.length > REASON_CHARS_MAX ? `${line!.slice(0, REASON_CHARS_MAX)}…` : line!
}
