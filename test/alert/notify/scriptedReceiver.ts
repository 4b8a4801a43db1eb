/** A receiver that answers as it is told and remembers what it took. */
import type { Notice } from '../../../src/alert/notice.ts'
import type { Delivery, Receiver } from '../../../src/alert/notify/receiver.ts'

export const TAKEN: Delivery = { kind: 'taken', status: 200 }
export const AWAY: Delivery = { kind: 'later', why: 'refuses connections', afterMs: null }

export class ScriptedReceiver implements Receiver {
  readonly name: string
  readonly repeatMs: number | null
  severities: Notice['severity'][] = ['page', 'ticket']
  answer: (notices: readonly Notice[], signal: AbortSignal) => Delivery | Promise<Delivery> = () => TAKEN
  /** Every try: when, and with which key. */
  readonly tries: { key: string; kind: Notice['kind']; idempotencyKey: string; atMs: number }[] = []
  readonly taken: { key: string; kind: Notice['kind']; failures: number; atMs: number }[] = []
  isClosed = false
  readonly #clock: () => number

  constructor(name: string, clock: () => number, repeatMs: number | null = null) {
    this.name = name
    this.repeatMs = repeatMs
    this.#clock = clock
  }

  wants(severity: Notice['severity']): boolean {
    return this.severities.includes(severity)
  }

  async send(notices: readonly Notice[], signal: AbortSignal, keys: readonly string[]): Promise<Delivery> {
    const atMs = this.#clock()
    for (const [i, { key, kind }] of notices.entries()) this.tries.push({ key, kind, idempotencyKey: keys[i]!, atMs })
    const delivery = await this.answer(notices, signal)
    if (delivery.kind === 'taken')
      for (const { key, kind, failures } of notices) this.taken.push({ key, kind, failures, atMs })
    return delivery
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  /** `inc-1 open`, in order. */
  get told(): string[] {
    return this.taken.map(({ key, kind }) => `${key} ${kind}`)
  }
}
