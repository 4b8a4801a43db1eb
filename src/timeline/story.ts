/** What Markdown and HTML both say, in the order a postmortem tells it; only the dress differs. */

import { causeTable } from '../../parsers/causes.ts'
import type { ClockText } from '../explain/clockText.ts'
import { durationText, grouped, percent, plural } from '../text.ts'
import type { CauseEntry, DocumentCounts, Moment, Time, Timeline } from './model.ts'

/** How text becomes part of a page. Our own words need no escape in any dress. */
export interface Dress {
  /** Text of other people's: log lines, names, paths. */
  text: (data: string) => string
  /** The same where it is quoted to the letter. */
  code: (data: string) => string
}

export interface Teller {
  timeline: Timeline
  clock: ClockText
  dress: Dress
}

/** `10:02:11`. */
export function at({ clock }: Teller, time: Time): string {
  return clock.short(Date.parse(time))
}

/** `10:02`: what is known to the minute. */
export function minute({ clock }: Teller, time: Time): string {
  return clock.minute(Date.parse(time))
}

/** `10:02:11 - 10:03:05`, or one time. */
export function span(teller: Teller, from: Time, to: Time): string {
  const [first, last] = [at(teller, from), at(teller, to)]
  return first === last ? first : `${first} - ${last}`
}

export function title({ timeline: { filters }, dress }: Teller): string {
  return `Failed requests${filters.services.length === 0 ? '' : ` of ${filters.services.map(dress.text).join(', ')}`}`
}

/** `2026-11-21 10:00 - 10:20 UTC`. */
export function windowText({ timeline: { window }, clock }: Teller): string {
  if (window === null) return 'no window'
  const [from, to] = [Date.parse(window.from), Date.parse(window.to)]
  const start = clock.fullMinute(from)
  const end = clock.fullMinute(to)
  return `${start} - ${start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end} ${clock.zone}`
}

export function upstreamText({ dress }: Teller, upstream: string): string {
  return upstream === '' || upstream === '-' ? '(no upstream)' : dress.text(upstream)
}

/** What one document is called, by its kind. */
const NOUNS = { failed: 'failed', masked: 'saved by a retry', other: 'not counted as failed' } as const

/** `89 failed, 80 saved by a retry`. */
export function countsText(counts: DocumentCounts): string {
  const parts = (['failed', 'masked', 'other'] as const)
    .filter(kind => counts[kind] > 0)
    .map(kind => `${grouped(counts[kind])} ${NOUNS[kind]}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/** `502 POST /cart, connection_reset at shop-cart-80 (10.42.1.211:8080)`. */
export function momentText(teller: Teller, moment: Moment): string {
  const { dress } = teller
  const status = moment.status === null ? '' : String(moment.status).padStart(3, '0')
  const request = [moment.method, moment.path].filter(part => part !== null).join(' ')
  const what = [status, request === '' ? '' : dress.text(request)].filter(Boolean).join(' ')
  const address = moment.address === null ? '' : ` (${dress.text(moment.address)})`
  return [what, `${moment.cause} at ${upstreamText(teller, moment.upstream)}${address}`].filter(Boolean).join(', ')
}

/** What is said of a cause below its name: each a sentence fragment. */
export function causeFacts(teller: Teller, entry: CauseEntry): string[] {
  const { dress } = teller
  const facts = [`${span(teller, entry.first, entry.last)}, ${countsText(entry)}`]
  if (entry.failed + entry.masked + entry.other > 1) {
    const width = entry.peak.minutes === 1 ? '' : ` in ${entry.peak.minutes} minutes`
    facts.push(`most at ${minute(teller, entry.peak.at)}: ${grouped(entry.peak.count)}${width}`)
  }
  const { shown, more } = entry.addresses
  if (shown.length > 0) {
    const names = shown
      .slice(0, 5)
      .map(
        ({ address, pod, documents }) =>
          `${dress.text(address)}${pod === null ? '' : ` ${dress.text(pod)}`} (${grouped(documents)})`
      )
    const rest = more + Math.max(0, shown.length - 5)
    facts.push(`blamed: ${names.join(', ')}${rest > 0 ? `, ${grouped(rest)} more` : ''}`)
  }
  if (entry.statuses.length > 0)
    facts.push(
      `clients saw ${entry.statuses
        .slice(0, 5)
        .map(({ status, count }) => `${String(status).padStart(3, '0')} (${grouped(count)})`)
        .join(', ')}`
    )
  facts.push(
    `${percent(Math.round(entry.toldByErrorLine * 1e6), 1e6)} told by an error line, mean confidence ${entry.confidence.toFixed(2)}`
  )
  return facts
}

/** What the evidence of the examples says, and where it stands. */
export function evidenceOf(entry: CauseEntry): { ref: string; text: string }[] {
  return entry.examples.flatMap(({ evidence }) =>
    evidence.map(({ ref, text, count }) => ({ ref, text: count > 1 ? `${text} (${count} times)` : text }))
  )
}

export interface WhyStory {
  /** `shop/cart-7d9f-x was OOM-killed at 10:02:11 (limit 256Mi), 38 failures until 10:02:29 (confidence 0.93)`. */
  text: string
  advice: string
  evidence: string[]
}

/** What was wrong in the cluster. */
export function whyOf(teller: Teller, entry: CauseEntry): WhyStory[] {
  const { dress, clock } = teller
  return entry.rootCauses.shown.map(
    ({ rootCause, documents, first, last, until, sentence, advice, confidence, evidence, id }) => {
      const end = until !== null && until >= last ? ` until it answered again at ${at(teller, until)}` : ''
      const times = end === '' ? `, ${span(teller, first, last)}` : end
      const sure = confidence === null ? '' : ` (confidence ${confidence.toFixed(2)})`
      const zone = clock.zone === 'UTC' ? '' : ' (times in this sentence are UTC)'
      return {
        text: `${dress.text(sentence)}${zone}; ${plural(documents, 'failure')}${times}${sure}`,
        advice: `${dress.text(advice)}; ${dress.code(`why5xx causes ${rootCause}`)}, ${dress.code(`why5xx fix ${id}`)}`,
        evidence
      }
    }
  )
}

/** What the story is about: causes of failed and saved requests where there are some. */
export function toldCauses({ timeline: { causes, course } }: Teller): CauseEntry[] {
  return course.basis === 'other' ? causes.shown : causes.shown.filter(({ failed, masked }) => failed + masked > 0)
}

/** What the figures do not cover. */
export function caveats(teller: Teller): string[] {
  const { timeline, dress } = teller
  const { window, data, silences, gaps, rejects, causes, routes, clients } = timeline
  const lines: string[] = []
  if (window !== null && data !== null) {
    const before = (Date.parse(data.from) - Date.parse(window.from)) / 60_000
    const after = (Date.parse(window.to) - Date.parse(data.to)) / 60_000
    if (before >= 1) lines.push(`the first ${durationText(before)} of the window hold nothing: no data, or no traffic`)
    if (after >= 1) lines.push(`the last ${durationText(after)} of the window hold nothing: no data, or no traffic`)
  }
  if (silences.minutes > 0) {
    const count = silences.shown.length + silences.more
    const longest = silences.shown.reduce((most, one) => Math.max(most, one.minutes), 0)
    lines.push(
      `${plural(silences.minutes, 'minute')} without any request between minutes with requests${count > 1 ? ` (${grouped(count)} times, the longest ${durationText(longest)})` : ''}: whether data or traffic is missing cannot be told`
    )
  }
  for (const gap of gaps.shown.slice(0, 10))
    lines.push(`${at(teller, gap.at)} ${dress.text(gap.name)}: ${dress.text(gap.text)}`)
  const moreGaps = gaps.more + Math.max(0, gaps.shown.length - 10)
  if (moreGaps > 0) lines.push(`${plural(moreGaps, 'more gap')} in the sources`)
  for (const { code, count } of rejects.slice(0, 10))
    lines.push(`${plural(count, 'line')} not understood (${dress.text(code)})`)
  if (causes.more > 0) lines.push(`${grouped(causes.more)} more causes at upstreams: ${countsText(causes.rest)}`)
  if (routes.areShortened) lines.push('there are too many routes to keep apart: their paths are cut')
  if (clients.areNetworks) lines.push('there are too many clients to keep apart: networks are counted')
  return lines
}

/** `Nothing listened on the pod's port.` */
export function titleOf({ cause }: CauseEntry): string {
  const { title: what } = causeTable[cause]
  return `${what[0]!.toUpperCase()}${what.slice(1)}.`
}

/** How the words above are meant. */
export const DEFINITIONS = [
  'Failed is 5xx, 000 and 009 at a client’s access line.',
  'A minute is raised when at least a tenth of the peak minute’s failures fall into it: onset is the begin of the first raised minute, recovery the end of the last one, if five minutes of data follow.',
  'A cause is gone when nothing came of it for five minutes.',
  'In routes, digits, UUIDs and long hex are :id.'
]
