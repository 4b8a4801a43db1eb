/** The sentences of a notice: how bad, since when, why, an example, where to read on, and last what changed before. */

import { clip, durationText, percent, plural, grouped as thousands } from '../text.ts'
import { MINUTE_MS } from './finding.ts'
import type { IncidentGroup, Notice } from './notice.ts'

const TEXT_CHARS_MAX = 3_000
const MEMBERS_SHOWN = 10
/** Together they leave room for what the text ends with. */
const LINE_CHARS_MAX = 420
const ADVICE_CHARS_MAX = 200
const EXAMPLE_CHARS_MAX = 300
const NAME_CHARS_MAX = 100
const LINK_CHARS_MAX = 300
const CHANGE_CHARS_MAX = 120

/** Everything in `notice` is safe already; `text` is what this makes. */
export function noticeBody(notice: Notice, { head, members }: IncidentGroup): string {
  const { kind, grouped, why, example } = notice
  const lines = kind === 'resolved' ? resolvedLines(notice) : openLines(notice, head.detectedMs)
  const silent = members.filter(({ cause }) => cause === 'no_requests').length
  if (kind !== 'resolved' && notice.cause === 'no_requests' && silent > 0)
    lines.push(
      'Other services fell silent, too: if their lines do not arrive any more, look at what ships the logs first.'
    )
  if (notice.masked > 0) lines.push(maskedText(notice))
  lines.push(why === null ? 'Why: not known.' : `Why: ${why}`)
  if (notice.rootCause?.advice) lines.push(clip(`What to do: ${notice.rootCause.advice}`, ADVICE_CHARS_MAX))
  if (example !== null) lines.push(clip(exampleText(example), EXAMPLE_CHARS_MAX))
  const last = `\n${lastLines(notice).join('\n')}`
  const together = grouped === null ? [] : [`Told together (${togetherText(grouped)}):`]
  for (let shown = Math.min(members.length, MEMBERS_SHOWN); ; shown--) {
    const listed = (grouped?.members ?? []).slice(0, shown).map(({ title }) => `- ${title}`)
    const more = members.length - shown
    if (more > 0) listed.push(shown === 0 ? `- ${plural(more, 'incident')}` : `- and ${thousands(more)} more`)
    const text = [...lines.map(line => clip(line, LINE_CHARS_MAX)), ...together, ...listed].join('\n')
    const room = TEXT_CHARS_MAX - last.length
    // What it ends with is never what is cut.
    if (text.length <= room || shown <= 0) return `${clip(text, room)}${last}`
  }
}

function openLines(notice: Notice, detectedMs: number): string[] {
  const { cause, causeTitle, service, numbers, since, status, kind, failures, peakPerMinute } = notice
  const seen = status === null || cause === 'no_requests' ? '' : `, status ${status}`
  const lines = [`${cause} on ${clip(service, NAME_CHARS_MAX)} (${causeTitle})${seen}: ${numbers}.`]
  const detected = instant(new Date(detectedMs).toISOString())
  const inAll = `${plural(failures, 'failure')} in all, at most ${thousands(peakPerMinute)} a minute`
  if (kind === 'update' && cause !== 'no_requests') lines.push(`Since ${instant(since)}: ${inAll}.`)
  else lines.push(`Since ${instant(since)}, detected ${detected}${extentText(notice)}.`)
  return lines
}

/** `: 32 % of the requests in 1 min, 484 failures in all by now`: what numbers against what is normal do not say. */
function extentText({ cause, windows, failures }: Notice): string {
  const [window] = [...windows].sort((a, b) => a.pValue - b.pValue || a.minutes - b.minutes)
  if (cause === 'no_requests' || window === undefined) return ''
  const share =
    window.requests > 0 ? `: ${percent(window.failures, window.requests)} of the requests in ${window.minutes} min` : ''
  // A message may come late.
  const more =
    failures > window.failures ? `${share === '' ? ': ' : ', '}${plural(failures, 'failure')} in all by now` : ''
  return `${share}${more}`
}

function resolvedLines(notice: Notice): string[] {
  const { cause, causeTitle, title, since, until, failures, requests, peakPerMinute } = notice
  const minutes = until === null ? 0 : (Date.parse(until) - Date.parse(since)) / MINUTE_MS
  // With the services that were told together: the numbers are those of all.
  const what = `${clip(title.replace(/^resolved: /, ''), 2 * NAME_CHARS_MAX)} (${causeTitle})`
  const span = until === null ? `since ${instant(since)}` : `${instant(since)} to ${instant(until)}`
  const lines = [`Resolved after ${durationText(minutes)}: ${what}, ${span}.`]
  if (cause !== 'no_requests')
    lines.push(
      `${plural(failures, 'failure')} in all, of ${plural(requests, 'request')}; at most ${thousands(peakPerMinute)} a minute.`
    )
  return lines
}

function maskedText({ masked, failures }: Notice): string {
  if (masked >= failures) return `Retries saved all of them: no client saw one.`
  return `Retries saved ${thousands(masked)} of ${thousands(failures)}.`
}

function exampleText({ request, status, address, pod, time, id }: NonNullable<Notice['example']>): string {
  const answer = status === null ? '' : ` → ${status}`
  const upstream = [address, pod === null ? null : `pod ${pod}`].filter(text => text !== null).join(', ')
  return `Example: ${request}${answer}${upstream === '' ? '' : ` (${upstream})`} at ${time}, failure ${id}`
}

function lastLines({ runbook, link, changes }: Notice): string[] {
  const lines: string[] = []
  // Half an address or half a command is none.
  if (runbook !== link && runbook.length <= LINK_CHARS_MAX) lines.push(`Runbook: ${runbook}`)
  if (link.length <= LINK_CHARS_MAX) lines.push(`More: ${link}`)
  if (changes.length > 0)
    lines.push('Changed before:', ...changes.map(({ text }) => `- ${clip(text, CHANGE_CHARS_MAX)}`))
  return lines
}

function togetherText({ by, key }: NonNullable<Notice['grouped']>): string {
  const name = clip(key, NAME_CHARS_MAX)
  if (by === 'service') return 'causes of one service'
  if (by === 'cause') return `the same cause, ${name}`
  return by === 'node' ? `pods on node ${name}` : `through controller ${name}`
}

function instant(time: string): string {
  return time.replace(/\.000Z$/, 'Z')
}
