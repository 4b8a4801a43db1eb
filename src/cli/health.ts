import type { PipelineParts } from '../pipeline.ts'

const STUCK_MS = 120_000
const ALIVE_MS = 60_000

/**
 * A source steps at least once a second; a store that cannot write for now holds it up, and starting again would not help.
 * `pausedBecause`: of that store; null: all is well.
 */
export function sourceHealth(
  { counters, source }: Pick<PipelineParts, 'counters' | 'source'>,
  pausedBecause: string | null
): string[] {
  // A member that is paused, because the store is away, goes on with its heartbeats.
  const aliveMs = source.facts?.aliveMs ?? null
  if (aliveMs !== null && Date.now() - aliveMs > ALIVE_MS)
    return [`no fetch and no heartbeat for ${Math.round((Date.now() - aliveMs) / 1_000)} s`]
  if (counters.steppedMs === null || pausedBecause !== null) return []
  const seconds = Math.round((Date.now() - counters.steppedMs) / 1_000)
  return seconds * 1_000 > STUCK_MS ? [`nothing was read for ${seconds} s, not even to find that nothing came`] : []
}
