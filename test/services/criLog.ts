/** Takes what two named pipes deliver, as containerd takes a container's stdout and stderr: lines in the order of their arrival. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { LineTaker } from './containerLog.ts'
import { within } from './latch.ts'

const PIPE_BYTES = 65_536

export interface CriLog {
  /** Paths nginx writes to. Pipes of `spawn` are sockets, and nginx cannot open `/dev/stdout` on a socket. */
  stdoutPipe: string
  stderrPipe: string
  /** To be called when the writers have ended: reads what is still in the pipes. */
  finish(): Promise<void>
}

/**
 * The pipes are made in `directory`; `finish` closes `log`, too. nginx writes an error line before the access line of its request.
 * So whoever finds lines in one pipe empties both: a busy process would else stamp the one long after the other, as no runtime
 * does.
 */
export function startCriLog(directory: string, log: LineTaker): CriLog {
  const chunk = Buffer.alloc(PIPE_BYTES)
  const streams = (['stdout', 'stderr'] as const).map(name => {
    const pipe = join(directory, `${name}.pipe`)
    execFileSync('mkfifo', [pipe])
    // Held open for writing too, else the reader would see an end before nginx has opened the pipe.
    const held = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const socket = new Socket({ fd, writable: false })
    let pending: Buffer<ArrayBufferLike> = Buffer.alloc(0)
    const add = (data: Buffer): void => {
      pending = Buffer.concat([pending, data])
    }
    const empty = (): void => {
      for (let bytes = readNow(fd, chunk); bytes > 0; bytes = readNow(fd, chunk)) add(chunk.subarray(0, bytes))
    }
    const writeLines = (): void => {
      for (let end = pending.indexOf(10); end >= 0; end = pending.indexOf(10)) {
        log.write(name, pending.subarray(0, end))
        pending = pending.subarray(end + 1)
      }
    }
    socket.on('data', data => {
      add(data)
      for (const stream of streams) if (!stream.socket.destroyed) stream.empty()
      for (const stream of streams) stream.writeLines()
    })
    return { pipe, held, socket, empty, writeLines }
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
      log.close()
    }
  }
}

/** Bytes that were there; 0: none are. */
function readNow(fd: number, chunk: Buffer): number {
  try {
    return readSync(fd, chunk)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}
