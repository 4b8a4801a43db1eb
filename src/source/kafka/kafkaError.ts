import { Why5xxError } from '../../errors.ts'
import type { KafkaConnection } from './connection.ts'

/** What a client library throws, as a sentence. */
export function kafkaError(doing: string, connection: KafkaConnection, error: unknown): Why5xxError {
  if (error instanceof Why5xxError) return error
  const why = reasonOf(error)
  return new Why5xxError('WHY5XX_KAFKA', `${doing} (brokers ${connection.brokers.join(', ')}): ${why}`, {
    cause: error
  })
}

/** kafkajs drops what each broker has said here; of a group that one may not read they name none. */
const NO_COORDINATOR =
  'the brokers name no coordinator of the group: our user may not read the group, or they are just starting'

/** Why something did not work: a part of a sentence. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { name, message } = deepest(error)
  return name === 'KafkaJSGroupCoordinatorNotFound' ? NO_COORDINATOR : message
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
