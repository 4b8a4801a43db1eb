/** Ordinary traffic: what a site sees all day and nobody wants to hear about. */
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type Lab, QUIET } from './fault.ts'
import type { LabRequest } from './labRequest.ts'
import { within } from './latch.ts'
import { location } from './nginxConfig.ts'
import { exchange, requestBytes } from './wire.ts'

export const QUIET_LOCATION = location('shop', 'proxy_pass http://up_application;', '/ok/')

/** Statuses by weight. */
const STATUSES = [200, 200, 200, 200, 200, 200, 201, 204, 301, 302, 304, 304, 400, 404, 404, 409]

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE']

/** Some requests, one after the other, over HTTP/1.1 kept alive, over HTTP/2, or over a connection each. */
export function quietVisit(lab: Lab, random: () => number): () => Promise<void> {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const form = pick(['keepalive', 'keepalive', 'keepalive', 'http2', 'single'])
  const plan = Array.from({ length: 10 }, () => ({ status: pick(STATUSES), method: pick(METHODS) }))
  return async () => {
    const visits = plan.map(({ status, method }) => ({
      method,
      request: lab.requests.next(`ok_${status}`, { ...QUIET, status })
    }))
    const client = visits[0]!.request.client
    for (const { request } of visits) request.client = client
    if (form === 'keepalive') await overKeepalive(lab, client, visits)
    else if (form === 'http2') await overHttp2(lab, client, visits)
    else
      for (const { request, method } of visits)
        await exchange(
          lab.ports.http,
          request,
          requestBytes(request, method === 'POST' ? { method, body: 'a=1' } : { method })
        )
  }
}

interface Visit {
  method: string
  request: LabRequest
}

async function overKeepalive(lab: Lab, client: string, visits: readonly Visit[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (const { request, method } of visits) {
      const done = new Promise<void>((resolve, reject) => {
        const sent = httpRequest(
          {
            agent,
            host: '127.0.0.1',
            port: lab.ports.http,
            localAddress: client,
            method,
            path: `${request.path}?q=secret`,
            headers: { Host: 'lab.test', 'User-Agent': 'Mozilla/5.0 (lab)', Referer: 'https://shop.test/?token=secret' }
          },
          response => {
            response.resume()
            response.on('end', resolve)
          }
        )
        sent.on('error', reject)
        sent.end(method === 'POST' || method === 'PUT' ? 'a=1&b=2' : undefined)
      })
      await within(done, 20_000, `no answer to ${request.path}`)
    }
  } finally {
    agent.destroy()
  }
}

/** All at once, over one connection. */
export async function overHttp2(lab: Lab, client: string, visits: readonly Visit[]): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${lab.ports.https}`, {
    rejectUnauthorized: false,
    servername: 'lab.test',
    localAddress: client
  } as Parameters<typeof connectHttp2>[1])
  session.on('error', () => {})
  try {
    const all = visits.map(({ request, method }) => {
      const stream = session.request({
        ':method': method,
        ':path': `${request.path}?q=secret`,
        ':authority': 'lab.test'
      })
      stream.resume()
      stream.end(method === 'POST' || method === 'PUT' ? 'a=1&b=2' : undefined)
      return within(
        new Promise<void>((resolve, reject) => {
          stream.on('error', reject)
          stream.on('close', () => resolve())
        }),
        20_000,
        `no answer to ${request.path}`
      )
    })
    await Promise.all(all)
  } finally {
    session.destroy()
  }
}
