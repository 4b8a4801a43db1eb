/** An API server that answers by a function: for answers that no real one gives on demand. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../../src/cluster/apiRequest.ts'
import { connect } from '../../src/cluster/connect.ts'

export interface Asked {
  path: string
  parameters: URLSearchParams
  isWatch: boolean
  response: ServerResponse
  request: IncomingMessage
}

export class ScriptedApi {
  readonly asked: Asked[] = []
  readonly #server: Server
  readonly #folder = mkdtempSync(join(tmpdir(), 'why5xx-kubeconfig-'))
  /** What is not answered here: `/version` is, lists are empty, watches are open and silent. */
  answer: (asked: Asked) => boolean | undefined = () => false

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<ScriptedApi> {
    const server = createServer((request, response) => {
      const url = new URL(request.url!, 'http://localhost')
      const isWatch = url.searchParams.has('watch')
      const asked = { path: url.pathname, parameters: url.searchParams, isWatch, response, request }
      if (asked.path !== '/version') api.asked.push(asked)
      if (api.answer(asked)) return
      if (asked.path === '/version') sendJson(response, { gitVersion: 'v1.36.3' })
      else if (isWatch) sendLines(response)
      else sendJson(response, listOf([]))
    })
    const api = new ScriptedApi(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get connection(): Connection {
    return connect({ api: 'kubeconfig', file: this.kubeconfig() })
  }

  /** Writes it, and gives its name. */
  kubeconfig(): string {
    const file = join(this.#folder, 'config')
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    writeFileSync(
      file,
      JSON.stringify({
        'current-context': 'scripted',
        clusters: [{ name: 'scripted', cluster: { server } }],
        users: [{ name: 'scripted', user: { token: 'token' } }],
        contexts: [{ name: 'scripted', context: { cluster: 'scripted', user: 'scripted' } }]
      })
    )
    return file
  }

  /** Watches that are open, oldest first. */
  get watches(): Asked[] {
    return this.asked.filter(({ isWatch, response }) => isWatch && !response.destroyed && !response.writableEnded)
  }

  get lists(): Asked[] {
    return this.asked.filter(({ isWatch }) => !isWatch)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
    rmSync(this.#folder, { recursive: true })
  }
}

export function sendJson(response: ServerResponse, body: object, status = 200): true {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
  return true
}

/** Opens the stream of a watch; more can be written to it. */
export function sendLines(response: ServerResponse, ...events: object[]): true {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  for (const event of events) response.write(lineOf(event))
  return true
}

export function lineOf(event: object): string {
  return `${JSON.stringify(event)}\n`
}

export function podOf(name: string, version: number, address?: string) {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: String(version) },
    status: address === undefined ? {} : { podIP: address }
  }
}

export function listOf(items: object[], version = 100, next?: string) {
  return { kind: 'List', metadata: { resourceVersion: String(version), ...(next ? { continue: next } : {}) }, items }
}

export function goneStatus() {
  return { kind: 'Status', status: 'Failure', reason: 'Expired', message: 'too old resource version', code: 410 }
}
