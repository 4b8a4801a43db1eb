/** Receivers against a local server that answers, hangs, cuts and redirects. */
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Alert, AlertmanagerReceiver } from '../../../src/alert/notify/alertmanager.ts'
import { retryAfterMs } from '../../../src/alert/notify/post.ts'
import type { Delivery } from '../../../src/alert/notify/receiver.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import { compileShipped } from '../../../src/alert/notify/templates.ts'
import { signatureOf, type WebhookOptions, WebhookReceiver } from '../../../src/alert/notify/webhook.ts'
import { HookServer } from '../../support/hookServer.ts'

const FULL = sampleNotices()[0]![1]
const BARE = sampleNotices()[1]![1]
const NOW_MS = Date.parse(FULL.since) + 600_000
const SECRET = 'correct-horse-battery'
const PATH = '/services/T024BE7LH/B0123456/abcdefghijklmnop'
const never = new AbortController().signal

let server: HookServer
beforeAll(async () => {
  server = await HookServer.start()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.posted.length = 0
  server.answer = response => void response.end('ok')
})

function webhook(options: Partial<WebhookOptions> = {}): WebhookReceiver {
  return new WebhookReceiver({
    name: 'webhook hooks.example.com',
    url: new URL(`${server.url}${PATH}?token=tok-0123456789`),
    template: compileShipped('generic'),
    secret: SECRET,
    routingKey: null,
    headers: { 'X-Api-Key': 'key-0123456789' },
    severities: ['page'],
    answerMs: 20_000,
    clock: () => NOW_MS,
    ...options
  })
}

function alertmanager(path = '', authorization: string | null = null): AlertmanagerReceiver {
  return new AlertmanagerReceiver({
    name: 'alertmanager here',
    url: new URL(`${server.url}${path}`),
    authorization,
    secrets: authorization === null ? [] : [authorization],
    answerMs: 20_000,
    clock: () => NOW_MS
  })
}

const alertsAt = (i: number): Alert[] => JSON.parse(server.posted[i]!.body) as Alert[]

describe('a webhook', () => {
  test('is sent the template, headers of its own, a key and a signature', async () => {
    expect(await webhook().send([FULL], never, ['inc-1:open:0'])).toEqual({ kind: 'taken', status: 200 })
    const { method, path, headers, body } = server.posted[0]!
    expect([method, path]).toEqual(['POST', `${PATH}?token=tok-0123456789`])
    expect(JSON.parse(body)).toEqual(FULL)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'inc-1:open:0',
      'x-api-key': 'key-0123456789',
      'user-agent': expect.stringMatching(/^why5xx\//) as string
    })
    // As the page on alerts tells people to check it.
    const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-why5xx-signature']))!
    expect(Number(seconds)).toBe(NOW_MS / 1_000)
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'))
  })

  test('the signature is that of another program', () => {
    // printf '1763719380.{"a":1}' | openssl dgst -sha256 -hmac correct-horse-battery
    expect(signatureOf('{"a":1}', SECRET, 1_763_719_380)).toBe(
      't=1763719380,v1=96a0b88f3cb57bf383d2f847609c8537200c4c0224a6ee35c1b2f56bb23af137'
    )
  })

  test('without a secret there is no signature; it wants its severities', async () => {
    const receiver = webhook({ secret: null })
    await receiver.send([FULL], never, ['k'])
    expect(server.posted[0]!.headers).not.toHaveProperty('x-why5xx-signature')
    expect([receiver.wants('page'), receiver.wants('ticket'), receiver.wants('none')]).toEqual([true, false, false])
  })
})

describe('answers', () => {
  const answered = async (status: number, headers: Record<string, string> = {}, body = ''): Promise<Delivery> => {
    server.answer = response => void response.writeHead(status, headers).end(body)
    return webhook().send([FULL], never, ['k'])
  }

  test.each([
    [200, {}, { kind: 'taken', status: 200 }],
    [202, {}, { kind: 'taken', status: 202 }],
    [400, {}, { kind: 'refused', status: 400 }],
    [413, {}, { kind: 'refused', status: 413 }],
    [401, {}, { kind: 'later', afterMs: 60_000 }],
    [403, {}, { kind: 'later', afterMs: 60_000 }],
    [404, {}, { kind: 'later', afterMs: 60_000 }],
    [408, {}, { kind: 'later', afterMs: null }],
    [429, { 'retry-after': '30' }, { kind: 'later', afterMs: 30_000 }],
    [500, {}, { kind: 'later', afterMs: null }],
    [503, { 'retry-after': 'soon' }, { kind: 'later', afterMs: null }]
  ])('%s %j', async (status, headers, want) => {
    expect(await answered(status, headers as Record<string, string>)).toMatchObject(want)
  })

  test('what came back is said without what is secret, and cut', async () => {
    const said = `no ${PATH} tok-0123456789 key-0123456789 ${SECRET} abcdefghijklmnop\n\u001b[31m${'x'.repeat(100_000)}`
    const { kind, why } = (await answered(400, {}, said)) as Delivery & { kind: 'refused' }
    expect(kind).toBe('refused')
    expect(why).toMatch(/^answers 400: no \*\*\* \*\*\* \*\*\* \*\*\* \*\*\* \\x1B\[31mxxx/)
    expect(why.length).toBeLessThan(250)
  })

  test('of a redirect only the origin is said, and nothing is sent there', async () => {
    const other = await HookServer.start()
    try {
      const delivery = await answered(307, { location: `${other.url}/login?secret=1` })
      expect(delivery).toEqual({
        kind: 'later',
        why: `answers 307: a redirect to ${other.url}, which is not followed; name the final address`,
        afterMs: 60_000
      })
      expect(other.posted).toEqual([])
    } finally {
      await other.stop()
    }
  })

  test('a server that hangs, before the answer or in the middle of an error', async () => {
    const late = { kind: 'later', why: 'gave no answer within 0.1 s', afterMs: null }
    server.answer = () => {}
    expect(await webhook({ answerMs: 100 }).send([FULL], never, ['k'])).toEqual(late)
    server.answer = response => void response.writeHead(400).write('wait')
    expect(await webhook({ answerMs: 100 }).send([FULL], never, ['k'])).toEqual(late)
    const stop = new AbortController()
    server.answer = () => stop.abort()
    expect(await webhook().send([FULL], stop.signal, ['k'])).toMatchObject({ kind: 'later' })
    expect(await webhook().send([FULL], stop.signal, ['k'])).toMatchObject({ kind: 'later' })
  })

  test('a connection that is cut, an answer without end, and nobody there', async () => {
    server.answer = response => void response.socket!.destroy()
    expect(await webhook().send([FULL], never, ['k'])).toMatchObject({
      kind: 'later',
      why: expect.stringMatching(/^cut the connection/) as string
    })
    server.answer = response => {
      response.writeHead(400)
      const write = (): void => void (response.writable && response.write('x'.repeat(1_000), () => setImmediate(write)))
      write()
    }
    expect(await webhook().send([FULL], never, ['k'])).toMatchObject({ kind: 'refused', status: 400 })
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => closed.once('listening', resolve))
    const { port } = closed.address() as { port: number }
    await new Promise(resolve => closed.close(resolve))
    expect(await webhook({ url: new URL(`http://127.0.0.1:${port}${PATH}`) }).send([FULL], never, ['k'])).toEqual({
      kind: 'later',
      why: 'refuses connections (ECONNREFUSED)',
      afterMs: null
    })
  })

  test('Retry-After is seconds or a date, and has its limit', () => {
    expect(retryAfterMs('Sat, 21 Nov 2026 10:00:30 GMT', Date.UTC(2026, 10, 21, 10))).toBe(30_000)
    expect(retryAfterMs('Sat, 21 Nov 2026 09:00:00 GMT', Date.UTC(2026, 10, 21, 10))).toBe(0)
    expect(retryAfterMs('99999999999999', 0)).toBe(3_600_000)
    expect([retryAfterMs(null, 0), retryAfterMs('', 0), retryAfterMs('-5s', 0)]).toEqual([null, null, null])
  })
})

describe('Alertmanager', () => {
  test('all of a round in one request, below the path prefix, with its login', async () => {
    await alertmanager('/prefix/', 'Bearer abc').send([FULL, BARE], never)
    expect(server.posted).toHaveLength(1)
    const { path, headers } = server.posted[0]!
    expect([path, headers.authorization]).toEqual(['/prefix/api/v2/alerts', 'Bearer abc'])
    const [full, bare] = alertsAt(0)
    expect(full).toEqual({
      labels: {
        alertname: 'Why5xxFailureSpike',
        cluster: 'prod',
        namespace: 'shop',
        service: 'shop/cart',
        upstream: 'shop-cart-80',
        cause: 'connection_refused',
        severity: 'page'
      },
      annotations: {
        summary: FULL.title,
        description: FULL.text,
        numbers: FULL.numbers,
        why: FULL.why,
        advice: FULL.rootCause!.advice,
        example: 'GET shop.example.com/cart 502 at 2026-11-21T09:59:00.000Z, R0a1b2c3d4e5f6g7h8i9jk',
        changes: '2026-11-21T09:59:00.000Z Deployment shop/cart rolled out revision 12',
        grouped: FULL.grouped!.members[0]!.title,
        incident: FULL.key,
        link: FULL.link,
        runbook_url: FULL.runbook
      },
      startsAt: FULL.since,
      endsAt: new Date(NOW_MS + 360_000).toISOString(),
      generatorURL: FULL.link
    })
    // No empty label, no link that is none.
    expect(Object.keys(bare!.labels)).not.toContain('namespace')
    expect(bare!.annotations).toMatchObject({ runbook: BARE.runbook })
    expect(Object.keys(bare!)).toEqual(['labels', 'annotations', 'startsAt', 'endsAt'])
    expect(Object.keys(bare!.annotations)).toEqual(['summary', 'description', 'numbers', 'incident', 'link', 'runbook'])
  })

  test('an end is now, and never before the beginning', async () => {
    const ahead = new Date(NOW_MS + 90_000).toISOString()
    await alertmanager().send(
      [
        { ...FULL, kind: 'resolved' },
        { ...FULL, kind: 'resolved', since: ahead },
        { ...FULL, since: ahead }
      ],
      never
    )
    expect(alertsAt(0).map(({ endsAt }) => Date.parse(endsAt) - NOW_MS)).toEqual([0, 90_000, 450_000])
  })

  test('two ports of one service are two alerts: the end of one leaves the other', async () => {
    const other = { ...FULL, key: 'inc-20261121-1001-other', upstream: 'shop-cart-8080' }
    await alertmanager().send([{ ...FULL, kind: 'resolved' }, other], never)
    const [ended, open] = alertsAt(0)
    expect([ended!.labels.upstream, open!.labels.upstream]).toEqual(['shop-cart-80', 'shop-cart-8080'])
    expect({ ...ended!.labels, upstream: '' }).toEqual({ ...open!.labels, upstream: '' })
  })

  test('labels stay what they were at the beginning', async () => {
    const receiver = alertmanager()
    const unknown = { ...FULL, namespace: null, service: 'shop-cart-80' }
    await receiver.send([unknown], never)
    await receiver.send([FULL], never)
    expect(alertsAt(1)[0]!.labels).toEqual(alertsAt(0)[0]!.labels)
    await receiver.send([{ ...FULL, kind: 'resolved' }], never)
    expect(alertsAt(2)[0]!.labels).toEqual(alertsAt(0)[0]!.labels)
    await receiver.send([FULL], never)
    expect(alertsAt(3)[0]!.labels.service).toBe('shop/cart')
  })

  test('one that gets worse ends as a ticket and begins as a page', async () => {
    const receiver = alertmanager()
    await receiver.send([{ ...FULL, severity: 'ticket', alertname: 'Why5xxMaskedSpike' }], never)
    await receiver.send([FULL], never)
    await receiver.send([FULL], never)
    expect(
      [0, 1, 2].map(i =>
        alertsAt(i).map(({ labels, endsAt }) => [labels.alertname, labels.severity, Date.parse(endsAt) - NOW_MS])
      )
    ).toEqual([
      [['Why5xxMaskedSpike', 'ticket', 360_000]],
      [
        ['Why5xxMaskedSpike', 'ticket', 0],
        ['Why5xxFailureSpike', 'page', 360_000]
      ],
      [['Why5xxFailureSpike', 'page', 360_000]]
    ])
    expect([receiver.wants('ticket'), receiver.wants('none'), receiver.repeatMs]).toEqual([true, false, 60_000])
  })
})
