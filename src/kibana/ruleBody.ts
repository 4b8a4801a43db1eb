/**
 * Rules on incidents, for whoever alerts by Kibana instead of Alertmanager or webhooks: the statistics are ours, a rule only looks
 * whether an incident is open. Pure but for a hash.
 */

import { createHash } from 'node:crypto'
import { besideTotals } from '../store/esql.ts'
import { idIn, type KibanaObject, markOf, markText } from './object.ts'

interface Rule {
  /** Part of its id. */
  name: string
  title: string
  severity: 'page' | 'ticket'
}

export const RULES: readonly Rule[] = [
  { name: 'incidents-page', title: 'why5xx: requests fail', severity: 'page' },
  { name: 'incidents-ticket', title: 'why5xx: retries save requests that fail', severity: 'ticket' }
]

/**
 * An open incident is written every minute, with the end of the last minute judged as its `@timestamp`. One that was not for so long
 * has nobody who watches it; shorter, and a worker that is behind its logs would end alerts of what still fails.
 */
const WINDOW_HOURS = 1
const ROWS = 100

/** `hasRows`: Kibana 9.1 and later alert for each row by itself, older ones once for all of them. */
export function ruleObject({ name, title, severity }: Rule, space: string, hasRows: boolean): KibanaObject {
  const content = {
    name: title,
    schedule: { interval: '1m' },
    params: {
      searchType: 'esqlQuery',
      esqlQuery: { esql: openIncidents(severity) },
      timeField: '@timestamp',
      timeWindowSize: WINDOW_HOURS,
      timeWindowUnit: 'h',
      size: ROWS,
      threshold: [0],
      thresholdComparator: '>',
      aggType: 'count',
      groupBy: hasRows ? 'row' : 'all',
      excludeHitsFromPreviousRun: false
    }
  }
  const mark = markOf(content)
  return {
    kind: 'rule',
    id: ruleId(idIn(space, name)),
    title,
    mark,
    body: {
      ...content,
      rule_type_id: '.es-query',
      consumer: 'stackAlerts',
      tags: ['why5xx', markText(mark)],
      actions: []
    }
  }
}

/**
 * A row for each incident with those that are told under it, as webhooks tell them: open while one of them is. A rule puts its own
 * window of time around the query.
 *
 * Kibana makes the id of an alert of the columns behind the last `BY`, but only of those that stand there as bare names: with
 * `BY id = field` it takes all columns, and an alert ends with every failure that is counted. What may change must not be in it,
 * such as the name of the service.
 */
function openIncidents(severity: Rule['severity']): string {
  const { pattern, only } = besideTotals('incident')
  return [
    `FROM ${pattern}`,
    `WHERE ${[...only, 'why5xx.incident.state == "open"', 'why5xx.incident.severity IN ("page", "ticket")'].join(' AND ')}`,
    'EVAL incident = COALESCE(why5xx.incident.parent, why5xx.incident.id)',
    `STATS ${[
      // "page" is before "ticket": the worst of them.
      'severity = MIN(why5xx.incident.severity)',
      'failures = SUM(why5xx.incident.failures)',
      'expected = SUM(why5xx.incident.expected)',
      // Above 1, the names are those of one of them. All values of a group (`VALUES`) are a preview.
      'incidents = COUNT(*)',
      'service = MIN(service.name)',
      'cause = MIN(why5xx.cause)',
      'root_cause = MIN(why5xx.root_cause.kind)',
      'points_at = MIN(why5xx.root_cause.ref)'
    ].join(', ')} BY incident`,
    `WHERE severity == "${severity}"`,
    'SORT failures DESC, incident ASC',
    `LIMIT ${ROWS}`
  ].join('\n| ')
}

/** Rules hold secrets, and Kibana takes only UUIDs for what does: one made of the name, so that it is the same every time. */
function ruleId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32)
  ].join('-')
}

/** Of an answer to a question for the rule: what an update must keep, because its owner has added it. */
export function updateBody(body: Record<string, unknown>, found: Record<string, unknown>): Record<string, unknown> {
  const { rule_type_id: _type, consumer: _consumer, tags, ...rest } = body
  const ownTags = Array.isArray(found.tags) ? found.tags.filter(tag => typeof tag === 'string') : []
  const ours = tags as string[]
  return {
    ...rest,
    tags: [...ours, ...ownTags.filter(tag => !ours.includes(tag) && !tag.startsWith('Managed by why5xx'))],
    actions: Array.isArray(found.actions) ? found.actions.map(actionAsGiven) : [],
    ...(found.alert_delay != null && { alert_delay: found.alert_delay }),
    ...(found.flapping != null && { flapping: found.flapping }),
    // Linked dashboards and the guide: an update without them takes them away.
    ...(found.artifacts != null && { artifacts: found.artifacts }),
    ...(found.throttle != null && { throttle: found.throttle }),
    ...(found.notify_when != null && { notify_when: found.notify_when })
  }
}

/** Answers name the type of a connector, which requests must not. */
function actionAsGiven(action: unknown): unknown {
  const { connector_type_id: _type, ...given } = action as Record<string, unknown>
  return given
}
