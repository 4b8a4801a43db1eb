import type { FileStream } from './fileStream.ts'
import { pickNext } from './mergeOrder.ts'
import type { Track } from './track.ts'

/** Every so many turns it is another controller's, so that one large file keeps nobody waiting for long. */
const FAIR_EVERY = 4

/** Which stream is read next: of all controllers the one that is furthest behind, of its files the one `pickNext` says. */
export class Turns {
  #turn = 0
  /** By controller: the turn it had last. */
  #turns = new Map<string, number>()

  /** null: every stream stands at its end. Read errors are thrown as `{ stream, error }` to `failed`. */
  async next(
    tracks: Track[],
    failed: (stream: FileStream, error: unknown) => Promise<void>
  ): Promise<FileStream | null> {
    const units = new Map<string, FileStream[]>()
    for (const track of tracks) {
      // Generations of one log strictly in order.
      const stream = track.streams.find(other => other.hasUnread)
      if (stream === undefined) continue
      try {
        await stream.prepare()
      } catch (error) {
        await failed(stream, error)
        continue
      }
      const unit = stream.group ?? track.path
      units.set(unit, [...(units.get(unit) ?? []), stream])
    }
    const unit = this.#nextUnit(units)
    if (unit === null) return null
    const streams = units.get(unit)!
    const aheadMs = new Map<FileStream, number>()
    for (const stream of streams) {
      if (stream.content !== 'access' || streams.length === 1) continue
      try {
        aheadMs.set(stream, await stream.lookAhead())
      } catch (error) {
        await failed(stream, error)
      }
    }
    this.#turns.set(unit, ++this.#turn)
    return pickNext(streams, stream => aheadMs.get(stream) ?? Number.NaN)
  }

  #nextUnit(units: Map<string, FileStream[]>): string | null {
    if (this.#turns.size > 2 * units.size + 1_000) this.#turns = new Map()
    const behindMs = (unit: string) => Math.min(...units.get(unit)!.map(stream => stream.newestMs))
    const isFair = this.#turn % FAIR_EVERY === FAIR_EVERY - 1
    let best: string | null = null
    for (const unit of units.keys()) {
      if (best === null) {
        best = unit
        continue
      }
      const waited = (this.#turns.get(best) ?? 0) - (this.#turns.get(unit) ?? 0)
      const ahead = isFair ? 0 : behindMs(unit) - behindMs(best)
      if (ahead < 0 || (!(ahead > 0) && waited > 0)) best = unit
    }
    return best
  }
}
