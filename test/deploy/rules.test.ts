/** What the rules for Prometheus promise, held by their text: promtool (test/integration/alerts/) runs them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { CAUSES, causeTable } from '../../parsers/causes.ts'
import { Metrics } from '../../src/metrics.ts'
import { addWatchMetrics } from '../../src/watchMetrics.ts'
import { readExposition } from '../support/exposition.ts'
import { filledCounters } from '../support/filledCounters.ts'
import { PROMETHEUS_RULE_PATH, prometheusRule, RUNBOOKS_PATH, rulesText } from '../support/prometheusRule.ts'

interface Rule {
  record?: string
  alert?: string
  expr: string
  for?: string
  keep_firing_for?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}
interface Group {
  name: string
  rules: Rule[]
}

/** Where a runbook is, before somebody puts an address in front. */
const RUNBOOKS = 'deploy/prometheus/runbooks.md'

const { groups } = parse(rulesText()) as { groups: Group[] }
const rules = groups.flatMap(group => group.rules)
const alerts = rules.filter(rule => rule.alert !== undefined)
const records = rules.filter(rule => rule.record !== undefined)

test('the object for the operator is generated from the rules, and says the same', async () => {
  await expect(prometheusRule(rulesText())).toMatchFileSnapshot(PROMETHEUS_RULE_PATH)
  const object: unknown = parse(prometheusRule(rulesText()))
  expect(object).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', spec: { groups } })
})

test('what is recorded has the names that dashboards and KEDA may rely on', () => {
  expect(records.map(({ record }) => record)).toEqual([
    ...['5m', '30m', '1h'].map(window => `upstream:why5xx_failures:ratio_rate${window}`),
    'upstream_cause:why5xx_failures:rate5m',
    ...['6h', '3d'].map(window => `upstream:why5xx_failures:ratio_rate${window}`)
  ])
})

test('every alert says how urgent it is, what it is about, and where to read on', () => {
  expect(alerts.length).toBeGreaterThan(20)
  const runbooks = readFileSync(RUNBOOKS_PATH, 'utf8')
  const anchors = [...runbooks.matchAll(/^## (\w+)$/gm)].map(([, name]) => name!)
  expect(anchors).toEqual(alerts.map(({ alert }) => alert))
  for (const { alert, labels, annotations } of alerts) {
    expect(['page', 'ticket'], alert).toContain(labels?.severity)
    expect(Object.keys(annotations ?? {}).sort(), alert).toEqual(['description', 'runbook_url', 'summary'])
    expect(annotations!.runbook_url).toBe(`${RUNBOOKS}#${alert!.toLowerCase()}`)
    // A title that changes with every evaluation is a new message for many receivers.
    expect(annotations!.summary, alert).not.toContain('$value')
  }
})

test('every runbook says what it means, what to look at and what to do', () => {
  const sections = readFileSync(RUNBOOKS_PATH, 'utf8').split(/^## /m).slice(1)
  for (const section of sections)
    for (const part of ['**Means.**', '**Look.**', '**Do.**']) expect(section, section.split('\n')[0]!).toContain(part)
})

test('what is counted late is left out where workers are still told apart', () => {
  const late = /unless on \(instance\) max_over_time\(why5xx_processing_lag_seconds\[(\w+)\]\) > 120/g
  for (const { record, expr } of records) {
    const window = /rate(\w+)$/.exec(record!)![1]!
    // Failures, and requests where there is a share.
    const gates = [...expr.matchAll(late)].map(([, gate]) => gate)
    expect(gates, record).toEqual(
      Array.from({ length: record!.includes('ratio') ? 2 : 1 }, () => (window === '30m' ? '30m' : '5m'))
    )
    expect([...expr.matchAll(/failures_total\{(.*?)\}/g)].map(([, labels]) => labels)).toEqual(['slo="true"'])
  }
  const onFailures = alerts.filter(({ expr }) => /failures|spike/.test(expr))
  expect(onFailures.map(({ alert }) => alert)).toEqual([
    'Why5xxBudgetBurn',
    'Why5xxBudgetBurnSlow',
    'Why5xxSpikeActive'
  ])
  expect(onFailures[2]!.expr).toContain('unless on (instance) why5xx_processing_lag_seconds > 120')
  expect(onFailures.filter(rule => rule.keep_firing_for === undefined)).toEqual([])
})

test('spikes of causes for which no service answers do not page', () => {
  const { expr } = alerts.find(({ alert }) => alert === 'Why5xxSpikeActive')!
  const left = /why5xx_spike_active\{cause!~"([\w|]+)"\}/.exec(expr)![1]!.split('|')
  expect(left.sort()).toEqual(CAUSES.filter(cause => !causeTable[cause].slo).sort())
})

/** Told by the role alert, while there are incidents and receivers: why5xx_notifications_total{receiver,kind,outcome} … */
const OF_ALERTS: Record<string, string[]> = {
  why5xx_spike_active: ['cluster', 'upstream', 'cause'],
  why5xx_notifications_total: ['receiver', 'kind', 'outcome'],
  why5xx_notifications_pending: ['receiver']
}

test('rules name metrics and labels that there are', async () => {
  const bulk = { items: new Map([['rejected', 0]]), retries: 0, takeSeconds: () => [], rejects: new Map() }
  const facts = {
    partitions: [],
    resends: 0,
    offsetResets: 0,
    rebalances: 0,
    aliveMs: 0,
    hasJoined: true,
    isWhole: true
  }
  const counters = filledCounters(0)
  counters.countDiagnosis('state_unknown')
  const metrics = new Metrics(counters, { clusterName: 'prod', kafka: () => facts, bulk })
  addWatchMetrics(metrics, {
    record: () => ({
      events: new Map(),
      bytes: 0,
      dropped: 0,
      cut: 0,
      listedMs: 0,
      heartbeatMs: 0,
      pausedBecause: null
    }),
    watch: () => ({ objects: 0, events: 0, lost: [], unreadable: new Map(), heartbeatMs: 0 }),
    nowMs: () => 0,
    startedMs: 0
  })
  const { families, samples } = readExposition(await metrics.text())
  const labelsOf = new Map(families.map(({ name }) => [name, new Set(['job', 'instance'])]))
  for (const { name, labels } of samples) for (const label of Object.keys(labels)) labelsOf.get(name)?.add(label)
  for (const [name, labels] of Object.entries(OF_ALERTS)) labelsOf.set(name, new Set([...labels, 'job', 'instance']))
  const texts = rules.flatMap(({ expr, annotations }) => [expr, ...Object.values(annotations ?? {})])
  const recorded = new Set(records.map(({ record }) => record))
  const named = new Set<string>()
  for (const text of texts) {
    for (const [, name, selector] of text.matchAll(/(?<![\w:/])(why5xx_\w+)(?:\{([^}]*)\})?/g)) {
      named.add(name!)
      for (const [, label] of (selector ?? '').matchAll(/(\w+)(?:=~|!~|!=|=)/g))
        expect([...(labelsOf.get(name!) ?? [])], `${name} in ${text}`).toContain(label)
    }
    for (const [name] of text.matchAll(/\bupstream(?:_cause)?:why5xx_\w+:\w+/g))
      expect(recorded.has(name) || name.endsWith('ratio_rate'), name).toBe(true)
  }
  expect([...named].filter(name => !labelsOf.has(name))).toEqual([])
  expect(named.size).toBeGreaterThan(15)
})
