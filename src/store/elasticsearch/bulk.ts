/**
 * The bulk queue: documents in, one verdict each out, whatever it takes. The client's own helper loses documents while it is
 * slow, gives up after three tries and tells of no single item. A request that fails is sent again until its items are
 * settled; ids and versions make that harmless.
 */

import { Why5xxError } from '../../errors.ts'
import { plural } from '../../text.ts'
import type { BulkFacts } from '../store.ts'
import { type BulkItem, type ItemAnswer, judgeItem, type Refusal } from './bulkAnswer.ts'
import { BulkCounts } from './bulkCounts.ts'
import type { Kind } from './names.ts'
import { judgeError, type Patience } from './patience.ts'
import { Refusals } from './refusals.ts'

/** Sends the lines of one request and returns its items' answers. Throws the client's errors. */
export type SendBulk = (lines: string[]) => Promise<ItemAnswer[]>

export type ItemResult =
  | { kind: 'written'; seqNo: number | null; primaryTerm: number | null }
  | { kind: 'known' }
  | ({ kind: 'refused'; attempts: number } & Refusal)

/** When a request is sent: it is this large, or holds so many, or its oldest item has waited so long, or none is under way. */
const REQUEST_BYTES_MAX = 5 << 20
/** Where somebody on the way takes less, we learn it, but never send less than this because of it. */
const REQUEST_BYTES_MIN = 128 << 10
const REQUEST_ITEMS_MAX = 1_500
const AGE_MS_MAX = 1_000

const SLOTS_MIN = 2
const SLOTS_MAX = 4
/** More requests at a time only while they are answered faster than this. */
const FAST_MS = 1_000

/**
 * How long a refused document is held while too little was seen to tell whether the data is wrong or the cluster. Then it is
 * sent once more, which may tell, and held as long again.
 */
const HELD_MS_MAX = 30_000
const HELD_ATTEMPTS = 2

/** Their documents hold what somebody else has written. Ours alone cannot be wrong: where those are refused, the cluster is. */
const DATA_KINDS: ReadonlySet<Kind> = new Set<Kind>(['failure', 'controller', 'reject'])

interface Group {
  results: ItemResult[]
  open: number
  resolve: (results: ItemResult[]) => void
  reject: (error: unknown) => void
}

interface Queued {
  item: BulkItem
  /** Of its two lines. */
  bytes: number
  addedMs: number
  attempts: number
  /** Who waits for it, and where it stands among their results. */
  places: { group: Group; at: number }[]
}

interface Held {
  queued: Queued
  refusal: Refusal
}

/** What is left of a request after an answer, and how long to wait. */
interface Rest {
  items: Queued[]
  wait: 'none' | 'retry' | 'blocked' | 'denied'
  because: string
}

export class BulkQueue {
  readonly #send: SendBulk
  readonly #patience: Patience
  readonly #holdsRefused: boolean
  readonly #counts = new BulkCounts()
  readonly #waiting: Queued[] = []
  #waitingBytes = 0
  /** Of `#waiting`, by id. */
  readonly #waitingTotals = new Map<string, Queued>()
  #requestBytesMax = REQUEST_BYTES_MAX
  #flights = 0
  #slots = SLOTS_MIN
  #isPumping = false
  #hasTimer = false
  readonly #refusals = new Map<Kind, Refusals>()
  readonly #held = new Set<Held>()
  /** Why nothing is rejected: the cluster refuses whatever it gets of a kind. */
  #refusing: { kind: Kind; because: string } | null = null

  /** `holdsRefused` false: what is refused is a reject at once, because it is kept elsewhere and comes again. */
  constructor(send: SendBulk, patience: Patience, { holdsRefused = true } = {}) {
    this.#send = send
    this.#patience = patience
    this.#holdsRefused = holdsRefused
  }

  get facts(): BulkFacts {
    return this.#counts
  }

  /** So many rejects are kept nowhere but as documents. */
  countDropped(count: number): void {
    this.#counts.dropped(count)
  }

  /**
   * Resolves with a result for each item once all are settled. Rejects with Why5xxError `WHY5XX_STORE` only after the
   * patience has ended. Items of one tick go together. `isUrgent`: before all others, and at once.
   */
  add(items: readonly BulkItem[], isUrgent = false): Promise<ItemResult[]> {
    if (items.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const group: Group = { results: [], open: items.length, resolve, reject }
      const addedMs = this.#patience.timing.now()
      const queued = items.map((item, at): Queued => {
        const bytes = Buffer.byteLength(item.action) + Buffer.byteLength(item.document) + 2
        return {
          item,
          bytes,
          addedMs: isUrgent ? Number.NEGATIVE_INFINITY : addedMs,
          attempts: 0,
          places: [{ group, at }]
        }
      })
      if (isUrgent) this.#putBack(queued)
      else for (const one of queued) this.#append(one)
      if (this.#isPumping) return
      this.#isPumping = true
      setImmediate(() => {
        this.#isPumping = false
        this.#pump()
      })
    })
  }

  /** Totals of one key that still wait are replaced: the newer ones hold them. While a server is slow that saves most of it. */
  #append(queued: Queued): void {
    const { kind, id } = queued.item
    const older = kind === 'rollup' ? this.#waitingTotals.get(id) : undefined
    this.#waitingBytes += queued.bytes - (older?.bytes ?? 0)
    if (older !== undefined) {
      older.item = queued.item
      older.bytes = queued.bytes
      older.places.push(...queued.places)
      return
    }
    if (kind === 'rollup') this.#waitingTotals.set(id, queued)
    this.#waiting.push(queued)
  }

  #pump(): void {
    const { timing, isClosing } = this.#patience
    const slots = this.#refusing === null ? this.#slots : 1
    while (this.#waiting.length > 0 && this.#flights < slots) {
      const ageMs = timing.now() - this.#waiting[0]!.addedMs
      const isFull = this.#waitingBytes >= this.#requestBytesMax || this.#waiting.length >= REQUEST_ITEMS_MAX
      if (!isFull && this.#flights > 0 && ageMs < AGE_MS_MAX && !isClosing) {
        this.#pumpIn(AGE_MS_MAX - ageMs)
        return
      }
      this.#flights++
      void this.#fly()
    }
  }

  #pumpIn(ms: number): void {
    if (this.#hasTimer) return
    this.#hasTimer = true
    void this.#patience.sleep(ms).then(() => {
      this.#hasTimer = false
      this.#pump()
    })
  }

  /** One request, until all of its items are settled, held or given up. */
  async #fly(): Promise<void> {
    const who = {}
    let items: Queued[] = []
    try {
      if (this.#refusing !== null) await this.#patience.pause(this, this.#refusing.because)
      items = this.#take()
      for (let attempt = 1; items.length > 0; attempt++) {
        const isLastTry = this.#patience.isClosing
        const rest = await this.#attempt(items)
        items = rest.items
        if (items.length === 0 || rest.wait === 'none') continue
        if (isLastTry) return this.#giveUp(items, rest.because)
        this.#counts.again(items.length)
        if (rest.wait === 'denied') await this.#patience.pause(who, rest.because)
        else await this.#patience.backOff(who, attempt, rest.because, rest.wait === 'blocked' ? 1 : undefined)
      }
    } catch (error) {
      // No answer of a cluster but a mistake of ours: what was asked for is not durable, and never will be.
      for (const { places } of [...items, ...this.#waiting.splice(0)])
        for (const { group } of places) group.reject(error)
      this.#waitingBytes = 0
      this.#waitingTotals.clear()
    } finally {
      this.#patience.done(who)
      this.#flights--
      this.#pump()
    }
  }

  #take(): Queued[] {
    let bytes = 0
    let count = 0
    for (const queued of this.#waiting) {
      if (count > 0 && (count >= REQUEST_ITEMS_MAX || bytes + queued.bytes > this.#requestBytesMax)) break
      bytes += queued.bytes
      count++
    }
    this.#waitingBytes -= bytes
    const taken = this.#waiting.splice(0, count)
    for (const { item } of taken) if (item.kind === 'rollup') this.#waitingTotals.delete(item.id)
    return taken
  }

  #putBack(items: readonly Queued[]): void {
    this.#waiting.unshift(...items)
    for (const { bytes } of items) this.#waitingBytes += bytes
  }

  async #attempt(items: Queued[]): Promise<Rest> {
    const { timing } = this.#patience
    const lines: string[] = []
    for (const queued of items) {
      queued.attempts++
      lines.push(queued.item.action, queued.item.document)
    }
    const startedMs = timing.now()
    let answers: ItemAnswer[]
    try {
      answers = await this.#send(lines)
    } catch (error) {
      const { kind, because } = judgeError(error)
      if (kind === 'too_large') return this.#halve(items)
      return { items, wait: kind, because }
    }
    const fastest = this.#counts.took(timing.now() - startedMs)
    this.#slots = fastest < FAST_MS ? Math.min(this.#slots + 1, SLOTS_MAX) : SLOTS_MIN
    const fits =
      answers.length === items.length && items.every(({ item }, i) => (answers[i]!._id ?? item.id) === item.id)
    if (!fits) return { items, wait: 'retry', because: 'Elasticsearch gave an answer that does not fit what was sent' }
    return this.#readAnswers(items, answers)
  }

  /** Somebody on the way takes no request of this size. */
  #halve(items: Queued[]): Rest {
    if (items.length === 1) {
      const [queued] = items
      const refusal = { status: 413, type: 'request_too_large', reason: `${queued!.bytes} bytes are too many` }
      this.#settle(queued!, { kind: 'refused', attempts: queued!.attempts, ...refusal })
      return NOTHING_LEFT
    }
    const bytes = items.reduce((sum, queued) => sum + queued.bytes, 0)
    this.#requestBytesMax = Math.max(REQUEST_BYTES_MIN, Math.min(this.#requestBytesMax, Math.ceil(bytes / 2)))
    const middle = Math.ceil(items.length / 2)
    this.#putBack(items.slice(middle))
    return { items: items.slice(0, middle), wait: 'none', because: '' }
  }

  #readAnswers(items: readonly Queued[], answers: readonly ItemAnswer[]): Rest {
    const rest: Rest = { items: [], wait: 'none', because: '' }
    const seen = new Map<Kind, { items: number; refused: Held[] }>()
    for (const [i, queued] of items.entries()) {
      const { kind, index } = queued.item
      const verdict = judgeItem(answers[i]!, index)
      if (verdict.kind === 'retry' || verdict.kind === 'blocked' || verdict.kind === 'denied') {
        add(rest, queued, verdict.kind, verdict.because)
        continue
      }
      if (verdict.kind === 'refused' && !DATA_KINDS.has(kind)) {
        const { status, type } = verdict
        add(
          rest,
          queued,
          'denied',
          `Elasticsearch refuses what goes to ${index} (${status}, ${type}): why5xx setup puts the templates right`
        )
        continue
      }
      let ofKind = seen.get(kind)
      if (ofKind === undefined) seen.set(kind, (ofKind = { items: 0, refused: [] }))
      ofKind.items++
      if (verdict.kind === 'refused') ofKind.refused.push({ queued, refusal: verdict })
      else this.#settle(queued, verdict)
    }
    for (const [kind, { items: count, refused }] of seen) if (DATA_KINDS.has(kind)) this.#weigh(kind, count, refused)
    return rest
  }

  /** What was refused is held until it is clear whether the data is wrong or the cluster. */
  #weigh(kind: Kind, items: number, refused: readonly Held[]): void {
    if (!this.#holdsRefused) {
      for (const held of refused) this.#reject(held)
      return
    }
    if (this.#refusing?.kind === kind) return this.#weighTry(kind, items, refused)
    let refusals = this.#refusals.get(kind)
    if (refusals === undefined) this.#refusals.set(kind, (refusals = new Refusals()))
    refusals.add(items, refused.length)
    for (const held of refused) this.#held.add(held)
    const { decision } = refusals
    if (decision === 'data') for (const held of this.#heldOf(kind)) this.#reject(held)
    else if (decision === 'undecided') this.#waitForMore(refused, refusals)
    else {
      refusals.clear()
      // What was held too long has been rejected meanwhile.
      const held = this.#heldOf(kind)
      if (held.length > 0) this.#refuse(kind, held)
    }
  }

  /** While nothing is rejected each request is a try: does the cluster take most of it again? */
  #weighTry(kind: Kind, items: number, refused: readonly Held[]): void {
    if (2 * refused.length >= items) return this.#refuse(kind, refused)
    this.#refusing = null
    this.#patience.done(this)
    for (const held of refused) this.#reject(held)
  }

  #refuse(kind: Kind, held: readonly Held[]): void {
    // Not the reason: it may quote what a log line says.
    const { status, type } = held[0]!.refusal
    const because = `Elasticsearch refuses most ${kind} documents (${status}, ${type}): why5xx setup puts the templates right`
    for (const one of held) this.#held.delete(one)
    const items = held.map(({ queued }) => queued)
    if (this.#patience.isClosing) return this.#giveUp(items, because)
    this.#refusing = { kind, because }
    this.#putBack(items)
  }

  #waitForMore(refused: readonly Held[], refusals: Refusals): void {
    if (refused.length === 0) return
    void this.#patience.sleep(HELD_MS_MAX).then(() => {
      const left = refused.filter(held => this.#held.delete(held))
      const isLast = this.#patience.isClosing
      if (!isLast && left.some(({ queued }) => queued.attempts < HELD_ATTEMPTS)) {
        this.#putBack(left.map(({ queued }) => queued))
        this.#pump()
      } else if (!isLast || refusals.isMostlyAccepted) for (const held of left) this.#reject(held)
      else
        this.#giveUp(
          left.map(({ queued }) => queued),
          'too little was seen to tell whether Elasticsearch refuses everything'
        )
    })
  }

  #heldOf(kind: Kind): Held[] {
    return [...this.#held].filter(({ queued }) => queued.item.kind === kind)
  }

  #reject(held: Held): void {
    this.#held.delete(held)
    this.#settle(held.queued, { ...held.refusal, kind: 'refused', attempts: held.queued.attempts })
  }

  #settle({ places }: Queued, result: ItemResult): void {
    this.#counts.settled(result.kind === 'refused' ? result.type : null, result.kind)
    for (const { group, at } of places) {
      group.results[at] = result
      if (--group.open === 0) group.resolve(group.results)
    }
  }

  #giveUp(items: readonly Queued[], because: string): void {
    const error = new Why5xxError('WHY5XX_STORE', `${plural(items.length, 'document')} not written: ${because}`)
    for (const { places } of items) for (const { group } of places) group.reject(error)
  }
}

const NOTHING_LEFT: Rest = { items: [], wait: 'none', because: '' }

const WAITS: readonly Rest['wait'][] = ['none', 'retry', 'blocked', 'denied']

/** The longest wait of its items is that of the request. */
function add(rest: Rest, queued: Queued, wait: Rest['wait'], because: string): void {
  rest.items.push(queued)
  if (WAITS.indexOf(wait) <= WAITS.indexOf(rest.wait)) return
  rest.wait = wait
  rest.because = because
}
