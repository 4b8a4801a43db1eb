/**
 * The rules for Prometheus as an object of the Prometheus Operator: deploy/prometheus/why5xx.prometheusrule.yaml.
 *
 *   npx vitest run --project unit test/deploy/rules.test.ts -u        (the committed file is a snapshot)
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const RULES_FOLDER = join(import.meta.dirname, '../../deploy/prometheus')
export const RULES_PATH = join(RULES_FOLDER, 'why5xx.rules.yaml')
export const PROMETHEUS_RULE_PATH = join(RULES_FOLDER, 'why5xx.prometheusrule.yaml')
export const RUNBOOKS_PATH = join(RULES_FOLDER, 'runbooks.md')

export const rulesText = (): string => readFileSync(RULES_PATH, 'utf8')

const HEAD = `# Generated from why5xx.rules.yaml, which says what to change; for the Prometheus Operator 0.63 or newer.
# An operator takes the objects that its ruleSelector selects: add the label that yours asks for.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: why5xx
  labels:
    app.kubernetes.io/name: why5xx
spec:
`

/** The same text two columns to the right, comments and all: what one reads in a diff is the same in both. */
export function prometheusRule(rules: string): string {
  const groups = rules.slice(rules.indexOf('\ngroups:') + 1)
  return HEAD + groups.replace(/^(?=.)/gm, '  ')
}
