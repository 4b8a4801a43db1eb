/** What Markdown and HTML both say, in the order a postmortem tells it; only the dress differs. */

import { causeTable } from '../../parsers/causes.ts'
import type { ClockText } from '../explain/clockText.ts'
import { grouped, percent, plural } from '../text.ts'
import type { CauseEntry, DocumentCounts, Moment, Time, Timeline } from './model.ts'

/** How text becomes part of a page. Our own words need no escape in any dress. */
export interface Dress {
  /** Text of other people's: log lines, names, paths. */
  text(data: string): string
  /** The same where it is quoted to the letter. */
  code(data: string): string
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

/** The whole of it in a few sentences. */
export function summary(teller: Teller): string[] {
  const { timeline } = teller
  const { course, documents, causes, requests, failed } = timeline
  if (timeline.instead !== null) return emptyText(teller)
  const [top] = causes.shown
  if (course.basis === null || top === undefined) {
    const of = timeline.filters.causes.length === 0 ? '' : ` by ${timeline.filters.causes.join(' or ')}`
    const rest = of !== '' && failed > 0 ? ` ${grouped(failed)} failed by other causes.` : ''
    return [
      `${requests === 0 ? 'No request is known, and none failed' : `None of ${plural(requests, 'request')} failed`}${of}.${rest}`
    ]
  }
  const sum = documents[course.basis]
  const sentences: string[] = []
  if (course.basis === 'failed') {
    const whole = requests > 0 ? ` of ${grouped(requests)}` : ''
    const share = requests > 0 ? ` (${percent(sum, requests)})` : ''
    sentences.push(sum === 1 ? `One request${whole} failed.` : `${grouped(sum)}${whole} requests failed${share}.`)
    if (documents.masked > 0)
      sentences.push(`${plural(documents.masked, 'more request was', 'more requests were')} saved by a retry.`)
  } else {
    sentences.push('No request failed.')
    sentences.push(
      course.basis === 'masked'
        ? `${plural(sum, 'request was', 'requests were')} saved by a retry: clients saw nothing, but something broke.`
        : `${plural(sum, 'request')} ended otherwise: left by the client, refused by nginx, unknown hosts, answers that broke off.`
    )
  }
  const { title: what } = causeTable[top.cause]
  const most = top[course.basis]
  const share =
    most === sum
      ? sum === 1
        ? 'Its cause'
        : 'The cause'
      : `The most frequent of ${grouped(toldCauses(teller).length + causes.more)} causes`
  sentences.push(
    `${share}: ${top.cause} at ${upstreamText(teller, top.upstream)}${most === sum ? '' : ` (${grouped(most)})`}, ${what}.`
  )
  if (sum > 1) sentences.push(courseText(teller))
  return sentences
}

function courseText(teller: Teller): string {
  const { onset, peak, recovery, last } = teller.timeline.course
  if (onset === null || peak === null) return ''
  const width = peak.minutes === 1 ? 'in one minute' : `in ${peak.minutes} minutes`
  const worst =
    onset === peak.at
      ? `It began at ${minute(teller, onset)}, at its worst from the start with ${grouped(peak.count)} ${width}`
      : `It began at ${minute(teller, onset)}, was worst at ${minute(teller, peak.at)} with ${grouped(peak.count)} ${width}`
  if (recovery === null) return `${worst}, and ${notRecovered(teller)}.`
  const isOver = last === null || last.at < recovery
  const end = isOver ? 'was over' : 'was mostly over'
  return `${worst}, and ${end} at ${minute(teller, recovery)}${isOver ? '' : ` (the last at ${at(teller, last.at)})`}.`
}

function notRecovered(teller: Teller): string {
  const { data, window } = teller.timeline
  const end = data === null ? '' : ` (${minute(teller, data.to)})`
  return `had not recovered by the end of the ${data?.to === window?.to ? 'window' : 'data'}${end}`
}

function emptyText(teller: Teller): string[] {
  const { timeline, dress } = teller
  const { instead, filters, window } = timeline
  const who = filters.services.length === 0 ? '' : ` of ${filters.services.map(dress.text).join(', ')}`
  const sentences = [`Nothing is known${who}${window === null ? '' : ' in this window'}: no request, no failure.`]
  for (const { service, upstream } of instead!.nearest.slice(0, 3)) {
    if (upstream !== null && upstream !== service)
      sentences.push(`Did you mean ${dress.text(upstream)} instead of ${dress.text(service)}?`)
  }
  const { shown, more } = instead!.upstreams
  if (shown.length > 0 && who !== '')
    sentences.push(
      `Upstream names in the window: ${shown.map(dress.text).join(', ')}${more > 0 ? `, ${grouped(more)} more` : ''}.`
    )
  if (instead!.span !== null) {
    const { from, to } = instead!.span
    const [fromMs, toMs] = [Math.floor(Date.parse(from) / 60_000) * 60_000, Math.ceil(Date.parse(to) / 60_000) * 60_000]
    const flag = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`
    sentences.push(
      `The store holds ${teller.clock.fullMinute(fromMs)} to ${teller.clock.fullMinute(toMs)} ${teller.clock.zone}: ${dress.code(`--from ${flag(fromMs)} --to ${flag(toMs)}`)} shows it.`
    )
  } else if (shown.length === 0) sentences.push('There is no data at all.')
  return sentences
}

/** The facts that a reader looks up, name and text. */
export function keyFacts(teller: Teller): [name: string, text: string][] {
  const { timeline } = teller
  const { course, data, documents, filters, requests, failed, share } = timeline
  const facts: [string, string][] = [['Window', windowText(teller)]]
  if (filters.causes.length > 0) facts.push(['Only causes', filters.causes.join(', ')])
  if (timeline.instead !== null) return facts
  facts.push(['Requests', grouped(requests)])
  facts.push([
    'Failed',
    `${grouped(failed)}${share === null ? '' : ` (${percent(failed, requests)})`}${filters.causes.length > 0 ? ', of any cause' : ''}`
  ])
  if (timeline.masked > 0) facts.push(['Saved by a retry', grouped(timeline.masked)])
  if (timeline.clientClosed > 0) facts.push(['Left by the client', grouped(timeline.clientClosed)])
  if (course.first !== null)
    facts.push([
      course.basis === 'failed' ? 'First failure' : 'First',
      `${at(teller, course.first.at)}: ${momentText(teller, course.first)}`
    ])
  if (course.onset !== null && course.peak !== null) {
    facts.push(['Onset', minute(teller, course.onset)])
    const of =
      course.peak.requests === null
        ? ''
        : ` of ${plural(course.peak.requests, 'request')} (${percent(course.peak.count, course.peak.requests)})`
    const width = course.peak.minutes === 1 ? '' : ` in ${course.peak.minutes} minutes`
    facts.push(['Peak', `${minute(teller, course.peak.at)}: ${grouped(course.peak.count)}${of}${width}`])
    if (course.recovery === null) facts.push(['Recovery', notRecovered(teller).replace('had not', 'not')])
    else {
      const minutes = (Date.parse(course.recovery) - Date.parse(course.onset)) / 60_000
      facts.push(['Recovery', `${minute(teller, course.recovery)}, ${durationText(minutes)} after the onset`])
    }
  }
  if (course.basis === 'failed' && documents.failed > 1)
    facts.push(['Last failure', `${at(teller, course.last!.at)}: ${momentText(teller, course.last!)}`])
  if (data !== null) facts.push(['Data', `${minute(teller, data.from)} - ${minute(teller, data.to)}`])
  return facts
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

/** `45 min`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(minutes: number): string {
  const rounded = Math.round(minutes)
  if (rounded < 60) return `${rounded} min`
  const hours = Math.floor(rounded / 60)
  if (hours < 48) return rounded % 60 === 0 ? `${hours} h` : `${hours} h ${rounded % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
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
