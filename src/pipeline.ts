/**
 * The flow, top to bottom:
 *
 *   source → envelope → scan → join → classify → judge → store
 *                         └─ totals per minute ───────────┘  └─ incidents
 */

import type { Counters } from './counters.ts'
import type { Engine } from './engine.ts'
import { type Intake, TICK_MS } from './intake.ts'
import type { ClassifiedBatch, Judge } from './judge.ts'
import type { Outbox } from './outbox.ts'
import type { Settler } from './settler.ts'
import type { Source } from './source/source.ts'
import type { BatchWriter } from './store/writer.ts'

export interface PipelineParts {
  source: Source
  /** Envelope, scan, totals, join and classify; tells `outbox`. */
  engine: Engine
  /** The streams of the source in the engine. */
  intake: Intake
  /** What the engine tells, until it is written. */
  outbox: Outbox
  /** Judges failures once more when facts have settled; null: nothing is known of any cluster. */
  settler: Settler | null
  /** Judges what is classified by the state of the cluster, and stores it. */
  writer: BatchWriter<ClassifiedBatch>
  /** Tells whoever looks for incidents how far everything was read; null: nobody does. */
  alerts: Pick<Judge, 'passed' | 'ended'> | null
  counters: Counters
  /** Wall time, ms: it says when to write, never what. */
  nowMs: () => number
}

/** A batch is written when it is this large, or this old. */
const BATCH_BYTES = 1 << 20
const BATCH_MS = 1_000
/** How long a stop waits for the store. */
const STOP_MS = 25_000

/**
 * Runs until the source is at its end or `signal` is aborted, and everything that was decided is durable. Lines that wait
 * for a partner then are read again by the next run; at the end of the source, and of a pipe, nothing waits. Throws what the
 * source or the store throw.
 */
export async function runPipeline(parts: PipelineParts, signal: AbortSignal): Promise<void> {
  const { source, engine, intake, outbox, settler, writer, alerts, counters, nowMs } = parts
  let writtenMs = nowMs()
  let tickedMs = writtenMs

  for await (const event of source.read(signal)) {
    counters.steppedMs = nowMs()
    counters.isAtEnd = event.kind === 'idle' && event.idleMs > 0
    if (event.kind === 'chunk') intake.push(event.stream, event.bytes)
    else if (event.kind === 'messages') intake.pushMessages(event.stream, event.batch)
    else if (event.kind === 'lost') {
      intake.drop(event.stream)
      settler?.lose([event.stream.id])
    } else if (event.kind === 'end') intake.end(event.stream)
    else if (event.kind === 'gap') outbox.gap(event.gap)
    else intake.idle(event.idleMs)

    const now = nowMs()
    // The absolute difference: a clock that was set back must not stop the writing.
    if (Math.abs(now - tickedMs) >= TICK_MS) {
      intake.tick()
      tickedMs = now
    }
    if (outbox.bytes(engine) < BATCH_BYTES && Math.abs(now - writtenMs) < BATCH_MS) continue
    await write()
    writtenMs = now
  }
  const isOver = !signal.aborted || !source.isRepeatable
  if (isOver) engine.finish()
  await write()
  if (isOver) await alerts?.ended()
  await writer.finish(signal, STOP_MS)

  /** Documents, totals and positions as of this moment: they become durable together. Waits only for room in flight. */
  async function write(): Promise<void> {
    const { states, linesHeld } = intake.takeStates()
    Object.assign(counters, { linesHeld, newestMs: intake.newestMs, streams: intake.streams })
    const bytes = outbox.bytes(engine)
    const batch = outbox.take(engine, settler?.mark(states) ?? states)
    const isWhole = source.facts?.isWhole ?? true
    const readToMs = isWhole ? intake.readToMs(nowMs()) : Number.NEGATIVE_INFINITY
    if (batch !== null) await writer.offer(batch, bytes, signal)
    alerts?.passed(readToMs, nowMs())
  }
}
