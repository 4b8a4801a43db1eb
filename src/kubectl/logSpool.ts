/**
 * Logs on their way: read from the API once, and from here twice, because what they name tells which part of the cluster is
 * looked at. A folder that only we may read; it goes when the process does.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  async append(stream: AsyncIterable<Uint8Array>, heard: (bytes: number) => void): Promise<void> {
    const file = await kept(open(this.#path, 'a', 0o600))
    try {
      for await (const chunk of stream) {
        await kept(file.appendFile(chunk))
        this.bytes += chunk.length
        heard(chunk.length)
      }
    } finally {
      await file.close()
    }
  }

  /** `NAMESPACE/POD`; can be asked for again and again. */
  input(): Input {
    const input = openInput(this.#path)
    return { ...input, name: `${this.place.namespace}/${this.place.pod}`, place: this.place }
  }
}

async function kept<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const text = `cannot keep logs in ${tmpdir()}: ${systemErrorText(cause)}; TMPDIR names another folder`
    throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', text, { cause })
  }
}
