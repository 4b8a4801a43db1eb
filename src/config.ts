/** Options from the file, the environment and the command line, checked by one zod schema made from the table of options. */

import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { systemErrorText, Why5xxError } from './errors.ts'
import { nearest } from './nearest.ts'
import { type Config, defaultConfig, environmentName, OPTIONS, type OptionInfo, setPath } from './optionTable.ts'
import { clip, jsonText } from './text.ts'

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
    else problems.push(`${path} (${origin}) is ${clip(jsonText(value), 80)}: expected ${expected(option)}`)
  }
  if (problems.length > 0) throw new Why5xxError('WHY5XX_CONFIG', `wrong configuration: ${problems.join('\n  ')}`)
  return config
}

/** The schema of one option; also what `config` says about its values. */
export function schemaOf(option: OptionInfo): z.ZodType {
  switch (option.type) {
    case 'text':
      return option.path === 'timeZone' ? z.string().refine(isTimeZone) : z.string().min(1)
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
      return z.array(z.string().refine(isRegExp))
  }
}

/** The schema of an option in words. */
function expected(option: OptionInfo): string {
  switch (option.type) {
    case 'text':
      return option.path === 'timeZone' ? 'an IANA time zone such as Europe/Berlin' : 'a text that is not empty'
    case 'optionalText':
      return 'a text, or nothing'
    case 'integer':
      return `a whole number${option.unit === null ? '' : ` of ${option.unit}`}, at least ${option.min ?? 0}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${option.choices!.join(', ')}`
    case 'list':
      return 'a list of regular expressions'
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
  return new Why5xxError(
    'WHY5XX_CONFIG',
    `unknown option ${name} (${origin}); did you mean ${nearest(name, known)}? why5xx config lists all`
  )
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
