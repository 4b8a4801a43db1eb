/**
 * Logs on their way: read from the API once, and from here twice, because what they name tells which part of the cluster is
 * looked at. A folder that only we may read; it goes when the process does.
 */

import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { type Input, type LogPlace, openInput } from '../source/input.ts'

export class LogSpool {
  readonly #folder: string
  #files = 0

  constructor() {
    this.#folder = kept(() => mkdtempSync(join(tmpdir(), 'why5xx-logs-')))
    process.once('exit', this.#remove)
  }

  /** The log of one container. */
  open(place: LogPlace): SpooledLog {
    return new SpooledLog(join(this.#folder, `${++this.#files}.log`), place)
  }

  close(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }

  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true })
}

export class SpooledLog {
  bytes = 0
  readonly place: LogPlace
  readonly #path: string

  constructor(path: string, place: LogPlace) {
    this.#path = path
    this.place = place
  }

  /**
   * Behind what is there. `heard` is told of every chunk. Rejects with what ended the stream; what came before it stays: a
   * chunk is written as it comes, because a stream that is cut off forgets what nobody has taken yet.
   */
  async append(stream: Readable, heard: (bytes: number) => void): Promise<void> {
    const file = kept(() => openSync(this.#path, 'a', 0o600))
    stream.on('data', (chunk: Buffer) => {
      try {
        kept(() => appendFileSync(file, chunk))
        this.bytes += chunk.length
        heard(chunk.length)
      } catch (error) {
        stream.destroy(error as Error)
      }
    })
    try {
      await finished(stream)
    } finally {
      closeSync(file)
    }
  }

  /** `NAMESPACE/POD`; can be asked for again and again. */
  input(): Input {
    const input = openInput(this.#path)
    return { ...input, name: `${this.place.namespace}/${this.place.pod}`, place: this.place }
  }
}

function kept<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const text = `cannot keep logs in ${tmpdir()}: ${systemErrorText(cause)}; TMPDIR names another folder`
    throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', text, { cause })
  }
}
