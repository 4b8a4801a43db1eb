/** The requests a writer makes, each in the client's words. */

import type { Client } from '@elastic/elasticsearch'
import { BULK_FILTER, type ItemAnswer, type RequestVerdict } from './bulkAnswer.ts'
import { statusOf } from './connection.ts'
import { judgeError, type Patience } from './patience.ts'

/** Sends lines as they are. Answers without items are none: the queue sees that something is missing. */
export async function sendBulk(client: Client, lines: string[]): Promise<ItemAnswer[]> {
  const answer = await client.bulk({ operations: lines, filter_path: BULK_FILTER })
  const items: unknown = answer.items
  return Array.isArray(items) ? items.map(item => (Object.values(item as object)[0] ?? {}) as ItemAnswer) : []
}

export interface DocumentRef {
  index: string
  id: string
}

export interface FoundDocument {
  source: Record<string, unknown>
  seqNo: number
  primaryTerm: number
}

/** A part of the answer is missing: some shard is away. */
class PartialAnswer extends Error {}

function judgePartial(error: unknown): RequestVerdict {
  return error instanceof PartialAnswer ? { kind: 'retry', because: error.message } : judgeError(error)
}

const IDS_AT_ONCE = 1_000

/** Documents as they are now, without a refresh, in the order of `refs`; null: there is none. Asks until it is told. */
export async function getDocuments(
  client: Client,
  patience: Patience,
  refs: readonly DocumentRef[],
  fields: string[]
): Promise<(FoundDocument | null)[]> {
  const found: (FoundDocument | null)[] = []
  for (let from = 0; from < refs.length; from += IDS_AT_ONCE) {
    const docs = refs.slice(from, from + IDS_AT_ONCE).map(({ index, id }) => ({ _index: index, _id: id }))
    const answer = await patience.ask(async () => {
      const { docs: answers } = await client.mget<Record<string, unknown>>({ docs, _source_includes: fields })
      if (answers?.length !== docs.length)
        throw new PartialAnswer('Elasticsearch answered for fewer documents than asked')
      return answers.map(foundOf)
    }, judgePartial)
    found.push(...answer)
  }
  return found
}

const DELETES_AT_ONCE = 1_000
/** Gone, gone before, or of somebody else by now. */
const DELETED = [200, 404, 409]

/** A document; with its version, only while it has that. */
export type DeletedRef = DocumentRef & Partial<Pick<FoundDocument, 'seqNo' | 'primaryTerm'>>

/**
 * Deletes documents, as far as they are there in the version named. Asks until it is answered. Returns how many stay because
 * we may not delete them, or the index takes nothing for now.
 */
export async function deleteDocuments(
  client: Client,
  patience: Patience,
  refs: readonly DeletedRef[]
): Promise<number> {
  let left = 0
  for (let from = 0; from < refs.length; from += DELETES_AT_ONCE) {
    const operations = refs.slice(from, from + DELETES_AT_ONCE).map(({ index, id, seqNo, primaryTerm }) => ({
      delete: {
        _index: index,
        _id: id,
        ...(seqNo !== undefined && { if_seq_no: seqNo, if_primary_term: primaryTerm })
      }
    }))
    const { items } = await patience.ask(() => client.bulk({ operations, filter_path: 'items.*.status' }))
    left += items.filter(item => !DELETED.includes(item.delete!.status)).length
  }
  return left
}

type MgetAnswer = Awaited<ReturnType<Client['mget']>>['docs'][number]

function foundOf(answer: MgetAnswer): FoundDocument | null {
  if ('error' in answer) {
    if (answer.error.type === 'index_not_found_exception') return null
    throw new PartialAnswer(`Elasticsearch cannot read ${answer._index}: ${answer.error.type}`)
  }
  if (!answer.found) return null
  return {
    source: answer._source as Record<string, unknown>,
    seqNo: answer._seq_no!,
    primaryTerm: answer._primary_term!
  }
}

/** Makes what is durable visible to a search. Whoever may not refresh waits for the interval of the index. */
export async function refresh(client: Client, patience: Patience, index: string): Promise<void> {
  const options = { index, ignore_unavailable: true, allow_no_indices: true }
  await patience.ask(async () => {
    try {
      await client.indices.refresh(options)
    } catch (error) {
      if (statusOf(error) !== 403) throw error
    }
  })
}
