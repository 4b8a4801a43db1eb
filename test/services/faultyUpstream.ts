/**
 * Backends that fail on purpose, one port per behaviour, each on three loopback addresses: to nginx they are three pods of
 * one Service. Beside them: a port that refuses, one whose accept queue is full (connects time out), and two DNS servers,
 * one that knows no name and one that never answers.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Certificate } from './certificate.ts'
import { Latch, within } from './latch.ts'
import { BEHAVIOURS, type Behaviour, type BehaviourContext, createBehaviour } from './upstreamBehaviour.ts'

export const PODS = ['127.0.1.1', '127.0.1.2', '127.0.1.3'] as const

export interface FaultyUpstreams {
  ports: ReadonlyMap<Behaviour, number>
  /** Nobody listens there. */
  refusedPort: number
  /** Listens on 127.0.0.1 only, and its accept queue is full: the kernel drops every SYN. */
  fullPort: number
  unknownNamesDnsPort: number
  silentDnsPort: number
  /** Opened with the path of a request when a backend has read it. */
  seen: Latch
  /** To be opened with the path of a request that a backend holds. */
  released: Latch
  /** One more backend of that behaviour, at other addresses; gives its port, the same at all of them. */
  listen(behaviour: Behaviour, hosts: readonly string[]): Promise<number>
  /** One more port that takes no connection. */
  listenFull(host: string): Promise<number>
  close(): Promise<void>
}

export async function startFaultyUpstreams(certificate: Certificate): Promise<FaultyUpstreams> {
  const context: BehaviourContext = { certificate, seen: new Latch(), released: new Latch() }
  const ports = new Map<Behaviour, number>()
  const closers: (() => unknown)[] = []
  for (const behaviour of BEHAVIOURS) {
    ports.set(behaviour, await listen(behaviour, PODS))
  }
  const full = await startFullListener('127.0.0.1')
  closers.push(full.close)
  const [unknownNames, silent] = [await startDns(true), await startDns(false)]
  closers.push(unknownNames.close, silent.close)
  return {
    ports,
    refusedPort: (await freePorts(1))[0]!,
    fullPort: full.port,
    unknownNamesDnsPort: unknownNames.port,
    silentDnsPort: silent.port,
    seen: context.seen,
    released: context.released,
    listen,
    listenFull: async host => {
      const more = await startFullListener(host)
      closers.push(more.close)
      return more.port
    },
    close: async () => {
      for (const close of closers) await close()
    }
  }

  async function listen(behaviour: Behaviour, hosts: readonly string[]): Promise<number> {
    const pods = await listenOn(hosts, () => createBehaviour(behaviour, context))
    closers.push(pods.close)
    return pods.port
  }
}

/** Distinct free ports of 127.0.0.1: all are held open together before any is given back. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(portOf)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

async function listenOn(hosts: readonly string[], create: () => { server: Server; cut: () => void }) {
  for (let tries = 0; tries < 20; tries++) {
    const started: { server: Server; cut: () => void }[] = []
    const close = () => {
      for (const { server, cut } of started) {
        server.close()
        cut()
      }
    }
    try {
      let port = 0
      for (const host of hosts) {
        const created = create()
        created.server.listen({ port, host, backlog: 511 })
        await once(created.server, 'listening')
        started.push(created)
        port = portOf(created.server)
      }
      return { port, close }
    } catch {
      close() // The port is taken on another of the addresses.
    }
  }
  throw new Error(`no port is free on all of ${hosts.join(', ')}`)
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/**
 * A queue of one (the kernel then keeps two) in a process that never accepts: two connections fill it, and every further
 * SYN is dropped. A listener in this process would be emptied by the event loop.
 */
async function startFullListener(host: string): Promise<{ port: number; close: () => void }> {
  const program = `
    const server = require('node:net').createServer()
    server.listen({ host: '${host}', port: 0, backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const child: ChildProcess = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = (await within(once(child.stdout!, 'data'), 10_000, 'no listener with a full queue')) as [Buffer]
  const port = Number(chunk.toString())
  const fillers: Socket[] = [connect(port, host), connect(port, host)]
  await within(Promise.all(fillers.map(filler => once(filler, 'connect'))), 10_000, 'queue not filled')
  return {
    port,
    close: () => {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL') // It blocks for ever, so it hears no gentler signal.
    }
  }
}

/** Answers every question with NXDOMAIN: the question as it came, with the flags of a response and code 3. */
async function startDns(answers: boolean): Promise<{ port: number; close: () => void }> {
  const socket = createSocket('udp4')
  socket.on('message', (question, { port, address }) => {
    if (!answers) return
    const reply = Buffer.from(question)
    reply[2] = 0x81
    reply[3] = 0x83
    socket.send(reply, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port, close: () => socket.close() }
}
