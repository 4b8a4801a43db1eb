/** Runs the spike detector over labelled series and says how often it was right: by events, not by minutes. */

import type { Profile } from '../src/alert/alerting.ts'
import { SpikeDetector } from '../src/alert/detector.ts'
import type { LabelledIncident, LabelledService } from './alertSeries.ts'

/** An alert that overlaps an incident, or the five minutes behind it, is about it. */
const AFTER_MINUTES = 5
/** Firing again by then continues the same incident, and tells nobody. */
const CONTINUES_MINUTES = 30
/** Shorter ones need not be found. */
const INCIDENT_MINUTES_MIN = 3

/** Any minute since the epoch. */
const BEGIN = 29_000_000

interface Alert {
  detected: number
  end: number
}

export interface Score {
  alerts: number
  rightAlerts: number
  incidents: number
  found: number
  seriesDays: number
  /** Minutes from an incident's first to the end of the one in which it was found. */
  delays: number[]
}

export function score(services: readonly LabelledService[], profile: Profile): Score {
  const alerts = alertsOf(services, profile)
  const total: Score = { alerts: 0, rightAlerts: 0, incidents: 0, found: 0, seriesDays: 0, delays: [] }
  for (const { upstream, causes, requests } of services)
    for (const { cause, incidents } of causes) {
      const own = alerts.get(`${upstream} ${cause}`) ?? []
      total.seriesDays += requests.length / 1440
      total.alerts += own.length
      total.rightAlerts += own.filter(alert => incidents.some(incident => isAbout(alert, incident))).length
      for (const incident of incidents) {
        if (incident.end - incident.start + 1 < INCIDENT_MINUTES_MIN) continue
        total.incidents += 1
        const first = own.find(alert => isAbout(alert, incident))
        if (first === undefined) continue
        total.found += 1
        total.delays.push(Math.max(0, first.detected + 1 - incident.start))
      }
    }
  return total
}

export function sumOf(scores: readonly Score[]): Score {
  const total: Score = { alerts: 0, rightAlerts: 0, incidents: 0, found: 0, seriesDays: 0, delays: [] }
  for (const one of scores) {
    total.alerts += one.alerts
    total.rightAlerts += one.rightAlerts
    total.incidents += one.incidents
    total.found += one.found
    total.seriesDays += one.seriesDays
    total.delays.push(...one.delays)
  }
  return total
}

export function figuresOf(
  total: Score
): Record<'precision' | 'recall' | 'falseAlarms' | 'delayP50' | 'delayP90', number> {
  const delays = [...total.delays].sort((one, other) => one - other)
  const at = (share: number) => delays[Math.floor((delays.length - 1) * share)] ?? Number.NaN
  return {
    precision: total.rightAlerts / total.alerts,
    recall: total.found / total.incidents,
    falseAlarms: (total.alerts - total.rightAlerts) / total.seriesDays,
    delayP50: at(0.5),
    delayP90: at(0.9)
  }
}

function isAbout(alert: Alert, incident: LabelledIncident): boolean {
  return alert.detected <= incident.end + AFTER_MINUTES && alert.end >= incident.start
}

/** By `upstream cause`, in order. */
function alertsOf(services: readonly LabelledService[], profile: Profile): Map<string, Alert[]> {
  const detector = new SpikeDetector({ profile })
  const alerts = new Map<string, Alert[]>()
  const minutes = services[0]!.requests.length
  for (let minute = 0; minute < minutes; minute += 1) {
    for (const { upstream, requests, causes } of services) {
      detector.addRequests(upstream, BEGIN + minute, requests[minute]!)
      for (const { cause, failures } of causes) detector.addFailures(upstream, cause, BEGIN + minute, failures[minute]!)
    }
    for (const finding of detector.advance(BEGIN + minute + 1)) {
      const key = `${finding.upstream} ${finding.cause}`
      const own = alerts.get(key) ?? []
      alerts.set(key, own)
      const last = own.at(-1)
      if (finding.kind === 'fired' && (last === undefined || minute > last.end + CONTINUES_MINUTES))
        own.push({ detected: minute, end: minute })
      else last!.end = minute
    }
  }
  return alerts
}
