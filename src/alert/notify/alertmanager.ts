/**
 * One Alertmanager, by its API v2. It forgets what nobody repeats, so all that is open is sent again every minute and ends
 * six minutes after the last time. Several that form a cluster are told each: they agree among themselves who notifies.
 */

import type { Notice } from '../notice.ts'
import { isHttpUrl } from './messageText.ts'
import { ANSWER_MS, post } from './post.ts'
import type { Delivery, Receiver } from './receiver.ts'

const REPEAT_MS = 60_000
/**
 * What is not repeated within this time is over. A restart must fit, or whoever is on call gets an end and a second page: up to
 * 1 min since the last repetition, 0.5 min to stop, 2 min until the next process runs on another node, 1 min to load what was
 * open, which is then repeated before anything is read, and 1 min for one try that fails. Longer, and the alerts of a program
 * that is gone for good would stay.
 */
const OPEN_MS = 360_000

export interface AlertmanagerOptions {
  name: string
  /** With the path prefix, if it has one. */
  url: URL
  /** Value of the header `authorization`; null: none. */
  authorization: string | null
  /** What `authorization` is made of: hidden in answers. */
  secrets: readonly string[]
  answerMs?: number
  clock?: () => number
}

type Labels = Readonly<Record<string, string>>

export interface Alert {
  labels: Labels
  annotations: Readonly<Record<string, string>>
  startsAt: string
  endsAt: string
  generatorURL?: string
}

export class AlertmanagerReceiver implements Receiver {
  readonly name: string
  readonly repeatMs = REPEAT_MS
  readonly #options: AlertmanagerOptions
  readonly #url: URL
  readonly #clock: () => number
  /** By key, as they were told first: they are an alert's identity, and a service may get its name while it fails. */
  readonly #labels = new Map<string, Labels>()

  constructor(options: AlertmanagerOptions) {
    this.name = options.name
    this.#options = options
    this.#url = new URL(options.url)
    this.#url.pathname = `${options.url.pathname.replace(/\/+$/, '')}/api/v2/alerts`
    this.#clock = options.clock ?? Date.now
  }

  wants(severity: Notice['severity']): boolean {
    return severity !== 'none'
  }

  async send(notices: readonly Notice[], signal: AbortSignal): Promise<Delivery> {
    const { authorization, secrets, answerMs = ANSWER_MS } = this.#options
    const nowMs = this.#clock()
    const delivery = await post({
      url: this.#url,
      headers: authorization === null ? {} : { authorization },
      body: JSON.stringify(notices.flatMap(notice => this.#alertsOf(notice, nowMs))),
      signal,
      secrets,
      answerMs
    })
    if (delivery.kind === 'taken')
      for (const notice of notices) {
        if (notice.kind === 'resolved') this.#labels.delete(notice.key)
        else this.#labels.set(notice.key, this.#labelsOf(notice))
      }
    return delivery
  }

  async close(): Promise<void> {}

  #labelsOf(notice: Notice): Labels {
    const labels = labelsOf(notice)
    const { alertname, severity } = labels
    return { ...(this.#labels.get(notice.key) ?? labels), alertname: alertname!, severity: severity! }
  }

  /** Two where it has become worse: the alert with the former severity ends, so that it is not open beside the new one. */
  #alertsOf(notice: Notice, nowMs: number): Alert[] {
    const labels = this.#labelsOf(notice)
    const former = this.#labels.get(notice.key) ?? labels
    const alert = alertOf(notice, labels, nowMs)
    if (former.severity === labels.severity && former.alertname === labels.alertname) return [alert]
    return [alertOf({ ...notice, kind: 'resolved' }, former, nowMs), alert]
  }
}

/**
 * As Alertmanager has them: no empty ones. Together they are an alert's identity, so `upstream` is one of them: two ports of a
 * service are two incidents, and the end of one must not end the other. Numbers would make a new alert of every change.
 */
export function labelsOf(notice: Notice): Labels {
  return textsOf({
    alertname: notice.alertname,
    cluster: notice.cluster,
    namespace: notice.namespace,
    service: notice.service,
    upstream: notice.upstream,
    cause: notice.cause,
    severity: notice.severity
  })
}

export function alertOf(notice: Notice, labels: Labels, nowMs: number): Alert {
  const sinceMs = Date.parse(notice.since)
  const startMs = Number.isNaN(sinceMs) ? nowMs : sinceMs
  // Alertmanager refuses what ends before it starts; record time may be ahead of ours.
  const endMs = notice.kind === 'resolved' ? Math.max(nowMs, startMs) : Math.max(nowMs, startMs) + OPEN_MS
  return {
    labels,
    annotations: annotationsOf(notice),
    startsAt: new Date(startMs).toISOString(),
    endsAt: new Date(endMs).toISOString(),
    ...(isReadable(notice.link) ? { generatorURL: new URL(notice.link).href } : {})
  }
}

/** Alertmanager checks this one address as Go reads it, and refuses all that comes with a wrong one. */
function isReadable(link: string): boolean {
  return isHttpUrl(link) && !/%(?![0-9a-f]{2})/i.test(link)
}

function annotationsOf(notice: Notice): Labels {
  const { example, grouped } = notice
  return textsOf({
    summary: notice.title,
    description: notice.text,
    numbers: notice.numbers,
    why: notice.why,
    advice: notice.rootCause?.advice ?? null,
    example: example === null ? null : `${example.request} at ${example.time}, ${example.id}`,
    changes: notice.changes.map(({ at, text }) => `${at} ${text}`).join('\n'),
    grouped: grouped === null ? null : grouped.members.map(({ title }) => title).join('\n'),
    incident: notice.key,
    link: notice.link,
    [isHttpUrl(notice.runbook) ? 'runbook_url' : 'runbook']: notice.runbook
  })
}

function textsOf(values: Record<string, string | null>): Labels {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])))
}
