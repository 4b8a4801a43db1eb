/** The store in a thread of its own, as the pipeline sees it. */

import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { Why5xxError, type Why5xxErrorCode } from '../errors.ts'
import type { MaskOptions } from '../mask.ts'
import type { StreamState } from '../source/source.ts'
import type { DocumentOptions } from './document.ts'
import type { EmbeddedOptions } from './embedded/open.ts'
import type { RawBatch, Sink } from './sink.ts'
import type { ClaimedStreams, WriteResult } from './store.ts'
import type { Answer, Failed, Request } from './workerMessages.ts'

/** What a store needs to be opened, as data that can go to another thread. */
export interface StoreSettings {
  path: string
  embedded: Pick<EmbeddedOptions, 'retention' | 'retentionBytes' | 'program'>
  maskOptions: MaskOptions
  documents: Omit<DocumentOptions, 'sourceOf' | 'masker' | 'nowMs'>
}

/** Of its young generation: what it holds longer are bytes that wait for the disk. */
const YOUNG_MIB = 12

interface Pending {
  resolve: (result: never) => void
  reject: (error: unknown) => void
}

/** Without its number. */
type Question = Request extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never

export class WorkerStore implements Sink {
  readonly facts = null
  readonly isThread = true
  readonly streams: readonly StreamState[]
  readonly engine: Record<string, unknown> | null
  pausedBecause: string | null = null
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #asked = 0
  #error: unknown = null

  private constructor(worker: Worker, open: Answer & { kind: 'open' }) {
    this.#worker = worker
    this.streams = open.streams
    this.engine = open.engine
  }

  /** `file`: the built storeWorker.js. Throws what opening the store throws. */
  static async open(file: string, settings: StoreSettings, notify: (text: string) => void): Promise<WorkerStore> {
    // Documents are short-lived: in a young generation that may not grow (main.ts) they would all grow old.
    setFlagsFromString('--semi-space-growth-factor=2')
    const worker = new Worker(file, { workerData: settings, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } })
    return new Promise((resolve, reject) => {
      let store: WorkerStore | null = null
      worker.on('message', (answer: Answer) => {
        if (answer.kind === 'open') resolve((store = new WorkerStore(worker, answer)))
        else if (answer.kind === 'notify') notify(answer.text)
        else if (store !== null) store.#take(answer)
        else if (answer.kind === 'failed') reject(errorOf(answer.error))
      })
      const gone = (error: unknown): void => {
        reject(error)
        if (store !== null) store.#fail(error)
      }
      worker.on('error', gone)
      worker.on('exit', () => gone(new Why5xxError('WHY5XX_STORE', 'the thread that writes the store has ended')))
    })
  }

  write(batch: RawBatch): Promise<WriteResult> {
    return this.#ask({ kind: 'write', batch })
  }

  countedMinutes(containers: string[], stream: string): Promise<Set<string>> {
    return this.#ask({ kind: 'countedMinutes', containers, stream })
  }

  claim(streams: string[]): Promise<ClaimedStreams> {
    return this.#ask({ kind: 'claim', streams })
  }

  close(): Promise<void> {
    return this.#ask({ kind: 'close' })
  }

  #ask<T>(question: Question): Promise<T> {
    if (this.#error !== null) return Promise.reject(this.#error)
    const id = ++this.#asked
    this.#worker.postMessage({ ...question, id } as Request)
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
    })
  }

  #take(answer: Answer): void {
    if (answer.kind === 'paused') this.pausedBecause = answer.because
    if (answer.kind !== 'done' && answer.kind !== 'failed') return
    const pending = this.#pending.get(answer.id!)!
    this.#pending.delete(answer.id!)
    if (answer.kind === 'done') pending.resolve(answer.result as never)
    else pending.reject(errorOf(answer.error))
  }

  #fail(error: unknown): void {
    this.#error ??= error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

function errorOf({ code, message }: Failed): Error {
  return code === null ? new Error(message) : new Why5xxError(code as Why5xxErrorCode, message)
}
