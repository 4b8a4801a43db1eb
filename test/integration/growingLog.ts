/** A container's log as kubelet keeps it, that a test writes piece by piece, rotated by rename once on the way. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../bench/random.ts'

const PIECE_BYTES_MAX = 200_000
const LINE_FEED = 10

export class GrowingLog {
  readonly path: string
  readonly rotatedPath: string
  readonly #bytes: Buffer
  readonly #rotateAt: number
  #at = 0

  constructor(folder: string, bytes: Buffer) {
    const container = kubeletFolder(folder)
    this.path = join(container, '0.log')
    this.rotatedPath = `${this.path}.20260312-103000`
    this.#bytes = bytes
    this.#rotateAt = bytes.indexOf(LINE_FEED, bytes.length / 2) + 1
    writeFileSync(this.path, '')
  }

  /** Up to this share of all has been written. */
  isWritten(share: number): boolean {
    return this.#at >= Math.floor(share * this.#bytes.length)
  }

  /** One piece more, cut anywhere but at the rotation. */
  append(random: Random): void {
    if (this.#at === this.#rotateAt) {
      renameSync(this.path, this.rotatedPath)
      writeFileSync(this.path, '')
    }
    const end = Math.min(this.#at + 1 + random.below(PIECE_BYTES_MAX), this.#bytes.length)
    const to = this.#at < this.#rotateAt ? Math.min(end, this.#rotateAt) : end
    appendFileSync(this.path, this.#bytes.subarray(this.#at, to))
    this.#at = to
  }
}

/** Makes the folder of a controller's container below `folder`: its path tells the pod. */
export function kubeletFolder(folder: string): string {
  const pod = 'ingress-nginx_controller-6c9f8d4b7-q4wnd_0d1e7a0e-6f54-4b4b-9d3a-2b8a3c5d7e91'
  const path = join(folder, 'pods', pod, 'controller')
  mkdirSync(path, { recursive: true })
  return path
}

/** One line in so many is followed by one that is nobody's. */
export const REJECT_EVERY = 3_000

/** Lines of nginx as containerd writes them down: error lines went to stderr, each line has a moment of its own. */
export function asContainerLog(text: string): Buffer {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  let nanoseconds = 0
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => {
      const error = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d) /.exec(line)
      const access = error ? null : / \[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) /.exec(line)
      const [, year, month, day, time] = error ?? [
        '',
        access![3],
        String(months.indexOf(access![2]!) + 1).padStart(2, '0'),
        access![1],
        access![4]
      ]
      const stamp = `${year}-${month}-${day}T${time}.${String(nanoseconds++).padStart(9, '0')}Z`
      const reject = nanoseconds % REJECT_EVERY === 0 ? `${stamp} stdout F no log line of anybody\n` : ''
      return `${stamp} ${error ? 'stderr' : 'stdout'} F ${line}\n${reject}`
    })
  return Buffer.from(lines.join(''), 'latin1')
}
