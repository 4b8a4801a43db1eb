/** What nginx meets when it connects to a pod's address, and which addresses its balancer knows. */

export interface Down {
  from: number
  to: number
  /** refused: address up, nobody listens. unreachable: nobody answers ARP. lost: packets vanish. */
  kind: 'refused' | 'unreachable' | 'lost'
}

export interface Fact {
  at: number
  what: string
}

export interface Peer {
  pod: string
  /** `namespace/name` of the Service. */
  service: string
  /** `address:port`, as nginx uses it. */
  address: string
  node: string
  /** When the pod held the address; null is before or after the log. */
  from: number | null
  to: number | null
  downs: Down[]
  /** Moments at which all open connections of the pod end; share of those that see a reset and not an orderly close. */
  breaks: { at: number; resets: number }[]
  facts: Fact[]
}

export class Endpoints {
  readonly #steps: { at: number; peers: readonly Peer[] }[]
  readonly all: Peer[]

  constructor(peers: readonly Peer[]) {
    this.#steps = [{ at: Number.NEGATIVE_INFINITY, peers }]
    this.all = [...peers]
  }

  /** From `at` on the controllers have pushed this list; a worker picks it up at its next one-second tick. */
  set(at: number, peers: readonly Peer[]): void {
    if (at < this.#steps.at(-1)!.at) throw new Error('endpoint changes go forward in time')
    this.#steps.push({ at, peers })
    for (const peer of peers) if (!this.all.includes(peer)) this.all.push(peer)
  }

  add(at: number, peer: Peer): void {
    this.set(at, [...this.#steps.at(-1)!.peers, peer])
  }

  remove(at: number, peer: Peer): void {
    this.set(
      at,
      this.#steps.at(-1)!.peers.filter(other => other !== peer)
    )
  }

  seenAt(ms: number, tickPhaseMs: number): readonly Peer[] {
    const tick = Math.floor((ms - tickPhaseMs) / 1000) * 1000 + tickPhaseMs
    return this.#steps.findLast(step => step.at <= tick)!.peers
  }
}
