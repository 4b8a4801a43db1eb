/** What a report begins with: the whole of it in a few sentences, and the facts that are looked up. */

import { causeTable } from '../../parsers/causes.ts'
import { durationText, grouped, percent, plural } from '../text.ts'
import { at, minute, momentText, type Teller, toldCauses, upstreamText, windowText } from './story.ts'

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
