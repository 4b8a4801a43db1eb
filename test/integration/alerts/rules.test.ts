/** promtool over the rules: they parse, their own tests hold, and these fail when a guard is taken out of the rules. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { isAvailable } from '../../services/availability.ts'
import { missingForPrometheus } from '../../services/prometheusServer.ts'
import { Folder } from '../../support/program.ts'
import { PROMETHEUS_RULE_PATH, RULES_FOLDER, RULES_PATH, rulesText } from '../../support/prometheusRule.ts'

const TESTS_PATH = join(RULES_FOLDER, 'why5xx.rules.test.yaml')
/** What helm makes of the chart. */
const SCALED_OBJECT_PATH = join(RULES_FOLDER, '../kubernetes/full/keda.yaml')
const own = parse(readFileSync(TESTS_PATH, 'utf8')) as {
  tests: { name: string; alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] }[]
}
const folder = new Folder()
afterAll(() => folder.remove())

describe.skipIf(!isAvailable('promtool', missingForPrometheus()))('the rules', () => {
  test('parse, and are what the object for the operator holds', () => {
    expect(promtool('check', 'rules', RULES_PATH)).toMatchObject({ status: 0 })
    const { spec } = parse(readFileSync(PROMETHEUS_RULE_PATH, 'utf8')) as { spec: unknown }
    const path = folder.write('spec.yaml', JSON.stringify(spec))
    expect(promtool('check', 'rules', path)).toMatchObject({ status: 0 })
  })

  test('do what their tests say', () => {
    expect(promtool('test', 'rules', TESTS_PATH)).toMatchObject({ status: 0 })
  })

  test('and every alert is in one of these, firing', () => {
    const fired = own.tests.flatMap(({ alert_rule_test: checks = [] }) =>
      checks.filter(check => check.exp_alerts.length > 0).map(check => check.alertname)
    )
    const alerts = [...rulesText().matchAll(/- alert: (\w+)/g)].map(([, name]) => name!)
    expect(alerts.filter(name => !fired.includes(name))).toEqual([])
  })

  test.each<[string, RegExp, string, RegExp]>([
    [
      'the lag',
      /unless on \(instance\) max_over_time\(why5xx_processing_lag_seconds\[\w+\]\) > 120/g,
      '',
      /^what looks/
    ],
    ['the lag before now', /max_over_time\((why5xx_processing_lag_seconds)\[\w+\]\) > 120/g, '$1 > 120', /^what looks/],
    ['the floors', / >= \d+$/gm, ' >= 0', /^what looks/],
    ['slo', /slo="true"/g, 'slo=~".*"', /^what looks/],
    ['the short windows', /and upstream:why5xx_failures:ratio_rate(?:5m|30m|6h) > .*$/gm, '', /^five percent/],
    ['the long windows', /upstream:why5xx_failures:ratio_rate(?:1h|6h) > \d.*\n\s+and/g, '', /^five percent/],
    ['keeping on', /^ {8}keep_firing_for: .*$/gm, '', /^five percent/],
    ['quotes around names in queries', /%q/g, "'%s'", /^a name/],
    ['receivers of its own', /unless on \(instance\) why5xx_notifications_pending/g, '', /^a spike/],
    ['causes of clients', /\{cause!~"[^"]*"\}/g, '', /^a spike/],
    ['the wait before an alert', /^ {8}for: .*$/gm, '', /^the store/]
  ])('without %s a test of theirs fails', (_name, guard, without, noticing) => {
    const text = rulesText()
    const broken = text.replace(guard, without)
    expect(broken).not.toBe(text)
    folder.write('why5xx.rules.yaml', broken)
    expect(promtool('check', 'rules', join(folder.path, 'why5xx.rules.yaml'))).toMatchObject({ status: 0 })
    const tests = own.tests.filter(({ name }) => noticing.test(name))
    expect(tests).toHaveLength(1)
    const { status, said } = promtool('test', 'rules', folder.write('one.test.yaml', stringify({ ...own, tests })))
    expect(said).toContain('FAILED')
    expect(status).toBe(1)
  })

  test('KEDA sets the workers by those that read: not by alert, another release, or who waits for Elasticsearch', () => {
    const { triggers } = parse(readFileSync(SCALED_OBJECT_PATH, 'utf8')).spec as {
      triggers: { metadata: { query: string } }[]
    }
    const expr = triggers[0]!.metadata.query
    const values = {
      'why5xx_processing_lag_seconds{service="why5xx-worker",instance="a",namespace="why5xx"}': '40x20',
      'why5xx_lines_total{service="why5xx-worker",instance="a",namespace="why5xx",kind="access"}': '1x20',
      // Waits from the sixth minute on.
      'why5xx_sink_paused{service="why5xx-worker",instance="a",namespace="why5xx"}': '0x5 1x14',
      'why5xx_processing_lag_seconds{service="why5xx-worker",instance="b",namespace="why5xx"}': '900x20',
      'why5xx_lines_total{service="why5xx-worker",instance="b",namespace="why5xx",kind="access"}': '1x20',
      'why5xx_sink_paused{service="why5xx-worker",instance="b",namespace="why5xx"}': '1x20',
      'why5xx_processing_lag_seconds{service="why5xx-alert",instance="c",namespace="why5xx"}': '5000x20',
      'why5xx_processing_lag_seconds{service="why5xx-worker",instance="d",namespace="staging"}': '9000x20',
      'why5xx_lines_total{service="why5xx-worker",instance="d",namespace="staging",kind="access"}': '1x20'
    }
    const file = folder.write(
      'keda.test.yaml',
      stringify({
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: Object.entries(values).map(([series, each]) => ({
              series: series.replace('{', '{job="why5xx",'),
              values: each
            })),
            promql_expr_test: [
              { expr, eval_time: '4m', exp_samples: [{ labels: '{}', value: 40 }] },
              { expr, eval_time: '15m', exp_samples: [] }
            ]
          }
        ]
      })
    )
    expect(promtool('test', 'rules', file)).toMatchObject({ status: 0 })
  })
})

function promtool(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}
