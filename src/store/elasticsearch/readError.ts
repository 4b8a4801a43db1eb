/** What went wrong when Elasticsearch was asked, as one sentence that says what to mend. It never holds a secret. */

import { errors } from '@elastic/elasticsearch'
import { Why5xxError } from '../../errors.ts'
import { clip } from '../../text.ts'
import { errorTypeOf, sentenceOf, statusOf } from './connection.ts'

/** Reasons quote queries and documents; their beginning is enough. */
const REASON_CHARS_MAX = 200

/** `where`: addresses of the nodes; `indices`: what was asked. */
export function readError(error: unknown, where: string, indices: readonly string[]): Why5xxError {
  if (error instanceof Why5xxError) return error
  return new Why5xxError('WHY5XX_STORE', `${subject(where)} ${predicate(error, indices)}`, { cause: error })
}

export function notAllowed(where: string, indices: readonly string[]): Why5xxError {
  return new Why5xxError('WHY5XX_STORE', `${subject(where)} ${notAllowedText(indices)}`)
}

function subject(where: string): string {
  return `Elasticsearch at ${where}`
}

function notAllowedText(indices: readonly string[]): string {
  return `does not let our user read ${clip(indices.join(', '), REASON_CHARS_MAX)}: give it the privilege read on them`
}

function predicate(error: unknown, indices: readonly string[]): string {
  const reason = innermostReason(error)
  switch (statusOf(error)) {
    case 403:
      return `${notAllowedText(indices)}${reason}`
    case 429:
      return `has too much to do: try again, or ask for less time${reason}`
    case 401:
      return sentenceOf(error)
    case null:
      break
    default:
      return errorTypeOf(error) === 'media_type_header_exception'
        ? 'is too old: why5xx needs 9.0 or later'
        : `cannot answer: ${statusOf(error)}${reason}`
  }
  if (error instanceof errors.ProductNotSupportedError) return 'is none: set sink.elasticsearch.nodes to where it is'
  if (error instanceof errors.TimeoutError) return `${sentenceOf(error)}: ask for less time, or look at its load`
  return `${sentenceOf(error)}: is it running, and is sink.elasticsearch.nodes right?`
}

interface ErrorCause {
  type?: string
  reason?: string
  root_cause?: ErrorCause[]
  failed_shards?: { reason?: ErrorCause }[]
  caused_by?: ErrorCause
}

/** ` (type: reason)` of what happened first: the outer one says "all shards failed". */
function innermostReason(error: unknown): string {
  if (!(error instanceof errors.ResponseError)) return ''
  const body = error.body as { error?: ErrorCause } | string | undefined
  const outer = typeof body === 'object' ? body.error : undefined
  if (typeof outer !== 'object' || outer === null) return ''
  const { type, reason } = outer.failed_shards?.[0]?.reason ?? outer.root_cause?.[0] ?? outer.caused_by ?? outer
  const text = [type, reason].filter(part => typeof part === 'string').join(': ')
  return text === '' ? '' : ` (${clip(text, REASON_CHARS_MAX)})`
}
