/** What the pipeline writes to: a store that builds the documents of failures itself, so that another thread can do it. */

import type { ErrorEntry, Failure } from '../model.ts'
import { buildDocument, type DocumentOptions, type StoredDocument } from './document.ts'
import type { Batch, ClaimedStreams, StoreWriter, WriteResult } from './store.ts'

/** A batch before its documents are built. */
export interface RawBatch extends Omit<Batch, 'failures'> {
  /** `failureText` of each. */
  failures: string[]
  /** Documents of failures that are built already. */
  built: StoredDocument[]
}

export interface Sink extends Omit<StoreWriter, 'write'> {
  /** It builds documents beside the reading: failures go to it as text. */
  readonly isThread: boolean
  /** True: nothing is kept of failures, and none of them is built; left out: all are. */
  readonly isForgetting?: boolean
  /** As `StoreWriter.write`. */
  write(batch: RawBatch): Promise<WriteResult>
}

/**
 * A failure with what only its reader knows, and only as long as it reads: the source of a line that no envelope tells
 * anything of, else ''.
 */
export interface RawFailure {
  failure: Failure
  source: string
}

export function rawFailure(failure: Failure, options: Pick<DocumentOptions, 'sourceOf'>): RawFailure {
  const { stream, line } = failure.access ?? failure.errors[0]!
  return { failure, source: line.pod === null ? options.sourceOf(stream, line.byteOffset) : '' }
}

/** A failure as text: what it holds is plain data, and text is what goes fastest to another thread. */
export function failureText({ failure, source }: RawFailure): string {
  const { access, errors } = failure
  // The id is made of the first line's bytes; those of the others have been read.
  const sent = access === null ? failure : { ...failure, errors: errors.map(withoutBytes) }
  return JSON.stringify({ failure: sent, source } satisfies RawFailure)
}

function withoutBytes(error: ErrorEntry): ErrorEntry {
  return { ...error, line: { ...error.line, raw: '' } }
}

/** The documents of failures that were made texts. */
export function documentsOf(texts: readonly string[], options: Omit<DocumentOptions, 'sourceOf'>): StoredDocument[] {
  return texts.map(text => documentOf(JSON.parse(text) as RawFailure, options))
}

export function documentOf(
  { failure, source }: RawFailure,
  options: Omit<DocumentOptions, 'sourceOf'>
): StoredDocument {
  return buildDocument(failure, { ...options, sourceOf: () => source })
}

/** Builds the documents and hands them to a store. */
/** Where a store keeps what was rejected, beside itself: it waits for that as for its own writing. */
interface KeptBeside {
  readonly pausedBecause: string | null
  close(): unknown
}

export class DocumentSink implements Sink {
  readonly isThread = false
  readonly #store: StoreWriter
  readonly #options: Omit<DocumentOptions, 'sourceOf'>
  #failure: { error: unknown } | null = null

  readonly #beside: KeptBeside | null

  /** `beside` is closed with the store. */
  constructor(store: StoreWriter, options: Omit<DocumentOptions, 'sourceOf'>, beside: KeptBeside | null = null) {
    this.#store = store
    this.#options = options
    this.#beside = beside
  }

  get streams(): StoreWriter['streams'] {
    return this.#store.streams
  }

  get engine(): StoreWriter['engine'] {
    return this.#store.engine
  }

  get facts(): StoreWriter['facts'] {
    return this.#store.facts
  }

  get pausedBecause(): string | null {
    return this.#store.pausedBecause ?? this.#beside?.pausedBecause ?? null
  }

  /** Once a batch has failed, all behind it are refused: their positions would say that it was read. */
  async write(batch: RawBatch): Promise<WriteResult> {
    if (this.#failure !== null) throw this.#failure.error
    try {
      const { failures, built, ...rest } = batch
      return await this.#store.write({ ...rest, failures: [...documentsOf(failures, this.#options), ...built] })
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    return this.#store.countedMinutes(containers, stream)
  }

  claim(streams: string[]): Promise<ClaimedStreams> {
    return this.#store.claim(streams)
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#beside?.close()
  }
}
