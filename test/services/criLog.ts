/**
 * Writes what two named pipes deliver the way containerd writes a container's stdout and stderr:
 *
 *   2026-11-21T11:40:02.123456789Z stdout F 127.0.0.1 - - [21/Nov/2026:11:40:02 +0000] "GET / HTTP/1.1" 200 ...
 *
 * in order of arrival, stamped on arrival, a line above 16 KiB in pieces tagged P and a last one tagged F. Into which file, the
 * caller says.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { within } from './latch.ts'

const PIECE_BYTES_MAX = 16_384

export interface CriLog {
  /** Paths nginx writes to. Pipes of `spawn` are sockets, and nginx cannot open `/dev/stdout` on a socket. */
  stdoutPipe: string
  stderrPipe: string
  /** To be called when the writers have ended: reads what is still in the pipes. */
  finish(): Promise<void>
}

/** `write` is given whole lines of the file; pipes are made in `directory`. */
export function startCriLog(directory: string, write: (line: Buffer) => void): CriLog {
  const startNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
  const streams = (['stdout', 'stderr'] as const).map(name => {
    const pipe = join(directory, `${name}.pipe`)
    execFileSync('mkfifo', [pipe])
    // Held open for writing too, else the reader would see an end before nginx has opened the pipe.
    const held = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    const socket = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false })
    let pending: Buffer<ArrayBufferLike> = Buffer.alloc(0)
    socket.on('data', data => {
      pending = Buffer.concat([pending, data])
      for (let end = pending.indexOf(10); end >= 0; end = pending.indexOf(10)) {
        writeLine(write, name, startNs + process.hrtime.bigint(), pending.subarray(0, end))
        pending = pending.subarray(end + 1)
      }
    })
    return { pipe, held, socket }
  })
  return {
    stdoutPipe: streams[0]!.pipe,
    stderrPipe: streams[1]!.pipe,
    finish: async () => {
      await Promise.all(
        streams.map(({ held, socket }) => {
          const ended = once(socket, 'close')
          closeSync(held)
          return within(ended, 10_000, 'a log pipe did not end')
        })
      )
    }
  }
}

function writeLine(write: (line: Buffer) => void, stream: string, timeNs: bigint, line: Buffer): void {
  const seconds = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  const time = `${seconds}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}Z`
  for (let from = 0; from === 0 || from < line.length; from += PIECE_BYTES_MAX) {
    const tag = from + PIECE_BYTES_MAX < line.length ? 'P' : 'F'
    const head = Buffer.from(`${time} ${stream} ${tag} `)
    write(Buffer.concat([head, line.subarray(from, from + PIECE_BYTES_MAX), Buffer.from('\n')]))
  }
}
