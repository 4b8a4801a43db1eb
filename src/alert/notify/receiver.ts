/** The contract of whoever is told: one receiver is one address. */

import type { Notice } from '../notice.ts'

/** What came back. */
export type Delivery =
  | { kind: 'taken'; status: number }
  /** Try again later: it is away, or busy. `afterMs`: it said when. */
  | { kind: 'later'; why: string; afterMs: number | null }
  /** It will never take this. */
  | { kind: 'refused'; why: string; status: number | null }

export interface Receiver {
  /** Unique, in metrics, in logs and in the marks of incidents: `alertmanager 10.0.0.5:9093`, `webhook slack`. Never an address with a secret. */
  readonly name: string
  /**
   * ms between repetitions of what is open, which keep it open (Alertmanager forgets what is not repeated); null: it is told
   * again only when something has changed.
   */
  readonly repeatMs: number | null
  /** Which severities it wants. */
  wants(severity: Notice['severity']): boolean
  /**
   * Resolves in any case; within a time limit of its own. `keys` go with the notices: the same in every try to tell the same,
   * so that whoever took it and could not say so knows it again.
   */
  send(notices: readonly Notice[], signal: AbortSignal, keys: readonly string[]): Promise<Delivery>
  close(): Promise<void>
}
