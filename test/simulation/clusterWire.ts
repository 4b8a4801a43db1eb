/** What processes send to servers and get back, and time. Nothing happens by itself: every step is chosen by a seed. */
import { setMaxListeners } from 'node:events'
import type { Random } from '../../bench/random.ts'

/** One process. Frozen it gets no answer, no turn and no time; dead it never will again. */
export interface Host {
  state: 'running' | 'frozen' | 'dead'
}

/** Probabilities, of one request. */
export interface WireFaults {
  /** It takes its time, and is answered then. */
  slow: number
  /** It never arrives, and its sender is told of an error. */
  lost: number
  /** Its sender is told of an error, and it arrives when nobody waits for it any more. */
  late: number
  /** It is carried out, and its sender is told of an error. */
  answerLost: number
}

export const SAFE: WireFaults = { slow: 0, lost: 0, late: 0, answerLost: 0 }

interface Sent {
  host: Host
  arrive: (isAnswerLost: boolean) => void
  /** null: a request that never fails on its way. */
  fail: (() => void) | null
  /** It may arrive although its sender has given it up. */
  mayBeLate: boolean
}

interface Due {
  host: Host
  run: () => void
}

interface Sleeper extends Due {
  atMs: number
}

export class Wire {
  faults: WireFaults = SAFE
  nowMs = Date.UTC(2026, 10, 21, 10)
  readonly #random: Random
  #requests: Sent[] = []
  /** On slow ways: whoever sent them may be gone when they arrive. */
  #slow: Sent[] = []
  #answers: Due[] = []
  #sleepers: Sleeper[] = []
  /** Processes that wait for their turn. */
  #turns: Due[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Asks a server, which does `serve` when the request arrives. `lossOf`: what the client makes of a lost request or answer. */
  ask<T>(host: Host, serve: () => T, lossOf: () => Error, mayBeLate = true): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (): void => this.tell(host, () => reject(lossOf()))
      const arrive = (isAnswerLost: boolean): void => {
        try {
          const answer = serve()
          if (isAnswerLost) fail()
          else this.tell(host, () => resolve(answer))
        } catch (error) {
          this.tell(host, () => reject(error))
        }
      }
      this.#requests.push({ host, arrive, fail, mayBeLate })
    })
  }

  /** As `ask`, of what cannot fail; `then` is called with the answer. */
  send<T>(host: Host, serve: () => T, then: (answer: T) => void): void {
    const arrive = (): void => {
      const answer = serve()
      this.tell(host, () => then(answer))
    }
    this.#requests.push({ host, arrive, fail: null, mayBeLate: false })
  }

  /** Something arrives at a process. */
  tell(host: Host, run: () => void): void {
    this.#answers.push({ host, run })
  }

  turn(host: Host): Promise<void> {
    return new Promise(run => this.#turns.push({ host, run }))
  }

  sleep(host: Host, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve()
      setMaxListeners(0, signal)
      const run = (): void => {
        signal.removeEventListener('abort', run)
        resolve()
      }
      signal.addEventListener('abort', run)
      this.#sleepers.push({ host, atMs: this.nowMs + ms, run })
    })
  }

  /** What a process has sent is slow from now on. */
  slowDown(host: Host): void {
    this.#slow.push(...this.#requests.filter(sent => sent.host === host))
    this.#requests = this.#requests.filter(sent => sent.host !== host)
  }

  /** A process is dead: what it has sent arrives, now or late, or does not. */
  bury(host: Host): void {
    this.slowDown(host)
    this.#slow = this.#slow.filter(sent => sent.host !== host || this.#random.share() < 0.6)
    const isAlive = (due: Due): boolean => due.host !== host
    this.#answers = this.#answers.filter(isAlive)
    this.#sleepers = this.#sleepers.filter(isAlive)
    this.#turns = this.#turns.filter(isAlive)
  }

  /** One request, answer or turn; false when there was none. */
  step(): boolean {
    const random = this.#random
    const kind = random.below(16)
    if (kind < 5) return this.#request() || this.#run(this.#answers) || this.#run(this.#turns)
    if (kind < 11) return this.#run(this.#answers) || this.#run(this.#turns) || this.#request()
    if (kind < 15 || this.#slow.length === 0)
      return this.#run(this.#turns) || this.#run(this.#answers) || this.#request()
    this.arriveLate()
    return true
  }

  /** A request on a slow way arrives. */
  arriveLate(): boolean {
    const [sent] = this.#slow.splice(this.#random.below(this.#slow.length), 1)
    sent?.arrive(false)
    return sent !== undefined
  }

  pass(ms: number): void {
    this.nowMs += ms
    const due = (sleeper: Sleeper): boolean => sleeper.atMs <= this.nowMs && sleeper.host.state === 'running'
    const woken = this.#sleepers.filter(due)
    this.#sleepers = this.#sleepers.filter(sleeper => !due(sleeper))
    for (const { run } of woken) run()
  }

  #request(): boolean {
    const random = this.#random
    const requests = this.#requests
    if (requests.length === 0) return false
    const at = random.share() < 0.6 ? 0 : random.below(requests.length)
    const sent = requests.splice(at, 1)[0]!
    const { slow, lost, late, answerLost } = this.faults
    if (random.share() < slow) {
      this.#slow.push(sent)
      return true
    }
    const fate = sent.fail === null ? 1 : random.share()
    if (fate < lost) sent.fail!()
    else if (fate < lost + late && sent.mayBeLate) {
      sent.fail!()
      this.#slow.push({ ...sent, arrive: () => sent.arrive(true) })
    } else sent.arrive(fate >= lost + late && fate < lost + late + answerLost)
    return true
  }

  #run(dues: Due[]): boolean {
    let count = 0
    for (const { host } of dues) if (host.state === 'running') count++
    if (count === 0) return false
    let chosen = this.#random.below(count)
    const at = dues.findIndex(({ host }) => host.state === 'running' && chosen-- === 0)
    dues.splice(at, 1)[0]!.run()
    return true
  }
}
