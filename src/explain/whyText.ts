/** What was wrong in the cluster, in sentences: who, since when, how many requests, what to do, and what it rests on. */

import type { Cause } from '../../parsers/causes.ts'
import { rootCauseInfo, sentenceOf } from '../diagnose/catalogue.ts'
import { grouped, plural, safeText } from '../text.ts'
import type { ClockText } from './clockText.ts'
import type { Why, WhyTally } from './whyTally.ts'

export interface WhyText {
  /** `shop/cart-7d9f-x was OOM-killed at 10:02:11 (limit 256Mi), 38 requests were refused until it answered again at 10:02:29 (confidence 0.93)`. */
  sentence: string
  /** Citations. */
  evidence: string[]
  /** What to do, or what would decide. */
  advice: string
}

const SHOWN_MAX = 3
const EVIDENCE_MAX = 4

/** What became of the requests. */
const FATES: Partial<Record<Cause, string>> = {
  connection_refused: 'refused',
  connect_timeout: 'not accepted in time',
  read_timeout: 'not answered in time',
  premature_close: 'cut off',
  connection_reset: 'cut off',
  no_endpoints: 'turned away',
  no_live_upstreams: 'turned away'
}

/** The most frequent ones; `rest` says how many failures they leave out. */
export function whyTexts(cause: Cause, why: WhyTally, clock: ClockText): { shown: WhyText[]; rest: string } {
  const all = why.sorted()
  return {
    shown: all.slice(0, SHOWN_MAX).map(one => whyText(cause, one, clock)),
    rest: restText(all, why.others)
  }
}

/** A wave of restarts has one reason at many pods: only what has another one is called so. */
function restText(all: readonly Why[], others: number): string {
  const rest = all.slice(SHOWN_MAX)
  const left = rest.reduce((sum, { count }) => sum + count, others)
  if (left === 0) return ''
  const said = new Set(all.slice(0, SHOWN_MAX).map(({ diagnosis }) => diagnosis.rootCause))
  const isSame = others === 0 && rest.every(({ diagnosis }) => said.has(diagnosis.rootCause))
  const same = said.size === 1 ? 'reason' : 'reasons'
  const reason = isSame ? `for the same ${same}, of other pods or at other times` : 'for other reasons'
  return `${plural(left, 'more failure')} ${reason}: --format ndjson has them all`
}

function whyText(cause: Cause, why: Why, clock: ClockText): WhyText {
  const { diagnosis, count, firstMs, lastMs } = why
  const evidence = diagnosis.evidence.slice(0, EVIDENCE_MAX).map(({ cite }) => safeText(cite))
  const { rootCause, wouldDecide, confidence, untilMs } = diagnosis
  if (rootCause === 'undetermined') {
    const sentence = `the state of the cluster tells no reason for ${plural(count, 'failure')}`
    return { sentence, evidence, advice: `would decide: ${wouldDecide.map(safeText).join('; ')}` }
  }
  const were = count === 1 ? 'was' : 'were'
  const fate = FATES[cause] ?? 'affected'
  const span = firstMs === lastMs ? ` at ${clock.short(firstMs)}` : ` ${clock.short(firstMs)} - ${clock.short(lastMs)}`
  const until = untilMs !== null && untilMs >= lastMs ? ` until it answered again at ${clock.short(untilMs)}` : span
  const requests = `${grouped(count)} ${count === 1 ? 'request' : 'requests'} ${were} ${fate}${until}`
  const { advice } = rootCauseInfo(rootCause)
  return {
    sentence: `${sentenceOf(diagnosis, ms => clock.short(ms))}; ${requests} (confidence ${confidence.toFixed(2)})`,
    evidence,
    advice: `${advice}  (why5xx causes ${rootCause})`
  }
}
