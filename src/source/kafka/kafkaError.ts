import { Why5xxError } from '../../errors.ts'
import type { KafkaConnection } from './connection.ts'

/** What a client library throws, as a sentence. */
export function kafkaError(doing: string, connection: KafkaConnection, error: unknown): Why5xxError {
  if (error instanceof Why5xxError) return error
  const why = error instanceof Error ? deepest(error).message : String(error)
  return new Why5xxError('WHY5XX_KAFKA', `${doing} (brokers ${connection.brokers.join(', ')}): ${why}`, {
    cause: error
  })
}

/** "Number of retries exceeded" says less than what was retried. */
export function deepest(error: Error): Error {
  return error.cause instanceof Error && error.cause !== error ? deepest(error.cause) : error
}

/** The broker takes no batch, or no message, of that size. */
export function isTooLarge(error: unknown): boolean {
  const cause = error instanceof Error ? (deepest(error) as Error & { type?: unknown }) : null
  return cause?.type === 'MESSAGE_TOO_LARGE' || cause?.type === 'RECORD_LIST_TOO_LARGE'
}
