/** The files of deploy/kibana/ are what setup sends, and no others; their shapes are those that are published. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { markIn } from '../../src/kibana/object.ts'
import { FIELDS } from '../../src/store/elasticsearch/fields.ts'
import { KIBANA_FOLDER, kibanaFiles, ruleIds } from '../support/kibanaFiles.ts'
import { DASHBOARD, NEW_RULE, SAVED_OBJECT } from '../support/kibanaShapes.ts'

const files = kibanaFiles()
const below = (folder: string): [string, string][] => [...files].filter(([name]) => name.startsWith(folder))

test('the files are generated', async () => {
  for (const [name, content] of files) await expect(content).toMatchFileSnapshot(join(KIBANA_FOLDER, name))
  const there = readdirSync(KIBANA_FOLDER, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(KIBANA_FOLDER.length + 1))
  expect(there.sort()).toEqual([...files.keys(), 'README.md'].sort())
})

test('each is of the shape that its API takes, and marked as ours', () => {
  expect(below('dashboards/')).toHaveLength(DASHBOARDS.length)
  for (const [name, content] of below('dashboards/')) {
    const result = DASHBOARD.safeParse(JSON.parse(content))
    expect(result.error?.issues ?? [], name).toEqual([])
    expect(markIn(result.data!.description), name).not.toBeNull()
  }
  for (const [name, content] of below('rules/')) {
    const result = NEW_RULE.safeParse(JSON.parse(content))
    expect(result.error?.issues ?? [], name).toEqual([])
    expect(markIn(result.data!.tags.join()), name).not.toBeNull()
    // A rule puts a window of its own around the query.
    expect(result.data!.params.esqlQuery.esql).not.toContain('?')
  }
  const lines = files.get('why5xx.ndjson')!.trimEnd().split('\n')
  const ids = lines.map(line => {
    const { type, id, attributes } = SAVED_OBJECT.parse(JSON.parse(line))
    const text = type === 'search' ? attributes.description : attributes.fieldAttrs
    expect(markIn(text), id).not.toBeNull()
    return `${type}/${id}`
  })
  expect(new Set(ids).size).toBe(lines.length)
})

test('a rule asks for fields of incidents, and makes the ids of its alerts of what stays', () => {
  const fields = new Set(FIELDS.incident.map(([path]) => path))
  for (const [name, content] of below('rules/')) {
    const { esql } = NEW_RULE.parse(JSON.parse(content)).params.esqlQuery
    for (const [path] of esql.replace(/"[^"]*"/g, '').matchAll(/\b(?:why5xx|service|event)\.[\w.]+/g))
      expect(fields, name).toContain(path)
    // Kibana takes bare names alone from behind the last BY; where there is none, every column becomes part of the id.
    expect(esql.split(' BY ').at(-1)!.split('\n')[0], name).toBe('incident')
    expect(esql, name).toContain('| EVAL incident = COALESCE(why5xx.incident.parent, why5xx.incident.id)\n')
    expect(esql.indexOf('severity == "', esql.indexOf('STATS')), name).toBeGreaterThan(0)
  }
})

test('no text asks a kind alone that may have no index yet', () => {
  for (const [name, content] of files) {
    const patterns = [...content.matchAll(/FROM (why5xx-[\w*,-]+)/g)].map(match => match[1]!)
    const mixed = patterns.filter(pattern => pattern !== 'why5xx-rollup-*')
    for (const pattern of mixed) expect(pattern, name).toMatch(/^why5xx-[a-z]+-\*,why5xx-rollup-\*$/)
    expect([...content.matchAll(/event\.dataset != \\*"why5xx\.rollup\\*"/g)], name).toHaveLength(mixed.length)
    if (/esql|rules|ndjson/.test(name)) expect(patterns.length, name).toBeGreaterThan(0)
  }
})

test('a query that is saved or alerts by itself has no parameter that nothing gives', () => {
  for (const { name, params, panels } of DASHBOARDS) {
    const known = ['_tstart', '_tend', ...params.map(param => param.name)]
    for (const { id } of panels) {
      const used = [...files.get(`esql/${name}/${id}.esql`)!.matchAll(/\?(\w+)/g)].map(match => match[1]!)
      expect(known).toEqual(expect.arrayContaining(used))
    }
  }
  for (const line of files.get('why5xx.ndjson')!.split('\n'))
    for (const [, name] of line.matchAll(/ \?(\w+)/g)) expect(['_tstart', '_tend']).toContain(name)
})

test('the README names every address that a hand needs', () => {
  const readme = readFileSync(join(KIBANA_FOLDER, 'README.md'), 'utf8').replace(/ +/g, ' ')
  for (const [name, id] of ruleIds()) expect(readme).toContain(`| \`rules/${name}.json\` | \`${id}\` |`)
  for (const { name } of DASHBOARDS) expect(readme).toContain(`why5xx-${name}`)
})
