import { setTimeout } from 'node:timers/promises'

/** Time as the sources know it. */
export interface Ticker {
  /** Wall time, Unix ms. */
  wallMs(): number
  /** Never goes back; from anywhere, ms. */
  steadyMs(): number
  /** Returns at once when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemTicker: Ticker = {
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await setTimeout(ms, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
