/** Options from the file, the environment and the command line, checked by one zod schema made from the table of options. */

import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { systemErrorText, Why5xxError } from './errors.ts'
import { type Config, defaultConfig, environmentName, OPTIONS, type OptionInfo, setPath } from './optionTable.ts'

export interface ConfigSources {
  /** Path of the YAML file; null: none. */
  file: string | null
  environment: Record<string, string | undefined>
  /** `path=value` of --set, in order. */
  set: string[]
}

/**
 * Stronger in this order: --set, environment, file, default. Throws Why5xxError `WHY5XX_CONFIG` that names every wrong
 * value and, for an unknown key, the nearest known one.
 */
export function loadConfig(sources: ConfigSources): Config {
  const values = new Map<string, { value: unknown; origin: string }>()
  if (sources.file !== null) {
    for (const [path, value] of flatten(readYaml(sources.file))) values.set(path, { value, origin: sources.file })
  }
  const byName = new Map(OPTIONS.map(option => [environmentName(option.path), option]))
  for (const [name, text] of Object.entries(sources.environment)) {
    if (!name.startsWith('WHY5XX_') || text === undefined) continue
    const option = byName.get(name)
    if (!option) throw unknown(name, [...byName.keys()], 'the environment')
    values.set(option.path, { value: fromText(option, text), origin: name })
  }
  for (const setting of sources.set) {
    const equals = setting.indexOf('=')
    if (equals < 1)
      throw new Why5xxError(
        'WHY5XX_CONFIG',
        `--set ${setting}: expected PATH=VALUE, e.g. --set join.errorWaitMs=300000`
      )
    const path = setting.slice(0, equals)
    const option = OPTIONS.find(known => known.path === path)
    if (!option) throw unknown(path, knownPaths(), '--set')
    values.set(path, { value: fromText(option, setting.slice(equals + 1)), origin: '--set' })
  }
  const config = defaultConfig()
  const problems: string[] = []
  for (const [path, { value, origin }] of values) {
    const option = OPTIONS.find(known => known.path === path)
    if (!option) throw unknown(path, knownPaths(), origin)
    const checked = schemaOf(option).safeParse(value)
    if (checked.success) setPath(config as unknown as Record<string, unknown>, path, checked.data)
    else problems.push(`${path} (${origin}): ${checked.error.issues.map(issue => issue.message).join('; ')}`)
  }
  if (problems.length > 0) throw new Why5xxError('WHY5XX_CONFIG', `wrong configuration: ${problems.join('\n  ')}`)
  return config
}

/** The schema of one option; also what `config` says about its values. */
export function schemaOf(option: OptionInfo): z.ZodType {
  switch (option.type) {
    case 'text':
      return option.path === 'timeZone'
        ? z.string().refine(isTimeZone, 'is no IANA time zone such as Europe/Berlin')
        : z.string().min(1)
    case 'optionalText':
      return z.string().min(1).nullable()
    case 'integer':
      return z
        .number()
        .int()
        .min(option.min ?? 0)
    case 'boolean':
      return z.boolean()
    case 'choice':
      return z.enum(option.choices as [string, ...string[]])
    case 'list':
      return z.array(z.string().refine(isRegExp, 'is no regular expression'))
  }
}

function readYaml(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Why5xxError('WHY5XX_CONFIG', `cannot read the configuration ${file}: ${systemErrorText(error)}`, {
      cause: error
    })
  }
  try {
    return parseYaml(text) ?? {}
  } catch (error) {
    throw new Why5xxError('WHY5XX_CONFIG', `${file} is no YAML: ${(error as Error).message}`, { cause: error })
  }
}

/** Nested objects → paths; arrays and scalars are values. */
function* flatten(value: unknown, prefix = ''): Generator<[string, unknown]> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject) {
    if (prefix === '')
      throw new Why5xxError('WHY5XX_CONFIG', 'the configuration file must hold options, e.g. `clusterName: prod`')
    yield [prefix, value]
    return
  }
  for (const [key, inner] of Object.entries(value)) yield* flatten(inner, prefix === '' ? key : `${prefix}.${key}`)
}

function fromText(option: OptionInfo, text: string): unknown {
  if (option.type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text
  if (option.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (option.type === 'list') return text === '' ? [] : text.split(',')
  return option.type === 'optionalText' && text === '' ? null : text
}

function knownPaths(): string[] {
  return OPTIONS.map(option => option.path)
}

function unknown(name: string, known: string[], origin: string): Why5xxError {
  const [nearest] = [...known].sort((a, b) => distance(name, a) - distance(name, b))
  return new Why5xxError(
    'WHY5XX_CONFIG',
    `unknown option ${name} (${origin}); did you mean ${nearest}? why5xx config lists all`
  )
}

/** Levenshtein distance, case ignored. */
function distance(a: string, b: string): number {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length]!
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function isRegExp(source: string): boolean {
  try {
    new RegExp(source)
    return true
  } catch {
    return false
  }
}
