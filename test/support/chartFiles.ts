/**
 * What of the chart is made from what the program knows, so that neither can change alone:
 *
 *   files/rbac.yaml            rules of the watch, from the kinds that it lists
 *   files/why5xx.rules.yaml    the rules for Prometheus, as they stand in deploy/prometheus/
 *   values.schema.json         its definition `config`, from the table of options
 *   README.md                  its table of values, from the comments in values.yaml
 *
 *   npx vitest run --project unit test/deploy/chart.test.ts -u        (the committed files are snapshots)
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { rbacYaml, watchRules } from '../../src/check/rbac.ts'
import { isSecret, OPTIONS, type OptionInfo } from '../../src/optionTable.ts'

export const CHART = join(import.meta.dirname, '../../deploy/helm/why5xx')

export const chartText = (file: string): string => readFileSync(join(CHART, file), 'utf8')

export function rbacFile(): string {
  const head = `# Generated from src/check/rbac.ts: what the watch lists, and no more. No rule writes, none reads a Secret.\n`
  return head + rbacYaml(watchRules())
}

/**
 * The chart says these itself, for each role; or they are values, from which more follows than the option: KEDA's trigger, ports of
 * network policies, rights, arguments.
 */
const OF_THE_CHART = new Set([
  'roles',
  'source.kind',
  'sink.kind',
  'web.listen',
  'kubernetes.api',
  'clusterName',
  'source.kafka.brokers',
  'source.kafka.topic',
  'source.kafka.groupId',
  'sink.elasticsearch.nodes',
  'kubernetes.controllerNamespace',
  'kubernetes.namespaces',
  'kubernetes.tlsSecrets',
  'alerts.alertmanager.urls',
  'kibana.url'
])

interface Schema {
  type?: string | string[]
  [key: string]: unknown
}

/** The text of values.schema.json with its definition of `config` as the table of options has it: no option that is not there, no secret. */
export function schemaWithOptions(text: string): string {
  const schema = JSON.parse(text) as { definitions: Record<string, unknown> }
  const config: Schema = { type: 'object', additionalProperties: false, properties: {} }
  for (const option of OPTIONS) {
    if (isSecret(option) || OF_THE_CHART.has(option.path)) continue
    const keys = option.path.split('.')
    let at = config
    for (const key of keys.slice(0, -1)) {
      const properties = at.properties as Record<string, Schema>
      at = properties[key] ??= { type: 'object', additionalProperties: false, properties: {} }
    }
    ;(at.properties as Record<string, Schema>)[keys.at(-1)!] = schemaOf(option)
  }
  schema.definitions.config = config
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** As far as types go: the program itself checks forms at its start. */
function schemaOf({ type, choices, min, sentence: description }: OptionInfo): Schema {
  switch (type) {
    case 'integer':
      return { type: 'integer', minimum: min ?? 0, description }
    case 'boolean':
      return { type: 'boolean', description }
    case 'choice':
      return { enum: [...choices!], description }
    case 'list':
    case 'texts':
      return { type: 'array', items: { type: 'string', minLength: 1 }, description }
    case 'optionalText':
    case 'size':
      return { type: ['string', 'null'], minLength: 1, description }
    default:
      return { type: 'string', minLength: 1, description }
  }
}

const BEGIN = '<!-- values: generated from values.yaml -->\n\n'
const END = '\n<!-- end of values -->'

/** The text of the chart's README with its table of values as values.yaml has it. */
export function readmeWithValues(readme: string, values: string): string {
  const [before, rest] = readme.split(BEGIN) as [string, string]
  const rows = rowsOf(parseDocument(values).contents as YAMLMap, '', valueComments(values))
  const table = ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
  return `${before}${BEGIN}${table}\n${rest.slice(rest.indexOf(END))}`
}

/** A comment of the line above, by the number of the line that it belongs to. */
function valueComments(values: string): Map<number, string> {
  const comments = new Map<number, string>()
  const lines = values.split('\n')
  for (const [i, line] of lines.entries()) {
    const [, comment] = /^ *# (.*)$/.exec(lines[i - 1] ?? '') ?? []
    if (comment !== undefined && /^ *[\w-]+:/.test(line)) comments.set(i, comment)
  }
  return comments
}

/** Deep down to what has a comment; a value without one is a mistake. */
function rowsOf(
  map: YAMLMap,
  prefix: string,
  comments: ReadonlyMap<number, string>,
  values = chartText('values.yaml')
): string[] {
  return (map.items as Pair[]).flatMap(({ key, value }) => {
    if (!isScalar(key)) throw new Error(`${prefix}: a key that is no text`)
    const path = `${prefix}${String(key.value)}`
    const line = values.slice(0, key.range![0]).split('\n').length - 1
    const comment = comments.get(line)
    const isBlock = isMap(value) && value.flow !== true && value.items.length > 0
    if (isBlock && !STANDS_WHOLE.has(path)) return rowsOf(value, `${path}.`, comments, values)
    if (comment === undefined) throw new Error(`values.yaml: ${path} has no comment above it`)
    const shown = JSON.stringify((value as { toJSON(): unknown }).toJSON())
    return [`| \`${path}\` | \`${shown.replaceAll('|', '\\|')}\` | ${comment.replaceAll('|', '\\|')} |`]
  })
}

/** Kubernetes' own objects: their parts need no words of ours. */
const STANDS_WHOLE = new Set([
  'podSecurityContext',
  'securityContext',
  ...['worker', 'watch', 'alert', 'setup'].map(role => `${role}.resources`)
])
