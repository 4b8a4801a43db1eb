/**
 * deploy/kibana/: what `why5xx setup --kibana` sends, as files.
 *
 *   npx vitest run --project unit test/deploy/kibana.test.ts -u        (the committed files are snapshots)
 */
import { join } from 'node:path'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { ndjson } from '../../src/kibana/client.ts'
import { kibanaObjects } from '../../src/kibana/contents.ts'
import { DEFAULT_SPACE, type KibanaObject } from '../../src/kibana/object.ts'
import { RULES, ruleObject } from '../../src/kibana/ruleBody.ts'
import { besideTotals, esqlText } from '../../src/store/esql.ts'

export const KIBANA_FOLDER = join(import.meta.dirname, '../../deploy/kibana')

const ALL = kibanaObjects(DEFAULT_SPACE, { hasDashboards: true, hasRows: true })

function of(...kinds: KibanaObject['kind'][]): KibanaObject[] {
  return ALL.filter(({ kind }) => kinds.includes(kind))
}

/** Names below the folder → contents. */
export function kibanaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  files.set('why5xx.ndjson', ndjson(of('data view', 'saved query').map(({ body }) => body)))
  for (const { id, body } of of('dashboard')) files.set(`dashboards/${id}.json`, json(body))
  for (const rule of RULES) files.set(`rules/${rule.name}.json`, json(ruleObject(rule, DEFAULT_SPACE, true).body))
  for (const { name, panels } of DASHBOARDS)
    for (const { id, description, query } of panels) {
      const text = esqlText(query, besideTotals(query.from))
      files.set(`esql/${name}/${id}.esql`, `// ${description}\n${text}\n`)
    }
  return files
}

/** Where each rule goes: its name → the id in its address. */
export function ruleIds(): Map<string, string> {
  return new Map(RULES.map(rule => [rule.name, ruleObject(rule, DEFAULT_SPACE, true).id]))
}

function json(body: object): string {
  return `${JSON.stringify(body, null, 2)}\n`
}
