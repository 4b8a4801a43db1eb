/** Takes what two named pipes deliver, as containerd takes a container's stdout and stderr: lines in the order of their arrival. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { LineTaker } from './containerLog.ts'
import { within } from './latch.ts'

export interface CriLog {
  /** Paths nginx writes to. Pipes of `spawn` are sockets, and nginx cannot open `/dev/stdout` on a socket. */
  stdoutPipe: string
  stderrPipe: string
  /** To be called when the writers have ended: reads what is still in the pipes. */
  finish(): Promise<void>
}

/** The pipes are made in `directory`; `finish` closes `log`, too. */
export function startCriLog(directory: string, log: LineTaker): CriLog {
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
        log.write(name, pending.subarray(0, end))
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
      log.close()
    }
  }
}
