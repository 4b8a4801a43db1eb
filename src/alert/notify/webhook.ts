/** One webhook: a rendered template, signed when there is a secret. */

import { createHmac } from 'node:crypto'
import type { Notice } from '../notice.ts'
import { ANSWER_MS, post } from './post.ts'
import type { Delivery, Receiver } from './receiver.ts'
import type { Template } from './template.ts'

export interface WebhookOptions {
  name: string
  url: URL
  template: Template
  /** Key of the signature; null: none. */
  secret: string | null
  /** Of PagerDuty; null: none. */
  routingKey: string | null
  headers: Readonly<Record<string, string>>
  severities: readonly Notice['severity'][]
  answerMs?: number
  clock?: () => number
}

export class WebhookReceiver implements Receiver {
  readonly name: string
  readonly repeatMs = null
  readonly #options: WebhookOptions
  readonly #secrets: readonly string[]

  constructor(options: WebhookOptions) {
    this.name = options.name
    this.#options = options
    this.#secrets = secretsOf(options)
  }

  wants(severity: Notice['severity']): boolean {
    return this.#options.severities.includes(severity)
  }

  /** A webhook takes one notice at a time: whoever sends several gets the first answer that is not "taken". */
  async send(notices: readonly Notice[], signal: AbortSignal, keys: readonly string[]): Promise<Delivery> {
    let delivery: Delivery = { kind: 'taken', status: 200 }
    for (const [i, notice] of notices.entries()) {
      delivery = await this.#sendOne(notice, signal, keys[i]!)
      if (delivery.kind !== 'taken') break
    }
    return delivery
  }

  async close(): Promise<void> {}

  async #sendOne(notice: Notice, signal: AbortSignal, key: string): Promise<Delivery> {
    const { url, template, secret, routingKey, headers, answerMs = ANSWER_MS, clock = Date.now } = this.#options
    const rendered = template.render(notice, routingKey)
    if ('problem' in rendered) return { kind: 'refused', why: `our own template: ${rendered.problem}`, status: null }
    const body = rendered.json
    return post({
      url,
      headers: {
        ...headers,
        'idempotency-key': key,
        ...(secret === null ? {} : { 'x-why5xx-signature': signatureOf(body, secret, Math.floor(clock() / 1_000)) })
      },
      body,
      signal,
      secrets: this.#secrets,
      answerMs
    })
  }
}

/** `t=1763719380,v1=5257a8…`: the time is signed with the body, so that nobody can send an old message again. */
export function signatureOf(body: string, secret: string, unixSeconds: number): string {
  return `t=${unixSeconds},v1=${createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex')}`
}

/** What an answer may repeat of what we sent: the address itself is a secret at Slack and many others. */
function secretsOf({ url, secret, routingKey, headers }: WebhookOptions): string[] {
  const parts = [url.pathname, url.search, ...url.pathname.split('/'), ...url.searchParams.values()]
  return [url.href, secret, routingKey, ...Object.values(headers), ...parts.filter(part => part.length >= 6)].filter(
    part => part !== null
  )
}
