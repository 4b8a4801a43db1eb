import type { Counters } from '../counters.ts'
import { summaryOf, worstFailure } from '../runSummary.ts'
import { clip, grouped, percent, plural, safeText } from '../text.ts'

export type SourceKind = 'files' | 'stdin' | 'kafka'

/** At most four times a second, whoever asks. */
const DRAW_MS = 250
/** The speed is that of this long: shorter and it flickers. */
const SPEED_MS = 2_000
const CLEAR = '\r\x1b[K'

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/**
 * One line at the bottom of the terminal that is drawn again as work goes on; nothing where stderr is none. Log lines go
 * through `write`, which makes room for them.
 */
export class StatusLine {
  readonly #counters: Counters
  readonly #terminal: Terminal
  readonly #kind: SourceKind
  readonly #nowMs: () => number
  #timer: NodeJS.Timeout | null = null
  #isShown = false
  /** What was read when, for the speed. */
  #marks: { atMs: number; lines: number }[] = []

  constructor(
    counters: Counters,
    {
      kind,
      terminal = process.stderr,
      nowMs = Date.now
    }: { kind: SourceKind; terminal?: Terminal; nowMs?: () => number }
  ) {
    this.#counters = counters
    this.#kind = kind
    this.#terminal = terminal
    this.#nowMs = nowMs
  }

  /** From now on it is drawn. The timer alone keeps no program running. */
  start(): void {
    if (this.#terminal.isTTY !== true || this.#timer !== null) return
    this.#timer = setInterval(() => this.#draw(), DRAW_MS)
    this.#timer.unref()
    this.#draw()
  }

  /** Whole lines of text, above the status line. */
  write(text: string): void {
    const isShown = this.#isShown
    this.#clear()
    this.#terminal.write(text)
    if (isShown) this.#draw()
  }

  /** Gone for good: what is printed now stays. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#clear()
  }

  #clear(): void {
    if (this.#isShown) this.#terminal.write(CLEAR)
    this.#isShown = false
  }

  #draw(): void {
    const nowMs = this.#nowMs()
    // The last column stays free: some terminals go on to the next line once it is written.
    const width = (this.#terminal.columns || 80) - 1
    this.#terminal.write(
      CLEAR + clip(statusText(this.#counters, this.#kind, this.#linesPerSecond(nowMs), nowMs), width)
    )
    this.#isShown = true
  }

  #linesPerSecond(nowMs: number): number {
    const { lines } = summaryOf(this.#counters, nowMs)
    this.#marks.push({ atMs: nowMs, lines })
    while (this.#marks.length > 2 && nowMs - this.#marks[1]!.atMs >= SPEED_MS) this.#marks.shift()
    const [oldest] = this.#marks
    const seconds = (nowMs - oldest!.atMs) / 1000
    return seconds > 0 ? Math.round((lines - oldest!.lines) / seconds) : 0
  }
}

/** `3 files  12,345 lines/s  lag 0 s  failed 38 (0.7 %)  connection_refused shop-cart-80 31  held 4  stored 1,204`. */
export function statusText(counters: Counters, kind: SourceKind, linesPerSecond: number, nowMs: number): string {
  const summary = summaryOf(counters, nowMs)
  const worst = worstFailure(counters)
  const parts = [
    ...(summary.paused === null ? [] : [`PAUSED: ${ascii(summary.paused)}`]),
    kind === 'stdin' ? 'stdin' : plural(counters.streams, kind === 'kafka' ? 'partition' : 'file'),
    `${grouped(linesPerSecond)} lines/s`,
    `lag ${lagText(summary.lagSeconds)}`,
    summary.failed === 0
      ? 'failed 0'
      : `failed ${grouped(summary.failed)} (${percent(summary.failed, summary.requests)})`,
    ...(worst === null ? [] : [`${worst.cause} ${clip(ascii(worst.upstream) || '-', 60)} ${grouped(worst.count)}`]),
    `held ${grouped(summary.linesHeld)}`,
    `stored ${grouped(summary.stored)}`,
    ...(summary.gaps === 0 ? [] : [plural(summary.gaps, 'gap')]),
    ...(summary.rejects === 0 ? [] : [plural(summary.rejects, 'reject')])
  ]
  return parts.join('  ')
}

function lagText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** One column a character, so that the line can be cut to the width. */
function ascii(text: string): string {
  return safeText(text).replace(/[^ -~]/g, '?')
}
