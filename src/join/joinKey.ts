import type { AccessRecord, ErrorRecord } from '../../parsers/record.ts'

/**
 * What an access line and the error lines of its request share: the client and the request line, both in nginx's escape.
 * Formats that log method and URI have no version, so it is left out.
 */
export function joinKey(record: AccessRecord | ErrorRecord): string {
  return `${record.client ?? ''}\n${withoutVersion(record.request ?? '')}`
}

/** `GET /a HTTP/1.1` → `GET /a`. */
export function withoutVersion(request: string): string {
  const at = request.lastIndexOf(' HTTP/')
  return at > 0 && request.length - at <= 9 ? request.slice(0, at) : request
}

/** Error lines whose request line nginx had not read yet, or cut: they fit every request of their client. */
export function clientKey(client: string | null): string {
  return `${client ?? ''}\n`
}

const SLOTS = 1 << 14

/**
 * Counts waiting error lines by a cheap hash of client and request, so that a success is asked in nanoseconds whether any
 * error line may belong to it. False alarms cost one look-up; there are no misses.
 */
export class WaitingFilter {
  /** Made for the first line: most controllers of a long log never hold one. */
  #counts: Uint16Array | null = null

  add(record: ErrorRecord): number {
    const slot = slotOf(record.client ?? '', record.request ?? '')
    this.#counts ??= new Uint16Array(SLOTS)
    if (this.#counts[slot]! < 0xffff) this.#counts[slot]!++
    return slot
  }

  remove(slot: number): void {
    // A full slot stays full: it has lost count, and a false alarm is only slow.
    if (this.#counts !== null && this.#counts[slot]! < 0xffff) this.#counts[slot]!--
  }

  /** Of a scanned line: `[start, clientEnd)` and `[requestStart, requestEnd)` of its bytes. */
  mayHold(bytes: Uint8Array, start: number, clientEnd: number, requestStart: number, requestEnd: number): boolean {
    let hash = (clientEnd - start) * 31 + (requestEnd - requestStart)
    hash = Math.imul(hash, 31) + (clientEnd > start ? bytes[clientEnd - 1]! : 0)
    hash = Math.imul(hash, 31) + (clientEnd > start + 1 ? bytes[clientEnd - 2]! : 0)
    const middle = requestStart + ((requestEnd - requestStart) >> 1)
    hash = Math.imul(hash, 31) + (requestEnd > requestStart ? bytes[middle]! : 0)
    const late = requestEnd - 12
    hash = Math.imul(hash, 31) + (late >= requestStart ? bytes[late]! : 0)
    return this.#counts !== null && this.#counts[hash & (SLOTS - 1)]! > 0
  }
}

/** The same hash from strings. */
function slotOf(client: string, request: string): number {
  let hash = client.length * 31 + request.length
  hash = Math.imul(hash, 31) + (client.length > 0 ? client.charCodeAt(client.length - 1) : 0)
  hash = Math.imul(hash, 31) + (client.length > 1 ? client.charCodeAt(client.length - 2) : 0)
  hash = Math.imul(hash, 31) + (request.length > 0 ? request.charCodeAt(request.length >> 1) : 0)
  const late = request.length - 12
  hash = Math.imul(hash, 31) + (late >= 0 ? request.charCodeAt(late) : 0)
  return hash & (SLOTS - 1)
}
