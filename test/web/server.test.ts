/** The HTTP listener as its clients meet it: real requests over real connections. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseListen } from '../../src/listenOption.ts'
import { type RunningServer, type ServerParts, startServer } from '../../src/web/server.ts'

const TOKEN = 'the-token-of-everything'
const METRICS_TOKEN = 'the-token-of-metrics'
const LOOPBACK = parseListen('web.listen', '127.0.0.1:0')
const EVERYWHERE = parseListen('web.listen', '0.0.0.0:0')

const running: RunningServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(running.splice(0).map(server => server.close()))
})

async function serve(parts: Partial<ServerParts> = {}): Promise<RunningServer> {
  const server = await startServer({
    listen: LOOPBACK,
    token: null,
    metricsToken: null,
    health: () => [],
    ready: () => [],
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'up 1\n' },
    ...parts
  })
  running.push(server)
  return server
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

function ask(
  { address }: RunningServer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET'
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(address + path, { method, headers, agent: false }, answer => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** A connection that sends `text` and stays open. */
async function open({ address }: RunningServer, text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1')
  sockets.push(socket)
  let received = ''
  socket.on('error', () => {})
  socket.on('data', chunk => {
    received += chunk.toString()
  })
  await new Promise<void>(resolve => socket.once('connect', () => resolve()))
  socket.write(text)
  return { socket, received: () => received }
}

describe('health and readiness', () => {
  test('well: 200', async () => {
    const server = await serve()
    expect(await ask(server, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
    const ready = await ask(server, '/readyz')
    expect(ready).toMatchObject({ status: 200, body: '{"ready":true,"reasons":[]}' })
  })

  test('not well: 503 and why, as it is now', async () => {
    const reasons: string[] = []
    const server = await serve({ health: () => reasons, ready: () => reasons })
    expect((await ask(server, '/readyz')).status).toBe(200)
    reasons.push('the disk is full')
    for (const [path, key] of [
      ['/healthz', 'healthy'],
      ['/readyz', 'ready']
    ] as const) {
      const answer = await ask(server, path)
      expect(answer.status).toBe(503)
      expect(answer.headers['content-type']).toBe('application/json')
      expect(JSON.parse(answer.body)).toEqual({ [key]: false, reasons: ['the disk is full'] })
    }
  })

  test('need no token and look at no name, also off loopback', async () => {
    const server = await serve({ listen: EVERYWHERE, token: TOKEN, metricsToken: METRICS_TOKEN })
    expect((await ask(server, '/healthz', { host: 'why5xx.example.com' })).status).toBe(200)
    expect((await ask(server, '/readyz')).status).toBe(200)
  })
})

test('metrics have their content type, and nothing may be kept or shown', async () => {
  const { status, headers, body } = await ask(await serve(), '/metrics')
  expect({ status, body }).toEqual({ status: 200, body: 'up 1\n' })
  expect(headers).toMatchObject({
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    server: 'why5xx'
  })
})

test.each(['/healthz', '/readyz', '/metrics'])('HEAD %s: the same without a body', async path => {
  const server = await serve()
  const [head, get] = await Promise.all([ask(server, path, {}, 'HEAD'), ask(server, path)])
  expect(head.body).toBe('')
  expect(head.status).toBe(get.status)
  expect(head.headers['content-type']).toBe(get.headers['content-type'])
})

test.each<[string, string]>([
  ['GET', '/'],
  ['GET', '/metrics/'],
  ['GET', '/healthz/../metrics2'],
  ['GET', '/%'],
  ['POST', '/metrics'],
  ['DELETE', '/healthz'],
  ['OPTIONS', '/metrics']
])('%s %s: 404 as JSON', async (method, path) => {
  const answer = await ask(await serve(), path, {}, method)
  expect(answer.status).toBe(404)
  expect(JSON.parse(answer.body)).toEqual({ error: 'there are /healthz, /readyz and /metrics here' })
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
  if (method !== 'GET') expect(answer.headers.connection).toBe('close')
})

describe('who may read /metrics', () => {
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

  test.each<[string, Partial<ServerParts>, Record<string, string>, number]>([
    ['loopback, no token', {}, {}, 200],
    ['loopback, a token that nobody asked for', {}, bearer('whatever'), 200],
    ['loopback, by a name that is not ours', {}, { host: 'rebound.evil.example' }, 403],
    ['loopback, by its name', {}, { host: 'localhost:8055' }, 200],
    ['off loopback, no token', { listen: EVERYWHERE }, {}, 403],
    ['off loopback, a token that is none', { listen: EVERYWHERE }, bearer('whatever'), 403],
    ['a token is asked for on loopback too', { token: TOKEN }, {}, 401],
    ['the token', { token: TOKEN }, bearer(TOKEN), 200],
    ['the token, by any name', { token: TOKEN }, { ...bearer(TOKEN), host: 'why5xx.example.com' }, 200],
    ['the scheme in small letters', { token: TOKEN }, { authorization: `bearer ${TOKEN}` }, 200],
    ['half of the token', { token: TOKEN }, bearer(TOKEN.slice(0, 12)), 401],
    ['the token and more', { token: TOKEN }, bearer(`${TOKEN}x`), 401],
    ['another scheme', { token: TOKEN }, { authorization: `Basic ${TOKEN}` }, 401],
    ['no scheme', { token: TOKEN }, { authorization: TOKEN }, 401],
    ['nothing behind the scheme', { token: TOKEN }, { authorization: 'Bearer ' }, 401],
    ['their own token', { listen: EVERYWHERE, metricsToken: METRICS_TOKEN }, bearer(METRICS_TOKEN), 200],
    ['either', { listen: EVERYWHERE, token: TOKEN, metricsToken: METRICS_TOKEN }, bearer(TOKEN), 200],
    ['or', { listen: EVERYWHERE, token: TOKEN, metricsToken: METRICS_TOKEN }, bearer(METRICS_TOKEN), 200],
    ['neither', { listen: EVERYWHERE, token: TOKEN, metricsToken: METRICS_TOKEN }, bearer('guess'), 401]
  ])('%s', async (_name, parts, headers, status) => {
    const answer = await ask(await serve(parts), '/metrics', headers)
    expect(answer.status).toBe(status)
    expect(answer.body.includes('up 1')).toBe(status === 200)
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer realm="why5xx"' : undefined)
    expect(answer.body).not.toMatch(/the-token/)
  })

  test('the refusal off loopback says what to set', async () => {
    const { body } = await ask(await serve({ listen: EVERYWHERE }), '/metrics')
    expect(JSON.parse(body)).toEqual({
      error:
        'web.listen 0.0.0.0:0 is not on loopback and there is no token, so that /metrics answers nobody: set web.metricsTokenFile or web.tokenFile'
    })
  })
})

test('scrapes at the same moment share one collection, and the next collects anew', async () => {
  let collections = 0
  let release = (): void => {}
  const text = (): Promise<string> => {
    collections++
    return new Promise(resolve => {
      release = () => resolve('up 1\n')
    })
  }
  const server = await serve({ metrics: { contentType: 'text/plain', text } })
  const both = [ask(server, '/metrics'), ask(server, '/metrics')]
  // Answered behind them: both have been read by then.
  await vi.waitFor(() => expect(collections).toBe(1))
  await ask(server, '/healthz')
  release()
  expect((await Promise.all(both)).map(answer => answer.body)).toEqual(['up 1\n', 'up 1\n'])
  expect(collections).toBe(1)
  const third = ask(server, '/metrics')
  await vi.waitFor(() => expect(collections).toBe(2))
  release()
  expect((await third).status).toBe(200)
})

test('a collection that fails is a 500 that says nothing of it, and is told; the next is tried', async () => {
  const told: unknown[] = []
  const failure = new Error('a secret of the machine')
  let isBroken = true
  const server = await serve({
    onError: error => told.push(error),
    metrics: {
      contentType: 'text/plain',
      text: async () => {
        if (isBroken) throw failure
        return 'up 1\n'
      }
    }
  })
  const answer = await ask(server, '/metrics')
  expect(answer.status).toBe(500)
  expect(answer.body).not.toContain('secret')
  expect(told).toEqual([failure])
  isBroken = false
  expect((await ask(server, '/metrics')).status).toBe(200)
})

describe('close', () => {
  test('ends with a connection that is kept alive, one that says nothing, and one in the middle of a request', async () => {
    const server = await serve()
    const kept = await open(server, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await vi.waitFor(() => expect(kept.received()).toContain('ok\n'))
    await open(server, '')
    await open(server, 'GET /healthz HTTP/1.1\r\nHost: loc')
    const startMs = Date.now()
    await server.close()
    expect(Date.now() - startMs).toBeLessThan(2_000)
    await expect(ask(server, '/healthz')).rejects.toThrow(/ECONNREFUSED/)
  })

  test('ends while an answer never comes to its end', async () => {
    let isAsked = false
    const text = (): Promise<string> => {
      isAsked = true
      return new Promise(() => {})
    }
    const server = await serve({ metrics: { contentType: 'text/plain', text } })
    const waiting = ask(server, '/metrics').catch((error: unknown) => error)
    await vi.waitFor(() => expect(isAsked).toBe(true))
    const startMs = Date.now()
    await server.close()
    expect(Date.now() - startMs).toBeLessThan(2_000)
    expect(await waiting).toBeInstanceOf(Error)
  })

  test('lets an answer under way come to its end', async () => {
    let release = (): void => {}
    let isAsked = false
    const text = (): Promise<string> =>
      new Promise(resolve => {
        isAsked = true
        release = () => resolve('up 1\n')
      })
    const server = await serve({ metrics: { contentType: 'text/plain', text } })
    const answer = ask(server, '/metrics')
    await vi.waitFor(() => expect(isAsked).toBe(true))
    const closed = server.close()
    release()
    expect((await answer).body).toBe('up 1\n')
    await closed
  })

  test('twice is once', async () => {
    const server = await serve()
    await Promise.all([server.close(), server.close()])
    await server.close()
    await expect(ask(server, '/healthz')).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('an address that cannot be had', () => {
  test('taken', async () => {
    const first = await serve()
    const port = Number(new URL(first.address).port)
    await expect(serve({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'WHY5XX_LISTEN',
      message: `web.listen 127.0.0.1:${port}: another process listens there; end it, or set another port (0 takes a free one)`
    })
    expect((await ask(first, '/healthz')).status).toBe(200)
  })

  test('not of this machine', async () => {
    await expect(serve({ listen: { host: '203.0.113.1', port: 0 } })).rejects.toMatchObject({
      code: 'WHY5XX_LISTEN',
      message: 'web.listen 203.0.113.1:0: this machine has no such address'
    })
  })
})

test('the address is one that works', async () => {
  for (const listen of ['127.0.0.1:0', 'localhost:0', '0.0.0.0:0', ':0']) {
    const server = await serve({ listen: parseListen('web.listen', listen) })
    expect(server.address).toMatch(/^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+$/)
    expect((await ask(server, '/healthz')).status).toBe(200)
  }
})
