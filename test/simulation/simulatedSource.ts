/** The files of a world as a source: chunks of any size, files in any order that generations allow, and no clock. */
import type { Source, SourceEvent, SourceStream, StreamState } from '../../src/source/source.ts'
import { HEAD_BYTES } from '../../src/store/identity.ts'
import type { Random, SimulatedFile } from './world.ts'

interface Reading {
  file: SimulatedFile
  stream: SourceStream & { isAtEnd: boolean }
  at: number
}

export class SimulatedSource implements Source {
  readonly #files: SimulatedFile[]
  readonly #known: Map<string, StreamState>
  readonly #random: Random
  readonly #mayCrash: (where: string) => void

  constructor(
    files: SimulatedFile[],
    known: readonly StreamState[],
    random: Random,
    mayCrash: (where: string) => void
  ) {
    this.#files = files
    this.#known = new Map(known.map(state => [state.stream, state]))
    this.#random = random
    this.#mayCrash = mayCrash
  }

  async *read(signal: AbortSignal): AsyncGenerator<SourceEvent> {
    const random = this.#random
    const readings = this.#files.filter(file => !this.#known.get(file.id)?.isDone).map(file => this.#open(file))
    while (readings.length > 0 && !signal.aborted) {
      // The generations of one container's log come in their order.
      const ready = readings.filter(({ file }, i) => readings.findIndex(other => other.file.name === file.name) === i)
      const reading = ready[random.int(ready.length)]!
      const { file, stream } = reading
      this.#mayCrash('source')
      if (reading.at < file.bytes.length) {
        const bytes = file.bytes.subarray(reading.at, reading.at + 1 + random.int(3_000))
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
