/** A detector, minute by minute, as tests of it read best. */

import { SpikeDetector, type SpikeDetectorOptions } from '../../src/alert/detector.ts'
import type { Finding, IncidentCause } from '../../src/alert/finding.ts'

export const CAUSE: IncidentCause = 'connection_refused'
export const SERVICE = 'shop-cart-80'

export class Watched {
  readonly detector: SpikeDetector
  readonly findings: Finding[] = []
  minute: number

  constructor(begin = 1000, options: Partial<SpikeDetectorOptions> = {}) {
    this.minute = begin
    this.detector = new SpikeDetector({ profile: 'normal', ...options })
  }

  /** So many minutes with these counts. */
  pass(minutes: number, requests: number, failures: number, cause = CAUSE, upstream = SERVICE): this {
    for (let i = 0; i < minutes; i += 1) {
      this.detector.addRequests(upstream, this.minute, requests)
      this.detector.addFailures(upstream, cause, this.minute, failures)
      this.step()
    }
    return this
  }

  step(minutes = 1): this {
    this.minute += minutes
    this.findings.push(...this.detector.advance(this.minute))
    return this
  }

  /** What began and ended: `fired 1200` and so on, with the minute. */
  get told(): string[] {
    return this.findings
      .filter(({ kind }) => kind !== 'firing')
      .map(({ kind, cause, minute }) => `${kind}${cause === CAUSE ? '' : ` ${cause}`} ${minute}`)
  }

  /** The last one of all series. */
  get last(): Finding {
    const last = this.findings.at(-1)
    if (last === undefined) throw new Error('nothing was found')
    return last
  }
}
