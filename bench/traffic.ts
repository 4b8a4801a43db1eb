import { type Client, drawClient, drawRequestId } from './client.ts'
import { failure, masked, type Outcome, redirectedInside, refusedByNginx, seconds } from './outcome.ts'
import { buildPools, type Pools, type Upstream } from './pools.ts'
import { Random } from './random.ts'
import type { TruthCounter } from './truth.ts'

/** One line and the second of the file's span in which nginx writes it. */
export type TimedLine = { second: number; line: string }

// 12 March 2026 10:00 UTC: a fixed hour, so that a file depends on its arguments alone.
const START_MS = Date.UTC(2026, 2, 12, 10)
const MASKED_PER_FAILURE = 0.12
const CLIENT_ERRORS = 0.03
const SUCCESS_STATUSES = [...Array(46).fill(200), 201, 204, 206, 302]
const CLIENT_ERROR_STATUSES = [404, 404, 404, 401, 401, 403, 400, 409, 422, 410]
const NO_BODY = new Set([204, 304])
// nginx pads its error pages for browsers whose agent says Chrome/.
const PADDING_BYTES = 402
// The patched NGX_MAX_ERROR_STR: a long URL stands in the line twice, so its tail is cut, as in life.
const ERROR_LINE_BYTES = 4096

/** Draws one request after the other. The seed decides everything. */
export class Traffic {
  readonly #random: Random
  readonly #pools: Pools
  readonly #failing: number
  readonly #withErrors: boolean
  readonly #truth: TruthCounter
  #connection = 1000

  constructor(options: { seed: number; failing: number; withErrors: boolean; truth: TruthCounter }) {
    this.#random = new Random(options.seed)
    this.#pools = buildPools(this.#random)
    this.#failing = options.failing
    this.#withErrors = options.withErrors
    this.#truth = options.truth
  }

  /** A request that succeeds or that the application refuses: always one line, the way of 97 of 100. */
  plain(second: number): string {
    const random = this.#random
    const upstream = this.#upstream()
    const client = drawClient(this.#random, this.#pools, upstream, null)
    const draw = random.share()
    const isRefused = draw < CLIENT_ERRORS
    const status = isRefused
      ? random.pick(CLIENT_ERROR_STATUSES)
      : draw < 0.09
        ? 304
        : random.pick<number>(SUCCESS_STATUSES)
    const size = random.share()
    const bytes = NO_BODY.has(status) ? 0 : isRefused ? 20 + random.below(400) : Math.floor(90 + 60_000 * size ** 4)
    const bodyBytes = client.method === 'HEAD' ? 0 : bytes
    const upstreamMs = 1 + Math.floor(1800 * random.share() ** 6)
    const fields = `${random.pick(upstream.pods)} ${bodyBytes} ${seconds(upstreamMs)} ${status}`
    const names = this.#names(upstream, null, status, 1, false)
    return this.#accessLine(second, client, String(status), bodyBytes, upstreamMs + random.below(2), names, fields)
  }

  /**
   * Any request. `spanSeconds` ends the file: a retried read timeout that would end later is not begun.
   * Error lines come before the access line, each in its own second.
   */
  next(second: number, spanSeconds: number): TimedLine[] {
    const draw = this.#random.share()
    const notPlain = this.#failing * (1 + MASKED_PER_FAILURE)
    if (draw >= notPlain + 0.003) return [{ second, line: this.plain(second) }]
    const upstream = this.#upstream()
    const outcome = this.#outcome(draw, notPlain, upstream)
    // A request's lines belong together: with the first error line now, the access line stands up to two minutes later.
    const first = outcome.errors[0]
    const delaySeconds = this.#withErrors && first !== undefined ? Math.floor(first.beforeEndMs / 1000) : 0
    if (second + delaySeconds >= spanSeconds) return [{ second, line: this.plain(second) }]
    return this.#lines(second + delaySeconds, upstream, outcome)
  }

  #outcome(draw: number, notPlain: number, upstream: Upstream): Outcome {
    if (draw < this.#failing) return failure(this.#random, upstream)
    if (draw < notPlain) return masked(this.#random, upstream)
    return draw < notPlain + 0.002 ? refusedByNginx(this.#random) : redirectedInside(this.#random, upstream)
  }

  #lines(endSecond: number, upstream: Upstream, outcome: Outcome): TimedLine[] {
    const client = drawClient(
      this.#random,
      this.#pools,
      upstream,
      outcome.method ?? (this.#random.share() < 0.8 ? 'GET' : 'POST')
    )
    const lines: TimedLine[] = []
    if (this.#withErrors && outcome.errors.length > 0) {
      const worker = 30 + this.#random.below(4)
      const head = `${worker}#${worker}: *${this.#connection++} `
      for (const error of outcome.errors) {
        const second = endSecond - Math.floor(error.beforeEndMs / 1000)
        const context = `, client: ${client.address}, server: ${upstream.host}, request: "${client.method} ${client.path.raw} ${client.version}", upstream: "http://${error.address}${client.path.raw}", host: "${upstream.host}"`
        const referrer = client.referer === null ? '' : `, referrer: "${client.referer.raw}"`
        const text = `${errorTime(second)} [error] ${head}${error.message}${context}${referrer}`
        lines.push({ second, line: `${text.slice(0, ERROR_LINE_BYTES - 1)}\n` })
      }
    }
    const padding = client.agent.raw.includes('Chrome/') ? PADDING_BYTES : 0
    const bodyBytes = outcome.ownPageBytes === null ? outcome.bodyBytes : outcome.ownPageBytes + padding
    const status = String(outcome.status).padStart(3, '0')
    const names = this.#names(upstream, outcome.upstreamName, outcome.status, outcome.attempts, outcome.isMasked)
    const fields = outcome.upstreamFields
    const line = this.#accessLine(endSecond, client, status, bodyBytes, outcome.requestTimeMs, names, fields)
    lines.push({ second: endSecond, line })
    return lines
  }

  /** The two bracketed names; the truth is counted here, where name and outcome are both known. */
  #names(upstream: Upstream, other: string | null, status: number, attempts: number, isMasked: boolean): string {
    const isCanary = other === null && upstream.canaryName !== '' && this.#random.share() < 0.1
    const name = other ?? upstream.name
    this.#truth.count(status, isCanary ? upstream.canaryName : name, attempts, isMasked)
    return `[${name}] [${isCanary ? upstream.canaryName : ''}]`
  }

  #upstream(): Upstream {
    return this.#pools.upstreams[this.#pools.zipf[this.#random.uint32() >>> 20]!]!
  }

  #accessLine(
    second: number,
    client: Client,
    status: string,
    bodyBytes: number,
    requestTimeMs: number,
    names: string,
    fields: string
  ): string {
    const referer = client.referer === null ? '-' : client.referer.logged
    const requestLength = 180 + client.path.raw.length + client.agent.raw.length + this.#random.below(900)
    return `${client.address} - ${client.user} ${accessTime(second)} "${client.method} ${client.path.logged} ${client.version}" ${status} ${bodyBytes} "${referer}" "${client.agent.logged}" ${requestLength} ${seconds(requestTimeMs)} ${names} ${fields} ${drawRequestId(this.#random)}\n`
  }
}

// A file has some 400 lines a second of log time: the text of the second is built once.
let accessSecond = -1
let accessText = ''

function accessTime(second: number): string {
  if (second !== accessSecond) {
    accessSecond = second
    accessText = `[12/Mar/2026:${clockTime(second)} +0000]`
  }
  return accessText
}

function errorTime(second: number): string {
  return `2026/03/12 ${clockTime(second)}`
}

function clockTime(second: number): string {
  return new Date(START_MS + second * 1000).toISOString().slice(11, 19)
}
