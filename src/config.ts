/** Options from the file, the environment and the command line, checked by one zod schema made from the table of options. */

import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { impossibleCombinations } from './combinations.ts'
import { systemErrorText, Why5xxError } from './errors.ts'
import { nearest } from './nearest.ts'
import { type Config, defaultConfig, environmentName, isSecret, OPTIONS, setPath } from './optionTable.ts'
import { fromText, refusal, schemaOf } from './optionType.ts'
import { clip, jsonText } from './text.ts'

export interface ConfigSources {
  /** Path of the YAML file; null: none. */
  file: string | null
  environment: Record<string, string | undefined>
  /** `path=value` of --set, in order. */
  set: string[]
  /** Options that have a flag of their own, by path; the flag's name is where they come from. */
  flags?: ReadonlyMap<string, { value: unknown; origin: string }>
}

export interface LoadedConfig {
  config: Config
  /** Where each value comes from that is no default, by path: the file, the name in the environment, `--set`. */
  origins: ReadonlyMap<string, string>
}

/**
 * Stronger in this order: flags, --set, environment, file, default. Throws Why5xxError `WHY5XX_CONFIG` that names every wrong
 * value, every impossible combination and, for an unknown key, the nearest known one.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
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
  for (const [path, given] of sources.flags ?? []) values.set(path, given)
  const config = defaultConfig()
  const problems: string[] = []
  for (const [path, { value, origin }] of values) {
    const option = OPTIONS.find(known => known.path === path)
    if (!option) throw unknown(path, knownPaths(), origin)
    const checked = schemaOf(option).safeParse(value)
    if (checked.success) setPath(config as unknown as Record<string, unknown>, path, checked.data)
    else {
      const shown = isSecret(option) ? '***' : clip(jsonText(value), 80)
      problems.push(`${path} (${origin}) is ${shown}: ${refusal(option, checked.error)}`)
    }
  }
  const origins = new Map([...values].map(([path, { origin }]) => [path, origin]))
  if (problems.length === 0) problems.push(...impossibleCombinations(config, origins))
  if (problems.length > 0) throw new Why5xxError('WHY5XX_CONFIG', `wrong configuration: ${problems.join('\n  ')}`)
  return { config, origins }
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
    // The first line says what and where; the rest quotes the file, which may hold a token.
    const [sentence] = (error as Error).message.split('\n')
    throw new Why5xxError('WHY5XX_CONFIG', `${file} is no YAML: ${sentence!.replace(/:$/, '')}`, { cause: error })
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

function knownPaths(): string[] {
  return OPTIONS.map(option => option.path)
}

function unknown(name: string, known: string[], origin: string): Why5xxError {
  return new Why5xxError(
    'WHY5XX_CONFIG',
    `unknown option ${name} (${origin}); did you mean ${nearest(name, known)}? why5xx config lists all`
  )
}
