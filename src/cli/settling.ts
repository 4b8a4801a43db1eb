/** Settles failures now and then while the process runs. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import type { PipelineParts } from '../pipeline.ts'

const EVERY_MS = 30_000
/** A store that is away holds a round up until it is closed. */
const STOP_MS = 5_000

export interface Settling {
  /** Ends the round that is going on. */
  stop(): Promise<void>
}

/** null: nothing is known of any cluster. A round that fails is said, and begins again with the next. */
export function settleEvery({ settler }: PipelineParts, signal: AbortSignal, logger: Logger): Settling | null {
  if (settler === null) return null
  let round: Promise<void> | null = null
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const timer = setInterval(() => {
    round ??= settler
      .settle(either)
      .catch((error: unknown) => logger.warn('failures could not be judged again', { error }))
      .finally(() => {
        round = null
      })
  }, EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      stop.abort()
      await Promise.race([round, delay(STOP_MS, undefined, { ref: false })])
      await settler.close()
    }
  }
}
