/**
 * Ports for servers that are killed and started again in a test.
 *
 * Not port 0: that gives one of the range from which the kernel takes the ports of outgoing connections. While the server is
 * down, a client that tries again may be given that very port as its own, is then connected to itself, and the server cannot
 * have its port back.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

const FIRST = 20_000
/** Outgoing connections start at 32,768 on Linux, later elsewhere. */
const LAST = 32_000
const ATTEMPTS_MAX = 100

/** A port of 127.0.0.1 that nobody listens on, chosen at random so that tests beside each other do not meet. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue // Taken.
    }
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`)
}
