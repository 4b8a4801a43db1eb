/** Onset, causes, controllers, gaps and recovery as one list by time. */

import { grouped, plural } from '../text.ts'
import { endText, openingText } from './incidentStory.ts'
import type { ControllerEvent, RootCauseEntry, Time } from './model.ts'
import { at, countsText, minute, momentText, span, type Teller, toldCauses, upstreamText } from './story.ts'

export interface Entry {
  time: Time
  /** As printed; times known to the minute have no seconds. */
  clock: string
  kind: 'course' | 'incident' | 'cause' | 'cluster' | 'controller' | 'gap'
  text: string
}

const INCIDENTS_SHOWN = 20
const EPISODES_SHOWN = 30
const CONTROLLER_SHOWN = 30
const ROOT_CAUSES_SHOWN = 20
const SILENCES_SHOWN = 10
const GAPS_SHOWN = 10

/** Oldest first; what is left out is said at the end. */
export function chronicle(teller: Teller): { entries: Entry[]; leftOut: string[] } {
  const leftOut: string[] = []
  const cut = <T>(items: T[], max: number, size: (item: T) => number, word: string): T[] => {
    if (items.length <= max) return items
    leftOut.push(plural(items.length - max, `more ${word}`))
    return [...items].sort((a, b) => size(b) - size(a)).slice(0, max)
  }
  const { timeline, dress } = teller
  const { course } = timeline
  const entries: Entry[] = courseEntries(teller)
  for (const incident of cut(timeline.incidents.shown, INCIDENTS_SHOWN, one => one.failures, 'incident')) {
    const add = (time: Time | null, text: string): void => {
      const { window } = timeline
      if (time === null || window === null || time < window.from || time > window.to) return
      entries.push({ time, clock: minute(teller, time), kind: 'incident', text })
    }
    add(incident.start, openingText(teller, incident))
    add(incident.end, endText(teller, incident))
  }
  const episodes = toldCauses(teller).flatMap(cause =>
    cause.episodes.shown
      .filter(episode => course.basis === 'other' || episode.failed + episode.masked > 0)
      .map(episode => ({ cause, episode }))
  )
  const size = ({ episode }: (typeof episodes)[number]): number => episode.failed * 1e6 + episode.masked + episode.other
  for (const { cause, episode } of cut(episodes, EPISODES_SHOWN, size, 'episode')) {
    const until = at(teller, episode.to) === at(teller, episode.from) ? '' : ` until ${at(teller, episode.to)}`
    const text = `${cause.cause} at ${upstreamText(teller, cause.upstream)}${until}: ${countsText(episode)}`
    entries.push({ time: episode.from, clock: at(teller, episode.from), kind: 'cause', text })
  }
  const began = toldCauses(teller).flatMap(cause => cause.rootCauses.shown.filter(one => one.at !== null))
  for (const { at: time, sentence, rootCause } of cut(
    unique(began),
    ROOT_CAUSES_SHOWN,
    one => one.documents,
    'root cause'
  ))
    entries.push({
      time: time!,
      clock: at(teller, time!),
      kind: 'cluster',
      text: `cluster: ${dress.text(sentence)} (${dress.text(rootCause)})`
    })
  const events = timeline.controller.shown.filter(isTold)
  for (const event of cut(events, CONTROLLER_SHOWN, () => 0, 'controller event')) {
    entries.push({
      time: event.from,
      clock: at(teller, event.from),
      kind: 'controller',
      text: eventText(teller, event)
    })
  }
  for (const silence of cut(timeline.silences.shown, SILENCES_SHOWN, item => item.minutes, 'silence')) {
    const text = `no request for ${plural(silence.minutes, 'minute')}: no data, or no traffic`
    entries.push({ time: silence.from, clock: minute(teller, silence.from), kind: 'gap', text })
  }
  for (const gap of cut(timeline.gaps.shown, GAPS_SHOWN, item => item.bytes ?? 0, 'gap')) {
    const text = `gap in ${dress.text(gap.name)}: ${dress.text(gap.text)}`
    entries.push({ time: gap.at, clock: at(teller, gap.at), kind: 'gap', text })
  }
  // Of equal times the course comes first: sorting is stable.
  return { entries: entries.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), leftOut }
}

/** One pod's end shows as several causes: it is told once. */
function unique(entries: readonly RootCauseEntry[]): RootCauseEntry[] {
  return [...new Map(entries.map(entry => [`${entry.at} ${entry.sentence}`, entry])).values()]
}

function courseEntries(teller: Teller): Entry[] {
  const { window, data, course, documents } = teller.timeline
  const entries: Entry[] = []
  const add = (time: Time, text: string, clock = minute(teller, time)): void => {
    entries.push({ time, clock, kind: 'course', text })
  }
  if (window !== null && data !== null && data.from > window.from) add(data.from, 'Data begins')
  const { first, warning, onset, peak, recovery } = course
  if (warning !== null)
    add(warning.at, `First warning: ${momentText(teller, warning)}, saved by a retry`, at(teller, warning.at))
  if (first !== null)
    add(
      first.at,
      `First${course.basis === 'failed' ? ' failure' : ''}: ${momentText(teller, first)}`,
      at(teller, first.at)
    )
  const isSingle = course.basis !== null && documents[course.basis] === 1
  if (first !== null && onset !== null && peak !== null && !isSingle) {
    // What is known to the minute comes behind what began it.
    const notBefore = (time: Time): Time => (time < first.at ? first.at : time)
    const of = peak.requests === null ? '' : ` of ${plural(peak.requests, 'request')}`
    const width = peak.minutes === 1 ? '' : ` in ${peak.minutes} minutes`
    add(notBefore(onset), 'Onset', minute(teller, onset))
    add(notBefore(peak.at), `Peak: ${grouped(peak.count)}${of}${width}`, minute(teller, peak.at))
    if (recovery !== null) add(recovery, 'Recovery')
  }
  if (data !== null && recovery === null && onset !== null) add(data.to, 'Data ends, not recovered')
  else if (window !== null && data !== null && data.to < window.to) add(data.to, 'Data ends')
  return entries
}

/** That a reload is needed is told by the reload that follows. */
export function isTold(event: ControllerEvent): boolean {
  return event.kind !== 'reload_required'
}

/** `Backend successfully reloaded (3 times until 10:04:11, 2 controllers)`. */
function eventText(teller: Teller, event: ControllerEvent): string {
  const more: string[] = []
  if (event.count > 1)
    more.push(
      event.from === event.to
        ? plural(event.count, 'time')
        : `${plural(event.count, 'time')}, ${span(teller, event.from, event.to)}`
    )
  if (event.pods > 1) more.push(`${grouped(event.pods)} controllers`)
  return `controller: ${teller.dress.text(event.message)}${more.length === 0 ? '' : ` (${more.join('; ')})`}`
}
