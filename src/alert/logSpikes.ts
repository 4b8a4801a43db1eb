/**
 * Spikes in the counts of a log: its minutes are played to the detector one after the other, as if they had come live. A log
 * that is too short for the detector is compared with its own median instead.
 */

import type { Profile } from './alerting.ts'
import { SpikeDetector } from './detector.ts'
import type { Finding } from './finding.ts'
import { baselineOf, canFire, type IncidentBaseline, type LogCounts, type LogPart } from './logParts.ts'
import { shortLogFindings } from './shortLog.ts'

export interface LogSpikes {
  baseline: IncidentBaseline
  parts: readonly LogPart[]
  /** Oldest first. */
  findings: Finding[]
}

/** `parts`: of the log, as `partsOf` tells them. */
export function findSpikes(log: LogCounts, parts: readonly LogPart[], profile: Profile): LogSpikes {
  const baseline = baselineOf(parts)
  if (baseline === null) return { baseline, parts, findings: [] }
  const findings =
    baseline === 'history'
      ? historyFindings(log, parts, profile)
      : parts.flatMap(part => shortFindings(log, part, profile))
  return { baseline, parts, findings }
}

/** Of a log that is long enough for the detector, oldest first. */
function historyFindings({ requests, failures }: LogCounts, parts: readonly LogPart[], profile: Profile): Finding[] {
  const detector = new SpikeDetector({ profile })
  return parts
    .flatMap(({ minutes }) => minutes)
    .flatMap(minute => {
      for (const [upstream, minutes] of requests) detector.addRequests(upstream, minute, minutes.get(minute) ?? 0)
      for (const { upstream, cause, minutes } of failures) {
        const failed = minutes.get(minute)
        if (failed !== undefined) detector.addFailures(upstream, cause, minute, failed)
      }
      return detector.advance(minute + 1)
    })
}

/** Of a short part, oldest first. */
function shortFindings(log: LogCounts, { from, to }: LogPart, profile: Profile): Finding[] {
  const requests = new Map<string, Float64Array>()
  const found = log.failures.filter(canFire).flatMap(({ upstream, cause, minutes }) => {
    const failures = new Float64Array(to - from)
    for (const [minute, failed] of minutes) if (minute >= from && minute < to) failures[minute - from] = failed
    if (failures.every(count => count === 0)) return []
    let counts = requests.get(upstream)
    if (counts === undefined) {
      requests.set(upstream, (counts = new Float64Array(to - from)))
      for (const [minute, count] of log.requests.get(upstream) ?? [])
        if (minute >= from && minute < to) counts[minute - from] = count
    }
    return shortLogFindings({ upstream, cause, fromMinute: from, failures, requests: counts }, profile)
  })
  return found.sort((a, b) => a.minute - b.minute)
}
