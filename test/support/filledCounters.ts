/** Counters as after some work, with names that a forged log line could bring. */
import { causeTable } from '../../parsers/causes.ts'
import { Counters } from '../../src/counters.ts'

export const HOSTILE_NAMES = [
  'a"} 1\nforged_total{b="',
  'back\\slash',
  '\u001b[31mred\u0007\r',
  '\u202Egnitirw\u2028',
  'caf\u00e9-\ud800',
  `${'x'.repeat(5_000)}1`,
  `${'x'.repeat(5_000)}2`
]

export function filledCounters(nowMs: number): Counters {
  const counters = new Counters(nowMs - 100_000)
  counters.lines.access = 5_000
  counters.lines.error = 60
  counters.lines.reject = 3
  counters.rejectsByCode.set('unrecognized', 3)
  counters.countRequests('shop-cart-80', 1_000)
  counters.countRequests('', 7)
  const fail = (upstream: string, cause: 'connection_refused' | 'client_closed', status: string): void =>
    counters.countFailure({ upstream, cause, status, category: causeTable[cause].category, slo: causeTable[cause].slo })
  fail('shop-cart-80', 'connection_refused', '502')
  fail('shop-cart-80', 'connection_refused', '502')
  fail('shop-cart-80', 'client_closed', '499')
  for (const name of HOSTILE_NAMES) {
    counters.countRequests(name, 1)
    fail(name, 'connection_refused', '502')
  }
  counters.notePlace('shop-cart-80', 'shop', 'cart', 'shop')
  // The next failure tells less of it.
  counters.notePlace('shop-cart-80', 'shop', 'cart', null)
  counters.notePlace('shop-cart-80', null, null, null)
  counters.joins.joined = 2
  counters.gaps = 2
  counters.gapBytes = 4_096
  Object.assign(counters.written, { batches: 12, documents: 1_204, known: 5 })
  counters.bytesInFlight = 65_536
  counters.linesHeld = 4
  counters.newestMs = nowMs - 90_000
  counters.streams = 3
  counters.steppedMs = 60_000
  counters.pausedBecause = 'no space left on the disk of /data (ENOSPC)'
  return counters
}
