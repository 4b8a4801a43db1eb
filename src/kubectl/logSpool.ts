/**
 * Logs on their way: read from the API once, and from here twice, because what they name tells which part of the cluster is
 * looked at. A folder that only we may read; it goes when the process does.
 */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { type Input, type LogPlace, openInput } from '../source/input.ts'

export class LogSpool {
  readonly #folder: string
  #files = 0

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'why5xx-logs-'))
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

  /** Behind what is there. `heard` is told of every chunk. Rejects with what ended the stream; what came before it stays. */
  async append(stream: Readable, heard: (bytes: number) => void): Promise<void> {
    const count = async function* (this: SpooledLog, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        this.bytes += chunk.length
        heard(chunk.length)
        yield chunk
      }
    }.bind(this)
    const file = createWriteStream(this.#path, { flags: 'a', mode: 0o600 })
    let broken: unknown = null
    file.on('error', error => {
      broken = error
    })
    try {
      await pipeline(stream, count, file)
    } catch (error) {
      if (broken === null || broken !== error) throw error
      const text = `cannot keep logs in ${tmpdir()}: ${systemErrorText(error)}; TMPDIR names another folder`
      throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', text, { cause: error })
    }
  }

  /** `NAMESPACE/POD`; can be asked for again and again. */
  input(): Input {
    const input = openInput(this.#path)
    return { ...input, name: `${this.place.namespace}/${this.place.pod}`, place: this.place }
  }
}
