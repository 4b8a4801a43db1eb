/** The files of a world as a source: chunks of any size, files in any order that generations allow, and no clock. */
import type { Random } from '../../bench/random.ts'
import type { Source, SourceEvent, SourceStream, StreamState } from '../../src/source/source.ts'
import { HEAD_BYTES } from '../../src/store/identity.ts'
import type { SimulatedFile } from './world.ts'

/** A line or two: batches end anywhere. */
const CHUNK_BYTES_MAX = 1_000

interface Reading {
  file: SimulatedFile
  stream: SourceStream & { isAtEnd: boolean }
  at: number
}

export class SimulatedSource implements Source {
  readonly isRepeatable = true
  readonly #files: SimulatedFile[]
  readonly #known: Map<string, StreamState>
  readonly #random: Random
  readonly #step: () => void

  /** `step` is called before every event: it may throw, as a crash does, or stop the run. */
  constructor(files: SimulatedFile[], known: readonly StreamState[], random: Random, step: () => void) {
    this.#files = files
    this.#known = new Map(known.map(state => [state.stream, state]))
    this.#random = random
    this.#step = step
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const random = this.#random
    const readings = this.#files.filter(file => !this.#known.get(file.id)?.isDone).map(file => this.#open(file))
    while (readings.length > 0 && !signal.aborted) {
      // The generations of one container's log come in their order.
      const ready = readings.filter(({ file }, i) => readings.findIndex(other => other.file.name === file.name) === i)
      const reading = ready[random.below(ready.length)]!
      const { file, stream } = reading
      this.#step()
      if (signal.aborted) return
      if (reading.at < file.bytes.length) {
        const bytes = file.bytes.subarray(reading.at, reading.at + 1 + random.below(CHUNK_BYTES_MAX))
        reading.at += bytes.length
        stream.isAtEnd = reading.at === file.bytes.length
        yield { kind: 'chunk', stream, bytes }
        continue
      }
      readings.splice(readings.indexOf(reading), 1)
      yield { kind: 'end', stream }
    }
  }

  #open(file: SimulatedFile): Reading {
    const resume = this.#known.get(file.id)?.read ?? null
    const stream = {
      id: file.id,
      name: file.name,
      group: null,
      modifiedMs: null,
      head: file.bytes.subarray(0, HEAD_BYTES),
      resume,
      isAtEnd: false,
      newestMs: Number.NEGATIVE_INFINITY,
      place: () => ({ path: file.name })
    }
    return { file, stream, at: resume?.from ?? 0 }
  }
}
